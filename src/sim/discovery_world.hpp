#pragma once

#include <cstdint>

#include "sim/discovery_swarm.hpp"
#include "sim/run_options.hpp"
#include "sim/run_result.hpp"

namespace artillery::sim {

/// The cluster of all hosts but the strangers.
inline constexpr const char* discovery_cluster = "sim";

/// One link with a few hosts that announce, browse, seek, change and withdraw services while datagrams get lost,
/// doubled, late and damaged, strangers talk across, and hosts crash, pause, are cut off and come back with wrong
/// clocks; then everything heals, and the picture of every host must become right. The invariants are those of
/// discovery_checks.hpp and discovery_wire_checks.hpp. A seed without any fault demands more: see
/// `discovery_swarm::quiet`. Choices are numbered as in `discovery_swarm::choices`.
[[nodiscard]] run_result run_discovery_seed(std::uint64_t seed, const run_options& options = {});
/// What it draws.
[[nodiscard]] discovery_swarm discovery_swarm_of(std::uint64_t seed, const run_options& options);

}  // namespace artillery::sim
