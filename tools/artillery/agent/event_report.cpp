#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "agent/report.hpp"
#include "byte_json.hpp"
#include "notation.hpp"

namespace tool::agent {

namespace {

using artillery::node_id;
using nlohmann::json;

namespace membership = artillery::membership;
namespace discovery = artillery::discovery;
namespace replication = artillery::replication;

/// One overload for each alternative of `node_event`, and of those within it.
struct event_reporter {
  node_id self;

  [[nodiscard]] report member(std::string_view what, const membership::member& who) const {
    return {"member", {{"event", what}, {"member", member_report(who, self)}}};
  }
  report operator()(const membership::joined& happened) const { return member("joined", happened.member); }
  report operator()(const membership::suspected& happened) const { return member("suspected", happened.member); }
  report operator()(const membership::recovered& happened) const { return member("recovered", happened.member); }
  report operator()(const membership::failed& happened) const { return member("failed", happened.member); }
  report operator()(const membership::left& happened) const {
    report made = member("left", happened.member);
    if (!happened.reason.empty()) made.event["reason"] = bytes_to_json(happened.reason);
    return made;
  }
  report operator()(const membership::updated& happened) const { return member("updated", happened.member); }
  report operator()(const membership::conflict& happened) const {
    report made = member("conflict", happened.second);
    made.event["with"] = member_report(happened.first, self);
    return made;
  }
  report operator()(const membership::user_event& happened) const {
    return {"user",
            {{"event", "user"},
             {"origin", artillery::to_string(happened.origin)},
             {"topic", bytes_to_json(happened.topic)},
             {"payload", bytes_to_json(happened.payload.text())},
             {"lamport", happened.lamport}}};
  }
  report operator()(const membership::message& happened) const {
    return {"user",
            {{"event", "message"},
             {"origin", artillery::to_string(happened.origin)},
             {"topic", bytes_to_json(happened.topic)},
             {"payload", bytes_to_json(happened.payload.text())}}};
  }
  report operator()(const membership::query& happened) const {
    return {"user",
            {{"event", "query"},
             {"origin", artillery::to_string(happened.origin)},
             {"topic", bytes_to_json(happened.topic)},
             {"payload", bytes_to_json(happened.payload.text())},
             {"number", happened.number},
             {"timeout_ms", std::chrono::duration_cast<std::chrono::milliseconds>(happened.timeout).count()}}};
  }
  report operator()(const membership::gap& happened) const {
    return {"user",
            {{"event", "gap"},
             {"origin", artillery::to_string(happened.origin)},
             {"first", happened.first},
             {"count", happened.count}}};
  }
  report operator()(const membership::paused& happened) const {
    return {
        "agent",
        {{"event", "paused"}, {"ms", std::chrono::duration_cast<std::chrono::milliseconds>(happened.length).count()}}};
  }
  report operator()(const membership::moved& happened) const {
    return {
        "agent",
        {{"event", "moved"}, {"before", address_report(happened.before)}, {"after", address_report(happened.after)}}};
  }
  report operator()(const membership::overflow& happened) const {
    return {"agent", {{"event", "overflow"}, {"lost", happened.lost}}};
  }
  report operator()(const membership::event& happened) const { return std::visit(*this, happened); }

  [[nodiscard]] static report service(std::string_view what, const discovery::service& service, const node_id& node) {
    json endpoints = json::array();
    for (const auto& at : service.endpoints) endpoints.push_back(address_report(at));
    return {"discovery",
            {{"event", what},
             {"name", bytes_to_json(service.name)},
             {"node", artillery::to_string(node)},
             {"endpoints", std::move(endpoints)}}};
  }
  report operator()(const discovery::found& happened) const {
    return service("service_found", happened.what, happened.node);
  }
  report operator()(const discovery::updated& happened) const {
    return service("service_updated", happened.what, happened.node);
  }
  report operator()(const discovery::lost& happened) const {
    report made = service("service_lost", happened.what, happened.node);
    made.event["reason"] = discovery::to_string(happened.reason);
    return made;
  }
  report operator()(const discovery::overflow& happened) const {
    return {"agent", {{"event", "overflow"}, {"lost", happened.events_lost}}};
  }
  report operator()(const discovery::isolated&) const { return {"discovery", {{"event", "discovery_isolated"}}}; }
  report operator()(const discovery::connected&) const { return {"discovery", {{"event", "discovery_connected"}}}; }
  report operator()(const discovery::event& happened) const { return std::visit(*this, happened); }

  report operator()(const replication::event& happened) const {
    if (happened.what == replication::event::kind::overflow)
      return {"agent", {{"event", "overflow"}, {"lost", happened.lost}}};
    json event{{"event", name_of(happened.what)}, {"epoch", happened.epoch}};
    if (!happened.other.node.none()) event["other"] = artillery::to_string(happened.other.node);
    return {"chain", std::move(event)};
  }
  static std::string_view name_of(replication::event::kind kind);

  report operator()(const artillery::node_started& happened) const {
    return {"agent",
            {{"event", "started"},
             {"id", artillery::to_string(happened.id)},
             {"membership", address_report(happened.membership)},
             {"replication", address_report(happened.replication)}}};
  }
  [[nodiscard]] static report chain(std::string_view what, const replication::view& view, replication::role here) {
    return {"chain",
            {{"event", what},
             {"epoch", view.epoch},
             {"role", role_report(here)},
             {"replicas", replicas_report(view.replicas)},
             {"learners", replicas_report(view.learners)}}};
  }
  report operator()(const artillery::chain_formed& happened) const {
    return chain("chain_formed", happened.view, happened.here);
  }
  report operator()(const artillery::chain_changed& happened) const {
    return chain("chain_changed", happened.view, happened.here);
  }
  report operator()(const artillery::chain_conflict& happened) const {
    json nodes = json::array();
    for (const node_id& one : happened.nodes) nodes.push_back(artillery::to_string(one));
    return {"chain",
            {{"event", "chain_conflict"},
             {"reason", artillery::to_string(happened.why)},
             {"nodes", std::move(nodes)},
             {"explanation", happened.explanation}}};
  }
  report operator()(const artillery::node_overflow& happened) const {
    return {"agent", {{"event", "overflow"}, {"lost", happened.lost}}};
  }
};

std::string_view event_reporter::name_of(replication::event::kind kind) {
  using event_kind = replication::event::kind;
  switch (kind) {
    case event_kind::listening: return "replica_listening";
    case event_kind::serving: return "replica_serving";
    case event_kind::learning: return "replica_learning";
    case event_kind::removed: return "replica_removed";
    case event_kind::displaced: return "replica_displaced";
    case event_kind::not_serving: return "replica_not_serving";
    case event_kind::chain_stopped: return "chain_stopped";
    case event_kind::chain_resumed: return "chain_resumed";
    case event_kind::fenced: return "replica_fenced";
    case event_kind::overflow: return "overflow";
  }
  return "replica_serving";
}

}  // namespace

report event_report(const artillery::node_event& event, const node_id& self) {
  report made = std::visit(event_reporter{self}, event);
  made.event["time"] = time_text();
  return made;
}

}  // namespace tool::agent
