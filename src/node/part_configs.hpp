#pragma once

#include "artillery/discovery/types.hpp"
#include "artillery/membership/types.hpp"
#include "artillery/node/types.hpp"
#include "artillery/replication.hpp"
#include "artillery/replication/quorum_authority.hpp"

// What a node's configuration means for each of its parts.

namespace artillery::detail {

/// The chain that nodes form; there is one.
inline constexpr std::uint64_t chain_of_nodes = 1;

/// `given` with what it leaves open filled in: its id, `kept` or a fresh one, its name, and a log sink that is called
/// by one part at a time.
[[nodiscard]] node_config completed(node_config given, const node_id& kept);

[[nodiscard]] discovery::config discovery_config_of(const node_config& node);
[[nodiscard]] membership::config membership_config_of(const node_config& node);
[[nodiscard]] replication::replica_config replica_config_of(const node_config& node, std::uint64_t incarnation);
[[nodiscard]] replication::replica_options replica_options_of(const node_config& node);
[[nodiscard]] replication::quorum_config quorum_config_of(const node_config& node, std::string directory);
/// How long a right to read lasts: as long as the death of a node takes to be noticed, about.
[[nodiscard]] duration lease_of(const node_config& node) noexcept;
[[nodiscard]] replication::client_config client_config_of(const node_config& node, std::vector<endpoint> replicas);

/// What a node announces: its membership, under its own id.
[[nodiscard]] discovery::service service_of(const node_config& node, const endpoint& membership);

/// A number that no other life of any node has, and that is above those of this node's earlier lives.
[[nodiscard]] std::uint64_t draw_incarnation();

}  // namespace artillery::detail
