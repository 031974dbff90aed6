#pragma once

#include "artillery/discovery/types.hpp"
#include "artillery/membership/types.hpp"
#include "artillery/node/types.hpp"
#include "artillery/replication.hpp"

// What a node's configuration means for each of its parts.

namespace artillery::detail {

/// The chain that nodes form; there is one.
inline constexpr std::uint64_t chain_of_nodes = 1;

/// `given` with what it leaves open filled in: its id and name, and a log sink that is called by one part at a time.
[[nodiscard]] node_config completed(node_config given);

[[nodiscard]] discovery::config discovery_config_of(const node_config& node);
[[nodiscard]] membership::config membership_config_of(const node_config& node);
[[nodiscard]] replication::replica_config replica_config_of(const node_config& node, std::uint64_t incarnation);
[[nodiscard]] replication::replica_options replica_options_of(const node_config& node);
[[nodiscard]] replication::client_config client_config_of(const node_config& node, std::vector<endpoint> replicas);

/// What a node announces: its membership, under its own id.
[[nodiscard]] discovery::service service_of(const node_config& node, const endpoint& membership);

/// A number that no other life of any node has.
[[nodiscard]] std::uint64_t draw_incarnation();

}  // namespace artillery::detail
