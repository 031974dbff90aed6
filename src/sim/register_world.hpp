#pragma once

#include <cstdint>

#include "sim/run_options.hpp"
#include "sim/run_result.hpp"

namespace artillery::sim {

/// The register that decides views, alone: voters with disks, and members that found it, read it, propose views, renew
/// leases and wait for gates, while datagrams get lost, doubled, late and damaged, disks fail, clocks drift, and hosts
/// crash, pause, sleep and are cut off. Then all is healed, and while a majority of voters is left the register must
/// answer again. The invariants are those of register_checks.hpp. Choices are `register_swarm::fault_events`.
[[nodiscard]] run_result run_register_seed(std::uint64_t seed, const run_options& options = {});

}  // namespace artillery::sim
