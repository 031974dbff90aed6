#include "output/screen.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "output/table.hpp"

namespace tool::output {

namespace {

constexpr std::string_view home = "\x1b[H";
constexpr std::string_view clear_to_end_of_line = "\x1b[K";
constexpr std::string_view clear_to_end_of_screen = "\x1b[J";

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

}  // namespace

std::optional<screen_size> screen() {
  if (::isatty(STDOUT_FILENO) != 1) return std::nullopt;
  constexpr screen_size usual{24, 80};
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) return usual;
  return screen_size{size.ws_row, size.ws_col};
}

std::string drawn(std::string_view text, const screen_size& on) {
  std::vector<std::string_view> lines = lines_of(text);
  // The last row stays empty: a newline there would scroll the first one away.
  const std::size_t room = std::max<std::size_t>(on.rows, 3) - 1;
  std::string rest;
  if (lines.size() > room) {
    rest = "… and " + std::to_string(lines.size() - room + 1) + " more";
    lines.resize(room - 1);
    lines.emplace_back(rest);
  }
  std::string out{home};
  for (const std::string_view line : lines)
    out.append(printable(line, on.columns)).append(clear_to_end_of_line).append("\n");
  return out.append(clear_to_end_of_screen);
}

}  // namespace tool::output
