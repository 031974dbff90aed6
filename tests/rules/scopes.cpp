#include "rules/scopes.hpp"

#include <algorithm>

#include "rules/source_text.hpp"

namespace rules {

namespace {

constexpr std::string_view blanks = " \n\t";

bool has(const std::vector<std::string>& words, std::string_view wanted) {
  return std::find(words.begin(), words.end(), wanted) != words.end();
}

/// `template <class T> void f()` is a function though it begins with a word of types.
std::string_view without_template(std::string_view head) {
  head.remove_prefix(std::min(head.find_first_not_of(blanks), head.size()));
  if (!head.starts_with("template")) return head;
  std::size_t depth = 0;
  for (std::size_t i = head.find('<'); i < head.size(); ++i) {
    if (head[i] == '<') ++depth;
    if (head[i] == '>' && --depth == 0) return without_template(head.substr(i + 1));
  }
  return head;
}

/// What a block that `head` opens is, standing in `outer`.
scope kind_of(std::string_view head, scope outer) {
  std::vector<std::string> words = words_of(declarator_of(head));
  if (outer == scope::of_function) return scope::of_function;
  if (has(words, "namespace") || (has(words, "extern") && outer == scope::of_namespace)) return scope::of_namespace;
  std::vector<std::string> after_template = words_of(without_template(head));
  for (std::string_view type : {"class", "struct", "union", "enum"}) {
    if (!after_template.empty() && after_template.front() == type) return scope::of_type;
  }
  return scope::of_function;
}

}  // namespace

scopes find_scopes(std::string_view code) {
  scopes found;
  struct open_block {
    scope kind;
    std::size_t begin;
  };
  std::vector<open_block> open;
  std::size_t start = 0;
  bool after_value = false;  // after the braces of `int x{1}`, whose declaration was seen at the brace
  for (std::size_t i = 0; i < code.size(); ++i) {
    if (code[i] != ';' && code[i] != '{' && code[i] != '}') continue;
    std::string_view text = code.substr(start, i - start);
    std::size_t begin = start + std::min(text.find_first_not_of(blanks), text.size());
    scope inside = open.empty() ? scope::of_namespace : open.back().kind;
    if (code[i] != '}' && !after_value) found.statements.push_back({text, code[i], inside, begin});
    if (code[i] == '{') open.push_back({kind_of(text, inside), begin});
    if (code[i] == '}' && !open.empty()) {
      found.blocks.push_back({open.back().kind, open.back().begin, i});
      open.pop_back();
    }
    std::size_t next = code.find_first_not_of(blanks, i + 1);
    after_value = code[i] == '}' && next != std::string_view::npos &&
                  std::string_view{";,)"}.find(code[next]) != std::string_view::npos;
    start = i + 1;
  }
  return found;
}

std::vector<std::string> words_of(std::string_view code) {
  std::vector<std::string> words;
  for (const name& word : read_source(code).names) words.push_back(word.text);
  return words;
}

std::string_view declarator_of(std::string_view statement) {
  return statement.substr(0, statement.find_first_of("=({"));
}

}  // namespace rules
