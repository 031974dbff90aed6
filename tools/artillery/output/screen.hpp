#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace tool::output {

struct screen_size {
  std::size_t rows = 0;
  std::size_t columns = 0;
};

/// Of the terminal that standard output is; nothing when it is none.
[[nodiscard]] std::optional<screen_size> screen();

/// What draws `text`, of printable lines, in the place of what is on the screen: lines that are too long are cut, and
/// of those for which there is no room the last line tells how many they are.
[[nodiscard]] std::string drawn(std::string_view text, const screen_size& on);

}  // namespace tool::output
