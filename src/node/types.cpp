#include "artillery/node/types.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "node/chain_tags.hpp"

namespace artillery {

namespace {

constexpr std::array<std::pair<timing_preset, std::string_view>, 3> preset_names{
    {{timing_preset::local, "local"}, {timing_preset::lan, "lan"}, {timing_preset::wan, "wan"}}};

constexpr std::size_t value_size_most = std::size_t{64} << 20U;

std::string out_of_range(std::string_view option, std::size_t value, std::size_t least, std::size_t most) {
  return std::string{option} + " is " + std::to_string(value) + "; " + std::to_string(least) + " to " +
         std::to_string(most) + " are allowed";
}

std::string problem_of_tags(const node_config& config) {
  std::size_t size = 0;
  for (const auto& [key, value] : config.tags) {
    if (key == node_config::replica_tag || key == node_config::chain_tag)
      return "tags: the key \"" + key + "\" is the node's own; choose another one";
    size += key.size() + value.size() + 2;
  }
  const std::size_t most = node_config::tags_size_max(config.expect);
  if (size > most) return out_of_range("size of all tags", size, 0, most);
  return {};
}

std::string problem_of_addresses(const node_config& config) {
  if (config.bind.is_multicast()) return "bind is " + to_string(config.bind) + "; a multicast address is not allowed";
  if (config.advertise != endpoint{}) {
    if (config.advertise.is_any() || config.advertise.is_multicast())
      return "advertise is " + to_string(config.advertise) + "; an address that others can talk to is needed";
    if (config.advertise.is_v6() != config.bind.is_v6())
      return "advertise is " + to_string(config.advertise) + "; it must be of the same family as bind, " +
             to_string(config.bind);
  }
  if (config.seeds.size() > membership::config{}.seeds_max)
    return out_of_range("number of seeds", config.seeds.size(), 0, membership::config{}.seeds_max);
  for (const endpoint& seed : config.seeds) {
    if (seed.none() || seed.is_any() || seed.is_multicast())
      return "seeds: " + to_string(seed) + " is not an address that one can talk to, with a port";
  }
  if (config.replication_port != 0 && config.replication_port == config.bind.port())
    return "replication_port is " + std::to_string(config.replication_port) +
           ", the port of bind; membership listens there, choose another one";
  if (config.discover && config.discovery_port == 0)
    return "discovery_port is 0; 1 to 65535 are allowed, the same one at all nodes";
  return {};
}

}  // namespace

std::string_view to_string(timing_preset preset) noexcept {
  for (const auto& [value, name] : preset_names) {
    if (value == preset) return name;
  }
  return {};
}

std::optional<timing_preset> parse_timing_preset(std::string_view text) noexcept {
  for (const auto& [value, name] : preset_names) {
    if (name == text) return value;
  }
  return std::nullopt;
}

std::string_view to_string(read_routing routing) noexcept {
  switch (routing) {
    case read_routing::own_replica: return "own_replica";
    case read_routing::any: return "any";
    case read_routing::round_robin: return "round_robin";
  }
  return {};
}

std::string_view to_string(chain_conflict::reason reason) noexcept {
  switch (reason) {
    case chain_conflict::reason::contradiction: return "contradiction";
    case chain_conflict::reason::member_lost: return "member_lost";
    case chain_conflict::reason::two_chains: return "two_chains";
    case chain_conflict::reason::other_genesis: return "other_genesis";
  }
  return {};
}

std::string_view to_string(chain_state state) noexcept {
  switch (state) {
    case chain_state::waiting: return "waiting";
    case chain_state::confirming: return "confirming";
    case chain_state::formed: return "formed";
    case chain_state::conflict: return "conflict";
  }
  return {};
}

std::size_t node_config::tags_size_max(std::size_t expect) noexcept {
  return membership::tags_size_max - detail::chain_tags_size_max(std::min(expect, expect_max));
}

std::string node_config::validate() const {
  if (cluster.empty() || cluster.size() > cluster_size_max)
    return out_of_range("length of cluster", cluster.size(), 1, cluster_size_max);
  if (name.size() > membership::name_size_max)
    return out_of_range("length of name", name.size(), 0, membership::name_size_max);
  if (expect > expect_max) return out_of_range("expect", expect, 0, expect_max);
  if (value_size_max == 0 || value_size_max > value_size_most)
    return out_of_range("value_size_max", value_size_max, 1, value_size_most);
  if (events_max < 16 || events_max > 1'000'000) return out_of_range("events_max", events_max, 16, 1'000'000);
  if (waiting_calls_max == 0 || waiting_calls_max > 1'000'000)
    return out_of_range("waiting_calls_max", waiting_calls_max, 1, 1'000'000);
  if (std::string problem = problem_of_tags(*this); !problem.empty()) return problem;
  return problem_of_addresses(*this);
}

}  // namespace artillery
