#pragma once

#include <cstdint>

#include "sim/run_options.hpp"
#include "sim/run_result.hpp"

namespace artillery::sim {

/// Runs a chain on a static view, with clients and with readers in the replicas' own processes, under drawn faults;
/// then heals as much of it as must make progress, and demands that it does, or, where a replica is gone, that the
/// chain says so and clean objects are read. Checks every invariant of docs/replication.md that exists without view
/// changes: those of the members after every event, those of histories at the end.
[[nodiscard]] run_result run_chain_seed(std::uint64_t seed, const run_options& options = {});

}  // namespace artillery::sim
