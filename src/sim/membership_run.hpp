#pragma once

#include <cstdint>

#include "sim/membership_swarm.hpp"
#include "sim/run_options.hpp"
#include "sim/run_result.hpp"

namespace artillery::sim {

/// One seed: draws which faults there are, how strong, and how many nodes; lets them act; heals all or a part; then
/// demands of what is sound convergence, delivery of every event, and completeness.
[[nodiscard]] run_result run_membership_seed(std::uint64_t seed, const run_options& options = {});
/// What it draws.
[[nodiscard]] membership_swarm membership_swarm_of(std::uint64_t seed, const run_options& options);

}  // namespace artillery::sim
