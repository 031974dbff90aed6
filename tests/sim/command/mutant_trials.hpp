#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "room.hpp"

namespace simulator {

/// One planted mistake, and what came of it.
struct mutant_trial {
  const room* where = nullptr;
  std::size_t mutant = 0;
  std::optional<std::uint64_t> known = {};  ///< a seed that found it once
  bool found = false;
  std::uint64_t seeds = 0;     ///< so many from seed 1 on are enough: the last one found it
  std::string violation = {};  ///< of the last seed
  double cpu_seconds = 0;

  [[nodiscard]] const std::string& name() const { return where->mutants.at(mutant); }
  [[nodiscard]] bool found_by_known() const { return found && known == seeds; }
};

/// With each mistake planted, runs the seed that is known to find it, unless that is beyond `seeds_max`, and then those
/// from 1 to `seeds_max`, until one fails. Each in a process of its own, `jobs` at a time: what is planted is a global
/// of the process, and a mistake may crash it or never let it end. `finished` is told of each at its end.
void run_mutant_trials(std::vector<mutant_trial>& trials, std::uint64_t seeds_max, unsigned jobs,
                       const std::function<void(const mutant_trial&)>& finished);

}  // namespace simulator
