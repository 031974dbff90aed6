#pragma once

#include <cstdint>

#include "sim/run_result.hpp"

namespace artillery::sim {

struct discovery_options {
  /// Everything drawn, but no faults: what must hold on a quiet link is then demanded, too.
  bool quiet = false;
};

/// One link with a few hosts that announce, browse, seek, change and withdraw services while datagrams get lost,
/// doubled, late and damaged and hosts crash, pause and are cut off; then everything heals, and the picture of every
/// host must become right. The invariants are those of discovery_checks.hpp.
[[nodiscard]] run_result run_discovery_seed(std::uint64_t seed, const discovery_options& options);

}  // namespace artillery::sim
