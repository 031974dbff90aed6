#include "rules/source_text.hpp"

#include <algorithm>
#include <cctype>

namespace rules {

namespace {

bool in_identifier(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

/// Blanks comments, literals and directives; collects the inclusions on its way.
class stripper {
public:
  stripper(std::string_view text, source_text& out) : text_{text}, out_{out} {}

  void run() {
    while (at_ < text_.size()) step();
  }

private:
  void step() {
    if (text_.substr(at_, 2) == "//") return blank_until("\n", false);
    if (text_.substr(at_, 2) == "/*") return blank_until("*/", true);
    char c = text_[at_];
    if (c == '#' && only_spaces_before()) return directive();
    if (c == '"') return ends_with_raw_prefix() ? raw_string() : literal('"');
    if (c == '\'' && !digit_separator()) return literal('\'');
    keep();
  }

  void keep() { out_.code += text_[at_++]; }
  void blank() {
    out_.code += text_[at_] == '\n' ? '\n' : ' ';
    ++at_;
  }
  void blank_to(std::size_t end) {
    while (at_ < std::min(end, text_.size())) blank();
  }
  void blank_until(std::string_view mark, bool with_mark) {
    std::size_t end = text_.find(mark, at_ + (with_mark ? mark.size() : 0));
    if (end == std::string_view::npos) end = text_.size();
    blank_to(end + (with_mark ? mark.size() : 0));
  }

  void literal(char quote) {
    keep();  // the quotes stay: a literal is still a value
    while (at_ < text_.size() && text_[at_] != quote && text_[at_] != '\n') {
      if (text_[at_] == '\\') blank();
      if (at_ < text_.size()) blank();
    }
    if (at_ < text_.size()) keep();
  }

  void raw_string() {
    std::size_t open = text_.find('(', at_);
    if (open == std::string_view::npos) return blank_to(text_.size());
    std::string mark = ")" + std::string{text_.substr(at_ + 1, open - at_ - 1)} + "\"";
    std::size_t end = text_.find(mark, open);
    blank_to(end == std::string_view::npos ? text_.size() : end + mark.size());
  }

  /// The definition of a macro is code like any other; of the rest only inclusions matter.
  void directive() {
    std::string_view line = text_.substr(at_, text_.find('\n', at_) - at_);
    std::size_t word = line.find_first_not_of(" \t", 1);
    if (word == std::string_view::npos) return blank();
    if (line.substr(word, 6) == "define") return blank_to(at_ + word + 6);
    if (line.substr(word, 7) == "include") {
      std::size_t open = line.find_first_of("<\"", word);
      std::size_t close = open == std::string_view::npos ? open : line.find_first_of(">\"", open + 1);
      if (close != std::string_view::npos) {
        out_.inclusions.push_back(
            {line_of(out_.code, out_.code.size()), std::string{line.substr(open + 1, close - open - 1)}});
      }
    }
    blank_to(at_ + line.size());
  }

  bool only_spaces_before() const {
    std::size_t start = out_.code.find_last_not_of(" \t");
    return start == std::string::npos || out_.code[start] == '\n';
  }
  bool ends_with_raw_prefix() const {
    std::size_t end = out_.code.size();
    return end > 0 && out_.code[end - 1] == 'R' &&
           (end < 2 || !in_identifier(out_.code[end - 2]) ||
            std::string_view{"uUL8"}.find(out_.code[end - 2]) != std::string_view::npos);
  }
  bool digit_separator() const {
    std::size_t start = out_.code.size();
    while (start > 0 && (in_identifier(out_.code[start - 1]) || out_.code[start - 1] == '\'')) --start;
    return start < out_.code.size() && std::isdigit(static_cast<unsigned char>(out_.code[start])) != 0;
  }

  std::string_view text_;
  source_text& out_;
  std::size_t at_ = 0;
};

/// `a :: b` does not occur in formatted code, so a qualified name has no spaces.
void collect_names(source_text& out) {
  std::size_t line = 1;
  for (std::size_t at = 0; at < out.code.size();) {
    if (out.code[at] == '\n') ++line;
    if (!in_identifier(out.code[at])) {
      ++at;
      continue;
    }
    std::size_t end = at;
    while (end < out.code.size() && (in_identifier(out.code[end]) || out.code.compare(end, 2, "::") == 0)) {
      end += out.code[end] == ':' ? 2U : 1U;
    }
    out.names.push_back({line, out.code.substr(at, end - at)});
    at = end;
  }
}

}  // namespace

std::size_t line_of(std::string_view code, std::size_t position) {
  std::string_view before = code.substr(0, position);
  return static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n')) + 1;
}

source_text read_source(std::string_view text) {
  source_text out;
  stripper{text, out}.run();
  collect_names(out);
  out.lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  if (!text.empty() && text.back() != '\n') ++out.lines;
  return out;
}

}  // namespace rules
