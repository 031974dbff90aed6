#pragma once

#include <cstdint>

#include "sim/run_options.hpp"
#include "sim/run_result.hpp"

namespace artillery::sim {

/// One seed of a chain whose view changes: replicas crash, pause, are cut off and come back, and the chain heals
/// itself. Everything is drawn from the seed but what the options fix.
[[nodiscard]] run_result run_view_seed(std::uint64_t seed, const run_options& options = {});

}  // namespace artillery::sim
