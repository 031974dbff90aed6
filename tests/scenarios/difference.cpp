#include "scenarios/difference.hpp"

#include <algorithm>
#include <vector>

namespace artillery::scenarios {
namespace {

constexpr std::size_t lines_around = 3;

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

struct marked {
  char mark;
  std::string_view line;
};

/// By the longest common subsequence. Traces are short, so a whole table of them costs nothing.
std::vector<marked> compare(const std::vector<std::string_view>& expected,
                            const std::vector<std::string_view>& actual) {
  const std::size_t rows = expected.size();
  const std::size_t columns = actual.size();
  std::vector<std::vector<std::size_t>> common(rows + 1, std::vector<std::size_t>(columns + 1));
  for (std::size_t i = rows; i-- > 0;) {
    for (std::size_t j = columns; j-- > 0;) {
      common[i][j] = expected[i] == actual[j] ? common[i + 1][j + 1] + 1 : std::max(common[i + 1][j], common[i][j + 1]);
    }
  }
  std::vector<marked> result;
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < rows || j < columns) {
    if (i < rows && j < columns && expected[i] == actual[j]) {
      result.push_back({' ', expected[i++]});
      ++j;
    } else if (j == columns || (i < rows && common[i + 1][j] >= common[i][j + 1])) {
      result.push_back({'-', expected[i++]});
    } else {
      result.push_back({'+', actual[j++]});
    }
  }
  return result;
}

}  // namespace

std::string difference(std::string_view expected, std::string_view actual) {
  if (expected == actual) return {};
  const std::vector<marked> all = compare(lines_of(expected), lines_of(actual));
  const auto changed = [&](std::size_t at) { return all[at].mark != ' '; };
  std::string text;
  bool skipping = false;
  for (std::size_t i = 0; i < all.size(); ++i) {
    bool near = false;
    for (std::size_t other = i - std::min(i, lines_around); other <= std::min(i + lines_around, all.size() - 1);
         ++other)
      near = near || changed(other);
    if (near) text.append(1, all[i].mark).append(1, ' ').append(all[i].line).append("\n");
    if (!near && !skipping) text.append("  …\n");
    skipping = !near;
  }
  // The last newline may be all that differs.
  return text.empty() || std::none_of(all.begin(), all.end(), [](const marked& m) { return m.mark != ' '; })
             ? "  the texts differ in their last newline\n"
             : text;
}

}  // namespace artillery::scenarios
