#pragma once

#include <cstdint>

#include "sim/run_result.hpp"

namespace artillery::sim {

/// What the caller may fix of a seed's run; everything else is drawn from the seed.
struct chain_options {
  std::uint32_t operations_max = 300;  ///< per client
  bool search_always = false;          ///< the black-box search for every seed, not for one in four
};

/// Runs a chain of 1 … 4 replicas on a static view with 1 … 3 clients under drawn faults, then heals it and demands
/// that all comes to an end; checks every invariant of docs/replication.md that exists without view changes.
[[nodiscard]] run_result run_chain_seed(std::uint64_t seed, const chain_options& options = {});

}  // namespace artillery::sim
