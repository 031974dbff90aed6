#include "scenarios/script.hpp"

#include <algorithm>
#include <charconv>
#include <sstream>

namespace artillery::scenarios {
namespace {

constexpr std::string_view rule = "----";

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string_view without_comment(std::string_view line) {
  line = line.substr(0, line.find('#'));
  while (!line.empty() && line.back() == ' ') line.remove_suffix(1);
  return line;
}

}  // namespace

script_error::script_error(std::size_t line, const std::string& what)
    : std::runtime_error{"line " + std::to_string(line) + ": " + what} {}

std::optional<duration> parse_duration(std::string_view text) {
  const auto unit_at = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto count = parse_number(text.substr(0, unit_at));
  const std::string_view unit = text.substr(unit_at);
  if (!count) return std::nullopt;
  const auto amount = static_cast<duration::rep>(*count);
  if (unit == "ms") return std::chrono::milliseconds{amount};
  if (unit == "s") return std::chrono::seconds{amount};
  if (unit == "m") return std::chrono::minutes{amount};
  return std::nullopt;
}

command::command(std::string_view text, std::size_t line) : text_{text}, line_{line} {
  std::istringstream in{text_};
  for (std::string word; in >> word;) {
    const auto equals = word.find('=');
    if (word == "quietly" && words_.empty()) {
      quiet_ = true;
    } else if (word == "&") {
      at_once_ = true;
    } else if (equals != std::string::npos) {
      options_[word.substr(0, equals)] = word.substr(equals + 1);
    } else {
      words_.push_back(word);
    }
  }
  if (words_.empty()) throw script_error{line, "there is no command"};
}

void command::fail(const std::string& what) const {
  throw script_error{line_, what};
}

const std::string& command::word(std::size_t place) const {
  if (place >= words_.size()) fail(name() + " needs more words than that");
  words_used_ = std::max(words_used_, place + 1);
  return words_[place];
}

std::optional<std::string> command::optional_word(std::size_t place) const {
  if (place >= words_.size()) return std::nullopt;
  return word(place);
}

std::vector<std::string> command::words_from(std::size_t place) const {
  words_used_ = words_.size();
  if (place >= words_.size()) return {};
  return {words_.begin() + static_cast<std::ptrdiff_t>(place), words_.end()};
}

std::optional<std::string> command::option(const std::string& name) const {
  options_used_.insert(name);
  const auto found = options_.find(name);
  if (found == options_.end()) return std::nullopt;
  return found->second;
}

std::string command::option(const std::string& name, const std::string& otherwise) const {
  return option(name).value_or(otherwise);
}

std::optional<duration> command::duration_option(const std::string& name) const {
  const auto text = option(name);
  if (!text) return std::nullopt;
  const auto value = parse_duration(*text);
  if (!value) fail(name + " is a time such as 250ms or 2s, not " + *text);
  return value;
}

std::optional<std::uint64_t> command::number_option(const std::string& name) const {
  const auto text = option(name);
  if (!text) return std::nullopt;
  const auto value = parse_number(*text);
  if (!value) fail(name + " is a number, not " + *text);
  return value;
}

duration command::duration_word(std::size_t place) const {
  const auto value = parse_duration(word(place));
  if (!value) fail(name() + " takes a time such as 250ms or 2s, not " + word(place));
  return *value;
}

void command::require_all_used() const {
  if (words_used_ < words_.size()) fail(name() + " has no use for '" + words_[words_used_] + "'");
  for (const auto& [option, value] : options_) {
    if (!options_used_.contains(option)) fail(name() + " has no option " + option);
  }
}

script parse_script(std::string_view text) {
  script result;
  if (!text.starts_with("# ")) throw script_error{1, "a scenario starts with a comment: what one learns from it"};
  std::size_t line_number = 0;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++line_number;
    if (line == rule) {
      if (result.commands.empty()) throw script_error{line_number, "there are no commands above the rule"};
      result.trace = text;
      return result;
    }
    result.above.append(line).append("\n");
    const std::string_view written = without_comment(line);
    if (!written.empty()) result.commands.emplace_back(written, line_number);
  }
  throw script_error{line_number, "there is no line ---- between the commands and the trace"};
}

std::string with_trace(const script& what, std::string_view trace) {
  std::string text = what.above;
  text.append(rule).append("\n").append(trace);
  return text;
}

}  // namespace artillery::scenarios
