#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "artillery/endpoint.hpp"

// What nodes that form a chain tell each other, in two tags of membership.

namespace artillery::detail {

/// The value of `node_config::replica_tag`: "192.0.2.1:7000 0123456789abcdef 3 7001".
struct replica_tag {
  endpoint at;                    ///< where its replica listens
  std::uint64_t incarnation = 0;  ///< drawn at each start from 2^64: names one life of a node, in lists too
  std::size_t expect = 0;         ///< how many nodes it wants in the chain
  std::uint16_t voter_port = 0;   ///< of its part in the register, UDP, at the same address; 0 when it expects nobody

  friend bool operator==(const replica_tag&, const replica_tag&) = default;
};

/// Incarnations, head … tail. 17 bytes for each where ids would take 33: seven of them have to fit into a member's
/// tags.
using chain_list = std::vector<std::uint64_t>;

/// The value of `node_config::chain_tag`. Before there is a chain: the list that the node confirmed,
/// "0123456789abcdef,fedcba9876543210". Of a node that votes on a chain or is a replica of it: by what it was founded,
/// "genesis 0123456789abcdef".
struct chain_tag {
  chain_list list;
  std::uint64_t genesis = 0;  ///< 0: none yet, and `list` is not empty

  friend bool operator==(const chain_tag&, const chain_tag&) = default;
};

[[nodiscard]] std::string to_string(const replica_tag& tag);
[[nodiscard]] std::string to_string(const chain_tag& tag);

/// Read what `to_string` writes; nothing for anything else, also when the values make no sense: no port, incarnation 0
/// or twice, fewer than two replicas or more than can be expected.
[[nodiscard]] std::optional<replica_tag> parse_replica_tag(std::string_view text);
[[nodiscard]] std::optional<chain_tag> parse_chain_tag(std::string_view text);

/// What the tags of a node that expects `expect` take at most, keys included, as membership counts.
[[nodiscard]] std::size_t chain_tags_size_max(std::size_t expect) noexcept;

}  // namespace artillery::detail
