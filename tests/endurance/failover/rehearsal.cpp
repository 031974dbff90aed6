#include "rehearsal.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <utility>

#include "exit_code.hpp"
#include "node/part_configs.hpp"
#include "output/event_text.hpp"

namespace failover {
namespace {

using namespace std::chrono_literals;
using tool::exit_code;
using tool::failure;
using tool::output::field_text;

constexpr std::uint16_t membership_port = 7946;
constexpr std::uint16_t replication_port = 7947;
constexpr artillery::duration start_limit = 60s;
constexpr artillery::duration drop_limit = 20s;
constexpr artillery::duration whole_limit = 60s;

place place_of(const demo::agent& one) {
  place made;
  made.socket = one.socket;
  const auto id = artillery::parse_node_id(one.id);
  const auto at = artillery::parse_endpoint(field_text(one.find("ready")->event, "replication"));
  if (!id || !at) throw failure{exit_code::failed, "agent " + one.name + " does not tell its id and its address"};
  made.replica.id.node = *id;
  made.replica.at = *at;
  return made;
}

artillery::duration lease_with(const std::string& preset) {
  artillery::node_config config;
  config.timings = *artillery::parse_timing_preset(preset);
  return artillery::detail::lease_of(config);
}

}  // namespace

rehearsal::rehearsal(const network& net, demo::agents& crowd, int interrupt, const std::string& preset,
                     std::uint64_t seed)
    : net_{net}, crowd_{crowd}, interrupt_{interrupt}, lease_{lease_with(preset)}, chain_{crowd, replicas} {
  const std::string cluster = "failover-" + std::to_string(::getpid());
  start_agents(cluster, preset);
  artillery::replication::view view;
  view.chain = artillery::detail::chain_of_nodes;
  std::vector<place> places;
  for (const auto& one : crowd_.all()) {
    places.push_back(place_of(*one));
    view.replicas.push_back(places.back().replica);
  }
  traffic_ = std::make_unique<traffic>(cluster, view, std::move(places), seed);
  const artillery::time_point started = artillery::clock::now();
  for (const auto& one : crowd_.all()) wait_until_whole(*one, started);
}

void rehearsal::start_agents(const std::string& cluster, const std::string& preset) {
  const auto at = [&](const std::string& name, std::uint16_t port) {
    return net_.address_of(name) + ":" + std::to_string(port);
  };
  for (const std::string& name : names()) {
    crowd_.start(
        name,
        {"--cluster", cluster, "--bind", at(name, membership_port), "--replication-port",
         std::to_string(replication_port), "--insecure", "--expect", std::to_string(replicas), "--preset", preset},
        net_.prefix_of(name));
  }
  crowd_.wait_until(
      [&] {
        for (const auto& one : crowd_.all()) {
          if (const demo::heard* ready = one->find("ready")) one->id = field_text(ready->event, "id");
        }
        return chain_.is_whole();
      },
      start_limit, "a chain of all agents");
}

std::size_t rehearsal::number_of(const demo::agent& one) const {
  const auto& all = crowd_.all();
  return static_cast<std::size_t>(
      std::find_if(all.begin(), all.end(), [&](const auto& each) { return each.get() == &one; }) - all.begin());
}

fault_account rehearsal::carry_out(const fault& what) {
  artillery::detail::random random{what.draw};
  const auto up_to = [&](artillery::duration most) {
    return artillery::duration{random.below(static_cast<std::uint64_t>(most.count()))};
  };
  pause(lease_ / 2 + up_to(lease_));  // all goes well for a while
  if (!comes_true([&] { return chain_.is_whole(); }, whole_limit))
    throw failure{exit_code::failed, "the chain did not stay whole"};
  demo::agent& victim = chain_.at(what.role);
  const std::size_t number = number_of(victim);
  fault_account came_to;
  came_to.victim = victim.name;
  const artillery::time_point began = artillery::clock::now();
  traffic_->fault_begins(number);
  begin(what, victim);
  if (what.is_short) {
    pause(lease_ + lease_ / 10 + up_to(lease_));
    came_to.was_dropped = comes_true([&] { return chain_.has_dropped(victim); }, {});
  } else {
    came_to.was_dropped = comes_true([&] { return chain_.has_dropped(victim); }, drop_limit);
    came_to.dropped = artillery::clock::now() - began;
    pause(lease_ + up_to(2 * lease_));
  }
  end(what, victim);
  const artillery::time_point ended = artillery::clock::now();
  traffic_->fault_ends();
  wait_until_whole(victim, ended);
  const artillery::time_point whole = artillery::clock::now();
  came_to.whole = whole - ended;
  came_to.shortest = chain_.shortest_since(began);
  came_to.gap = traffic_->longest_gap(began, whole);
  came_to.answered_after = traffic_->answers_after(number, began, ended);
  return came_to;
}

void rehearsal::begin(const fault& what, demo::agent& victim) {
  switch (what.kind) {
    case fault_kind::kill:
      victim.expected_to_end = true;
      victim.process->signal(SIGKILL);
      (void)victim.process->wait();
      return;
    case fault_kind::stop: return victim.process->signal(SIGSTOP);
    case fault_kind::cut:
    case fault_kind::cut_in:
    case fault_kind::cut_out: return net_.cut(victim.name, what.kind);
    case fault_kind::remove: net_.cut(victim.name, what.kind); return remove(victim);
  }
}

void rehearsal::end(const fault& what, demo::agent& victim) {
  switch (what.kind) {
    case fault_kind::kill: return crowd_.restart(victim);
    case fault_kind::stop: return victim.process->signal(SIGCONT);
    case fault_kind::cut:
    case fault_kind::cut_in:
    case fault_kind::cut_out:
    case fault_kind::remove: return net_.heal(victim.name);
  }
}

bool rehearsal::comes_true(const std::function<bool()>& holds, artillery::duration limit) {
  constexpr artillery::duration look_every = 10ms;
  const artillery::time_point deadline = artillery::clock::now() + limit;
  bool is_so = false;
  while (true) {
    // Only to read what they have told by now: not all that is waited for is told by them.
    crowd_.wait_until([&] { return is_so = holds(), true; }, limit, "the agents' output");
    if (is_so || artillery::clock::now() > deadline) return is_so;
    crowd_.require_all_running();
    pause(look_every);
  }
}

void rehearsal::wait_until_whole(const demo::agent& victim, artillery::time_point since) {
  constexpr artillery::duration mend_every = 1s;
  const std::size_t number = number_of(victim);
  const auto goes_on = [&] { return chain_.is_whole() && traffic_->goes_on_since(since, number); };
  do {
    mend();
    if (comes_true(goes_on, mend_every)) {
      removed_ = nullptr;
      return;
    }
  } while (artillery::clock::now() - since < whole_limit);
  throw failure{exit_code::failed, chain_.is_whole() ? "no write was acknowledged, or " + victim.name +
                                                           " answered no read, although the chain is whole"
                                                     : "the chain did not become whole again"};
}

/// What an operator does: a node that comes and goes as often as here is kept out longer and longer, and one that was
/// removed for ever.
void rehearsal::mend() {
  const auto members = chain_.replicas();
  for (const demo::agent* one : members) (void)change(*one, {{"change", "repair"}});
  const bool is_out = removed_ != nullptr && std::find(members.begin(), members.end(), removed_) == members.end();
  if (is_out && !members.empty()) (void)change(*members.back(), {{"change", "add"}, {"node", removed_->id}});
}

void rehearsal::remove(demo::agent& victim) {
  const auto members = chain_.replicas();
  const demo::agent& asked = *(members.front() == &victim ? members.back() : members.front());
  if (!change(asked, {{"change", "remove"}, {"node", victim.id}}))
    throw failure{exit_code::failed, asked.name + " did not remove " + victim.name};
  removed_ = &victim;
}

/// Whether it came about. It may not while the chain is changing anyway.
bool rehearsal::change(const demo::agent& asked, nlohmann::json what) const {
  constexpr artillery::duration patience = 1s;
  what["op"] = "chain";
  try {
    (void)crowd_.connect(asked).request(std::move(what), patience);
    return true;
  } catch (const failure&) {
    return false;
  }
}

void rehearsal::pause(artillery::duration length) const {
  pollfd watched{interrupt_, POLLIN, 0};
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(length).count();
  if (::poll(&watched, 1, static_cast<int>(milliseconds)) > 0) throw failure{exit_code::failed, "interrupted"};
}

}  // namespace failover
