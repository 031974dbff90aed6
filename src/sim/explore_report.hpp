#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "sim/explore_choice.hpp"

namespace artillery::sim {

/// How far an exploration goes.
struct explore_limits {
  static constexpr std::uint32_t unlimited = std::numeric_limits<std::uint32_t>::max();

  /// Two GiB of table at most, three while it grows.
  std::uint64_t states_max = 200'000'000;
  /// Choices in a row.
  std::uint32_t depth_max = unlimited;
  /// Choices in a row other than the first of those that a state offers, which is what an unhurried, faultless run
  /// does: all schedules with at most so many faults and reorderings.
  std::uint32_t deviations_max = unlimited;
  /// A run that leads to a violation is looked for with ever more choices, from one upwards; else the first one found
  /// is reported.
  bool shortest = true;
};

/// What an exploration came to.
struct explore_report {
  struct violation {
    std::string what;
    std::vector<std::string> trace;  ///< the choices that lead to it, in words
  };

  std::uint64_t states = 0;       ///< different ones
  std::uint64_t transitions = 0;  ///< choices made
  std::uint64_t ends = 0;         ///< states in which nothing more can happen
  std::uint32_t depth = 0;        ///< the longest run of choices
  std::array<std::uint64_t, explore_kinds> choices{};
  bool complete = false;  ///< all that the limits and the set-up's budgets allow was seen
  std::optional<violation> found;
};

}  // namespace artillery::sim
