#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "artillery/clock.hpp"

// A scenario file (docs/scenarios.md): a comment that says what one learns from it, commands, a line `----`, the trace.

namespace artillery::scenarios {

/// Something is wrong with a file itself, at a line of it.
class script_error : public std::runtime_error {
public:
  script_error(std::size_t line, const std::string& what);
};

/// `250ms`, `2s` or `1m`; nothing for anything else.
[[nodiscard]] std::optional<duration> parse_duration(std::string_view text);

/// One line of the script: `put k v1 if=absent &`. What nobody asks for is an error, so that no typing error is
/// skipped silently: `require_all_used` says which word or option that is.
class command {
public:
  command(std::string_view text, std::size_t line);

  [[nodiscard]] const std::string& name() const noexcept { return words_.front(); }
  [[nodiscard]] std::size_t line() const noexcept { return line_; }
  /// As it was written, without comment.
  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  /// Begins with `quietly`: what follows of it is not told.
  [[nodiscard]] bool quiet() const noexcept { return quiet_; }
  /// Ends with `&`: the next command follows in the same instant.
  [[nodiscard]] bool at_once() const noexcept { return at_once_; }

  /// The `place`th word after the name, from 1.
  [[nodiscard]] const std::string& word(std::size_t place) const;
  [[nodiscard]] std::optional<std::string> optional_word(std::size_t place) const;
  /// All words from `place` on.
  [[nodiscard]] std::vector<std::string> words_from(std::size_t place) const;
  [[nodiscard]] std::optional<std::string> option(const std::string& name) const;
  [[nodiscard]] std::string option(const std::string& name, const std::string& otherwise) const;
  [[nodiscard]] std::optional<duration> duration_option(const std::string& name) const;
  [[nodiscard]] std::optional<std::uint64_t> number_option(const std::string& name) const;
  /// The `place`th word as a duration.
  [[nodiscard]] duration duration_word(std::size_t place) const;

  void require_all_used() const;
  [[noreturn]] void fail(const std::string& what) const;

private:
  std::string text_;
  std::size_t line_;
  std::vector<std::string> words_;  // the name first
  std::map<std::string, std::string> options_;
  bool quiet_ = false;
  bool at_once_ = false;
  mutable std::size_t words_used_ = 1;
  mutable std::set<std::string> options_used_;
};

struct script {
  std::string above;  ///< all that stands above the rule, as it is
  std::vector<command> commands;
  std::string trace;  ///< all that stands below it
};

/// Throws `script_error`: no comment at the start, no command, no rule.
[[nodiscard]] script parse_script(std::string_view text);

/// The file with another trace.
[[nodiscard]] std::string with_trace(const script& what, std::string_view trace);

}  // namespace artillery::scenarios
