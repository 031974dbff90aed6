#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "rules/source_text.hpp"

/// The rules of ARCHITECTURE.md that can be read off the sources. Each is a function from one file to what it breaks.
namespace rules {

struct violation {
  std::string path;
  std::size_t line;
  std::string rule;  ///< as named in ARCHITECTURE.md, for instance "pure"
  std::string what;

  [[nodiscard]] std::string text() const { return path + ":" + std::to_string(line) + ": [" + rule + "] " + what; }
};

/// A file that a rule does not hold for, and why. `path` may end in `*`.
struct exemption {
  std::string_view rule;
  std::string_view path;
  std::string_view reason;
};

/// All exemptions there are. One that no file needs any more is an error, too (see unneeded).
[[nodiscard]] const std::vector<exemption>& exemptions();

/// Files of the three rooms that bind a core to the world: Asio, threads and clocks are their business.
[[nodiscard]] bool is_binding(std::string_view path);
/// Files that must be deterministic: same inputs, same outputs, on every machine and compiler.
[[nodiscard]] bool is_pure(std::string_view path);

[[nodiscard]] std::vector<violation> check(const source_file& file);
[[nodiscard]] std::vector<violation> check_all(const std::vector<source_file>& files);

/// Exemptions that stand for nothing: no file breaks the rule there.
[[nodiscard]] std::vector<exemption> unneeded(const std::vector<source_file>& files);

}  // namespace rules
