#pragma once

#include <cstddef>
#include <iosfwd>
#include <optional>
#include <string>

#include "sim/history.hpp"

/// Histories as files, one JSON object a line: docs/history-format.md.
namespace histories {

inline constexpr int format_version = 1;
/// Longer texts are written as their length and checksum.
inline constexpr std::size_t text_size_max = 256;
/// Longer lines are refused.
inline constexpr std::size_t line_size_max = std::size_t{64} << 10U;

/// The first line: who recorded, and by which clock. Times are nanoseconds.
struct header {
  std::string recorder;
  std::string clock;

  friend bool operator==(const header&, const header&) = default;
};

struct recording {
  header about;
  artillery::sim::history operations;  ///< in the order of the lines
};

/// Why a file was not taken.
struct bad_line {
  std::size_t number = 0;  ///< from 1
  std::string what;
};

void write(std::ostream& out, const header& about, const artillery::sim::history& operations);

/// Reads a whole file into `into`; tells what is wrong with the first bad line, and takes nothing of the file then.
/// Any bytes may be given to it.
[[nodiscard]] std::optional<bad_line> read(std::istream& in, recording& into);

}  // namespace histories
