#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "replication/core.hpp"
#include "sim/view_checks.hpp"

namespace artillery::sim {

/// What there is to see of a chain whose view changes.
struct chain_in_sight {
  const replication::view& newest;
  const std::map<replication::replica_id, replica_life>& lives;
  std::size_t wanted = 0;                       ///< replicas
  std::vector<const replication::core*> cores;  ///< by host, of which the first is node 1; null: down
};

/// The chain is as long as it can be, and all its replicas know the same view and hold the same, committed.
[[nodiscard]] bool is_at_rest(const chain_in_sight& seen);

/// What the replicas of a chain at rest do not have in common, if anything.
[[nodiscard]] std::optional<std::string> difference_at_rest(const chain_in_sight& seen);

/// For a person: what keeps a chain from coming to rest.
[[nodiscard]] std::string unrest(const chain_in_sight& seen);

}  // namespace artillery::sim
