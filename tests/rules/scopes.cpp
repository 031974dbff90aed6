#include "rules/scopes.hpp"

#include <algorithm>

#include "rules/source_text.hpp"

namespace rules {

namespace {

constexpr std::string_view blanks = " \n\t";

bool has(const std::vector<std::string>& words, std::string_view wanted) {
  return std::find(words.begin(), words.end(), wanted) != words.end();
}

/// What a block that `head` opens is, standing in `outer`.
scope kind_of(std::string_view head, scope outer) {
  std::vector<std::string> words = words_of(declarator_of(head));
  if (outer == scope::of_function) return scope::of_function;
  if (has(words, "namespace") || (has(words, "extern") && outer == scope::of_namespace)) return scope::of_namespace;
  for (std::string_view type : {"class", "struct", "union", "enum"}) {
    // `template <class T> void f()` is a function: a type's head has no parameters.
    if (has(words, type) && head.find('(') == std::string_view::npos) return scope::of_type;
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
