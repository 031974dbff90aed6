#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tool::output {

/// `text` fit for a terminal: control characters and bytes that are not UTF-8 as \xNN, so that what a peer calls itself
/// cannot steer the terminal. Longer than `columns_max` characters it is cut, with `…` at its end.
[[nodiscard]] std::string printable(std::string_view text, std::size_t columns_max = std::string_view::npos);

/// Rows under headings, each column as wide as its widest cell.
class table {
public:
  explicit table(std::vector<std::string> headings);
  /// One row; cells are made printable.
  void add(std::vector<std::string> cells);
  [[nodiscard]] std::string text() const;

private:
  std::vector<std::vector<std::string>> rows_;
};

/// Names and values, one pair on a line, the values aligned.
class listing {
public:
  void add(std::string name, std::string_view value);
  [[nodiscard]] std::string text() const;

private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace tool::output
