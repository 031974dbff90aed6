#pragma once

#include <cstddef>
#include <cstdint>

#include "sim/run_result.hpp"

namespace artillery::sim {

struct membership_run_options {
  std::size_t nodes_max = 16;  ///< the seed draws how many, mostly few
};

/// One seed: draws which faults there are, how strong, and how many nodes; lets them act; heals; then demands
/// convergence, delivery of every event, and completeness.
[[nodiscard]] run_result run_membership_seed(std::uint64_t seed, const membership_run_options& options = {});

}  // namespace artillery::sim
