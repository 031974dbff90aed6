#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace artillery::sim {

/// What one seed of a room's simulation came to.
struct run_result {
  std::uint64_t trace_hash = 0;
  std::vector<std::string> violations;  ///< one line each, with the time and the hosts; empty: sound
  std::vector<std::pair<std::string, std::uint64_t>>
      counters;               ///< what was reached, in a fixed order, the same names for every seed
  std::uint64_t choices = 0;  ///< faults and operations that can be left out by their number: `run_options::without`
};

}  // namespace artillery::sim
