#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// Statements and blocks of C++ code whose comments and literals were blanked (see read_source), found by their braces
/// alone: enough to tell a global from a local variable and to measure functions.
namespace rules {

enum class scope { of_namespace, of_type, of_function };

struct statement {
  std::string_view text;
  char ended_by;      ///< ';' or '{'
  scope inside;       ///< what it stands in
  std::size_t begin;  ///< position of its first character that is no space
};

struct block {
  scope kind;
  std::size_t begin;  ///< position of what stands before its '{'
  std::size_t end;    ///< position of its '}'
};

struct scopes {
  std::vector<statement> statements;
  std::vector<block> blocks;
};

[[nodiscard]] scopes find_scopes(std::string_view code);

/// The names in a piece of code, keywords among them.
[[nodiscard]] std::vector<std::string> words_of(std::string_view code);

/// The part of a declaration before its initializer or parameters.
[[nodiscard]] std::string_view declarator_of(std::string_view statement);

}  // namespace rules
