#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// C++ source as the rules see it: what is left when comments and literals are gone, so that a word in a comment or a
/// message breaks no rule.
namespace rules {

/// A source file of the project, its path relative to the checkout.
struct source_file {
  std::string path;
  std::string text;
};

/// `#include "base/bytes.hpp"` on line 7 is {7, "base/bytes.hpp"}.
struct inclusion {
  std::size_t line;
  std::string header;
};

/// A name with its qualification, as written: `std::chrono::steady_clock::now`.
struct name {
  std::size_t line;
  std::string text;
};

struct source_text {
  std::string code;                   ///< same number of lines as the source; comments, literals, directives blanked
  std::vector<inclusion> inclusions;  ///< in order
  std::vector<name> names;            ///< in order
  std::size_t lines = 0;
};

[[nodiscard]] source_text read_source(std::string_view text);

/// The number of the line on which `position` of the code lies, from 1.
[[nodiscard]] std::size_t line_of(std::string_view code, std::size_t position);

}  // namespace rules
