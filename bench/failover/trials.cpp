#include "trials.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <functional>
#include <optional>

#include "artillery/endpoint.hpp"
#include "artillery/node_id.hpp"
#include "exit_code.hpp"
#include "longest_gap.hpp"
#include "output/event_text.hpp"
#include "scratch.hpp"
#include "told_views.hpp"

namespace failover {

using artillery::clock;
using artillery::time_point;
using demo::agent;
using demo::all_told;
using demo::heard;
using demo::ids_of;
using demo::newest_view;
using nlohmann::json;
using tool::exit_code;
using tool::failure;
using tool::output::field_text;
using namespace std::chrono_literals;

namespace {

constexpr artillery::duration patience = 30s;
/// Answers are counted from a little before, so that the gap has a beginning.
constexpr artillery::duration steady = 100ms;

artillery::node_id id_in(const std::string& text) {
  return artillery::parse_node_id(text).value_or(artillery::node_id{});
}

/// When a first of the others reported that it is gone.
std::optional<time_point> first_report(demo::agents& crowd, const agent& gone, time_point since) {
  std::optional<time_point> first;
  for (const agent* one : crowd.living()) {
    for (const char* what : {"failed", "left"}) {
      const heard* found = one->find(
          what, [&](const json& event) { return field_text(event.value("member", json::object()), "id") == gone.id; },
          since);
      if (found != nullptr && (!first || found->at < *first)) first = found->at;
    }
  }
  return first;
}

}  // namespace

std::string_view to_string(place where) noexcept {
  switch (where) {
    case place::head: return "head";
    case place::middle: return "middle";
    case place::tail: return "tail";
  }
  return {};
}

trials::trials(const std::string& program, const std::string& directory, int interrupt)
    : crowd_{program, directory, interrupt} {
  const std::string cluster = "failover-" + std::to_string(::getpid());
  const std::uint16_t port = demo::free_discovery_port();
  for (const char* name : {"a", "b", "c"}) crowd_.start(name, cluster, port, replicas);
  const auto formed = [this] {
    const auto living = crowd_.living();
    return std::all_of(living.begin(), living.end(), [](const agent* one) { return one->find("chain_formed"); });
  };
  crowd_.wait_until(formed, patience, "the chain to be formed");
  std::vector<artillery::endpoint> places;
  for (agent* one : crowd_.living()) {
    const json& ready = one->find("ready")->event;
    one->id = field_text(ready, "id");
    if (const auto at = artillery::parse_endpoint(field_text(ready, "replication"))) places.push_back(*at);
  }
  load_ = std::make_unique<pulse>(cluster, std::move(places));
  for (const agent* one : crowd_.living()) load_->read_at(id_in(one->id));
}

agent& trials::agent_at(place where) {
  const auto ids = ids_of(newest_view(*crowd_.living().front()));
  if (ids.size() != replicas) throw failure{exit_code::failed, "the chain has not three replicas"};
  const std::string& wanted = ids[static_cast<std::size_t>(where)];
  for (const auto& one : crowd_.all()) {
    if (one->id == wanted) return *one;
  }
  throw failure{exit_code::failed, "the chain has a replica that nobody started: " + wanted};
}

void trials::end(agent& victim, ending how) {
  victim.expected_to_end = true;
  victim.process->signal(how == ending::killed ? SIGKILL : SIGTERM);
}

sample trials::run(ending how, place where) {
  sample made{.how = how,
              .where = where,
              .detection = {},
              .view = {},
              .opening = {},
              .gap = {},
              .read_gap = {},
              .whole = {},
              .join_gap = {}};
  load_->forget();
  if (!load_->wait_for_write_after(clock::now() + steady, patience))
    throw failure{exit_code::failed, "writes do not go on before the trial"};
  agent& victim = agent_at(where);
  const time_point ended = clock::now();
  end(victim, how);
  const auto without = [&](const json& event) {
    const auto ids = ids_of(event);
    return std::find(ids.begin(), ids.end(), victim.id) == ids.end();
  };
  crowd_.wait_until([&] { return all_told(crowd_, victim, without, ended).has_value(); }, patience,
                    "a chain without " + victim.name);
  const time_point viewed = *all_told(crowd_, victim, without, ended);
  if (!load_->wait_for_write_after(viewed, patience))
    throw failure{exit_code::failed, "no write was acknowledged without " + victim.name};
  const time_point went_on = clock::now();
  // A view may come of a broken connection, before members report the failure: then it was what detected it.
  const time_point reported = std::min(first_report(crowd_, victim, ended).value_or(viewed), viewed);
  made.detection = reported - ended;
  made.view = viewed - reported;
  made.opening = went_on - viewed;
  made.gap = demo::longest_gap(load_->writes(), ended, went_on);
  for (const agent* one : crowd_.living()) {
    made.read_gap = std::max(made.read_gap, demo::longest_gap(load_->reads_at(id_in(one->id)), ended, went_on));
  }
  (void)victim.process->wait();
  bring_back(victim, made);
  return made;
}

void trials::bring_back(agent& victim, sample& into) {
  const time_point started = clock::now();
  crowd_.restart(victim);
  // A node that ends again and again is kept out for ever longer: not here, where that is the point.
  for (const agent* one : crowd_.living()) {
    if (one != &victim) (void)crowd_.connect(*one).request({{"op", "chain"}, {"change", "repair"}}, patience);
  }
  const auto complete = [](const json& event) { return ids_of(event).size() == replicas; };
  crowd_.wait_until([&] { return all_told(crowd_, victim, complete, started).has_value(); }, patience,
                    victim.name + " to be a replica again");
  const time_point whole = *all_told(crowd_, victim, complete, started);
  if (!load_->wait_for_write_after(whole, patience))
    throw failure{exit_code::failed, "no write was acknowledged after " + victim.name + " came back"};
  into.whole = whole - started;
  into.join_gap = demo::longest_gap(load_->writes(), started, clock::now());
  const auto serves = [&] { return victim.find("chain_formed", {}, started) != nullptr; };
  crowd_.wait_until(serves, patience, victim.name + " to use the chain");
}

}  // namespace failover
