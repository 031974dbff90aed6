#include "agent/report.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "byte_json.hpp"
#include "notation.hpp"

namespace tool::agent {

using artillery::node_id;
using nlohmann::json;

json address_report(const artillery::endpoint& at) {
  return at.none() ? json(nullptr) : json(artillery::to_string(at));
}

std::string_view role_report(artillery::replication::role here) {
  using artillery::replication::role;
  switch (here) {
    case role::none: return "none";
    case role::head: return "head";
    case role::middle: return "middle";
    case role::tail: return "tail";
    case role::single: return "single";
    case role::learner: return "learner";
  }
  return "none";
}

json replicas_report(const std::vector<artillery::replication::member>& all) {
  json replicas = json::array();
  for (const auto& one : all)
    replicas.push_back({{"id", artillery::to_string(one.id.node)}, {"address", address_report(one.at)}});
  return replicas;
}

namespace {

/// Null: it was not measured.
json round_trip_report(artillery::duration round_trip) {
  if (round_trip == artillery::duration::zero()) return nullptr;
  return std::chrono::duration_cast<std::chrono::microseconds>(round_trip).count();
}

}  // namespace

json member_report(const artillery::membership::member& member, const node_id& self) {
  json tags = json::object();
  for (const auto& [key, value] : member.tags) tags[key] = bytes_to_json(value);
  return {{"id", artillery::to_string(member.id)},
          {"name", bytes_to_json(member.name)},
          {"address", address_report(member.at)},
          {"state", artillery::membership::to_string(member.state)},
          {"incarnation", member.incarnation},
          {"boot", member.boot},
          {"self", member.id == self},
          {"round_trip_us", round_trip_report(member.round_trip)},
          {"tags", std::move(tags)}};
}

namespace {

std::string_view tail_report(artillery::replication::tail_state state) {
  using artillery::replication::tail_state;
  switch (state) {
    case tail_state::none: return "none";
    case tail_state::gated: return "gated";
    case tail_state::open: return "open";
    case tail_state::frozen: return "frozen";
  }
  return "none";
}

json milliseconds_until(artillery::time_point when) {
  using std::chrono::milliseconds;
  const artillery::time_point now = artillery::clock::now();
  if (when <= now) return 0;  // there may have been none ever: as far back as the clock can say
  return std::chrono::duration_cast<milliseconds>(when - now).count();
}

/// What the replica here knows of its chain beyond the view.
json replica_report(const artillery::replication::replica_status& replica) {
  using artillery::replication::tail_state;
  json made{{"epoch", replica.epoch},
            {"last", replica.last},
            {"commit", replica.commit},
            {"dirty_objects", replica.dirty_objects},
            {"window_bytes", replica.window_bytes},
            {"sessions", replica.sessions},
            {"stopped", replica.stopped},
            {"short_of_replicas", replica.short_of_replicas},
            {"successor_up", replica.successor_up},
            {"tail", tail_report(replica.tail)}};
  const bool endless = replica.lease_until == artillery::time_point::max();
  made["lease_ms"] = endless ? json(nullptr) : milliseconds_until(replica.lease_until);
  if (replica.tail == tail_state::gated) made["opens_in_ms"] = milliseconds_until(replica.opens_at);
  made["learners"] = json::array();
  for (const auto& one : replica.learners)
    made["learners"].push_back({{"id", artillery::to_string(one.id.node)},
                                {"connected", one.connected},
                                {"has_checkpoint", one.has_checkpoint},
                                {"lag", one.lag}});
  made["candidates"] = replicas_report(replica.candidates);
  return made;
}

}  // namespace

json status_report(const artillery::node& node) {
  const artillery::node_status status = node.status();
  const auto& replica = status.replica;
  json chain{{"state", artillery::to_string(status.chain)}, {"remark", status.chain_remark}};
  if (const auto view = node.chain()) {
    chain["epoch"] = view->epoch;
    chain["role"] = role_report(replica.role);
    chain["replicas"] = replicas_report(view->replicas);
    chain["learners"] = replicas_report(view->learners);
    chain["voters"] = replicas_report(view->voters);
  }
  return {{"id", artillery::to_string(status.id)},
          {"name", bytes_to_json(status.name)},
          {"cluster", bytes_to_json(status.cluster)},
          {"running", status.running},
          {"membership", address_report(status.membership)},
          {"replication", address_report(status.replication)},
          {"members", status.members},
          {"expect", status.expect},
          {"chain", std::move(chain)},
          {"replica", replica_report(replica)}};
}

json counters_report(const artillery::node& node) {
  json counters = json::object();
  node.metrics([&counters](std::string_view name, std::uint64_t value) { counters[std::string{name}] = value; });
  return counters;
}

}  // namespace tool::agent
