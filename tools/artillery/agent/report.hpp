#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "artillery/node.hpp"

/// What the agent tells of its node, as JSON. docs/command.md lists the members.
namespace tool::agent {

/// An event of a kind that can be asked for: "member", "user", "discovery", "chain" or "agent".
struct report {
  std::string_view kind;
  nlohmann::json event;
};

/// `host:port`, or null for none.
[[nodiscard]] nlohmann::json address_report(const artillery::endpoint& at);
[[nodiscard]] std::string_view role_report(artillery::replication::role here);
[[nodiscard]] nlohmann::json replicas_report(const std::vector<artillery::replication::member>& all);
[[nodiscard]] nlohmann::json member_report(const artillery::membership::member& member, const artillery::node_id& self);
[[nodiscard]] nlohmann::json status_report(const artillery::node& node);
/// All figures by their names.
[[nodiscard]] nlohmann::json counters_report(const artillery::node& node);

[[nodiscard]] report event_report(const artillery::node_event& event, const artillery::node_id& self);

}  // namespace tool::agent
