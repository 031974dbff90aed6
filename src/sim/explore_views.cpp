#include "sim/explore_views.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/assert.hpp"
#include "replication/next_view.hpp"
#include "sim/explore_views_names.hpp"

namespace artillery::sim {

using namespace replication;

namespace {

explore_choice pick(explore_choice::kind what, std::size_t place, std::size_t first = 0) {
  return {what, static_cast<std::uint8_t>(place), static_cast<std::uint8_t>(first), 0};
}

std::string letter(std::size_t node) {
  return std::string(1, static_cast<char>('A' + node));
}

}  // namespace

// --- how it begins ---

void views_setup::settle(state& at, std::uint64_t until_epoch) const {
  std::vector<explore_choice> next;
  const auto is_there = [&] {
    return std::all_of(at.nodes.begin(), at.nodes.end(),
                       [&](const auto& each) { return each->core.in_force().epoch >= until_epoch; });
  };
  for (add_arrivals(at, next); !next.empty() && !is_there(); add_arrivals(at, next)) {
    const auto fault = apply(at, next.front());
    ARTILLERY_INVARIANT(!fault);
    next.clear();
  }
}

views_setup::state views_setup::initial() const {
  constexpr std::uint64_t endless = 255;
  state at;
  view genesis;
  genesis.chain = 1;
  genesis.epoch = 1;
  genesis.leases = scope_.leases;
  if (scope_.leases == lease_mode::timed) genesis.lease = lease_length;
  for (std::size_t i = 0; i < scope_.replicas; ++i) {
    genesis.replicas.push_back({first_life(i), explore_network::address_of(i)});
    genesis.readers.push_back(first_life(i));
  }
  at.chosen.push_back(genesis);
  at.answers = explore_answers{scope_.writes, nodes()};
  for (std::size_t i = 0; i < nodes(); ++i) at.nodes.push_back(make(i));
  for (std::size_t i = 0; i < scope_.replicas; ++i) start(at, i);
  settle(at, endless);
  ask_session(at);
  settle(at, endless);
  ARTILLERY_INVARIANT(at.session != 0);
  for (std::size_t i = scope_.replicas; i < nodes(); ++i) start(at, i);
  settle(at, scope_.begins_in == 1 ? endless : scope_.begins_in);
  ARTILLERY_INVARIANT(at.chosen.size() == scope_.begins_in);
  at.reads_left = scope_.reads;
  at.left = scope_.budget;
  return at;
}

// --- what may happen ---

void views_setup::add_arrivals(const state& at, std::vector<explore_choice>& out) const {
  for (std::size_t i = 0; i < at.questions.size(); ++i) {
    const question& one = at.questions[i];
    if (!one.answer && may_decide(at, one)) out.push_back(pick(kind::step, i, step_decide));
    if (one.answer) out.push_back(pick(kind::step, i, step_tell));
  }
  const auto& streams = at.network.streams();
  for (std::size_t i = 0; i < streams.size(); ++i) {
    for (const std::size_t end : {std::size_t{0}, std::size_t{1}}) {
      if (!streams[i].to[end].empty()) out.push_back(pick(kind::deliver, i, end));
    }
  }
  for (std::size_t node = 0; node < nodes(); ++node) {
    if (retries(at, node)) out.push_back(pick(kind::expire, node, expire_retry));
  }
}

void views_setup::add_requests(const state& at, std::vector<explore_choice>& out) const {
  for (std::size_t node = 0; node < nodes(); ++node) {
    if (at.nodes[node] == nullptr) continue;
    const role here = at.nodes[node]->core.status().role;
    const bool is_head = here == role::head || here == role::single;
    if (is_head && at.writes_asked < scope_.writes) out.push_back(pick(kind::ask, at.writes_asked, node));
    for (std::size_t w = 0; is_head && at.left.resends > 0 && w < at.writes_asked; ++w) {
      if (at.answers.waits_for_write(w)) out.push_back(pick(kind::ask, w, node));
    }
    if (here != role::none && here != role::learner && at.reads_left > 0) {
      out.push_back(pick(kind::ask, scope_.writes, node));
    }
  }
}

void views_setup::add_faults(const state& at, std::vector<explore_choice>& out) const {
  for (std::size_t i = 0; at.left.give_ups > 0 && i < at.questions.size(); ++i) {
    const question& one = at.questions[i];
    if (std::holds_alternative<authority_cas>(one.asked) && !one.is_given_up) out.push_back(pick(kind::lose, i));
  }
  for (std::size_t node = 0; node < nodes(); ++node) {
    if (at.nodes[node] == nullptr) continue;
    if (lease_may_fall(at, node)) out.push_back(pick(kind::expire, node, expire_lease));
    if (at.left.crashes > 0) out.push_back(pick(kind::crash, node));
    const core& here = at.nodes[node]->core;
    if (at.left.thaws > 0 && here.opening().is_frozen() && time_may_pass(at, node)) {
      out.push_back(pick(kind::expire, node, expire_freeze));
    }
    if (at.left.doubts == 0 || !is_replica(here.in_force(), here.self())) continue;
    for (const member& each : here.in_force().replicas) {
      const auto other = static_cast<std::size_t>(each.id.node.low - 1);
      if (other != node) out.push_back(pick(kind::hasten, node, other));
    }
  }
}

void views_setup::choices(const state& at, std::vector<explore_choice>& out) const {
  add_arrivals(at, out);
  add_requests(at, out);
  add_faults(at, out);
}

std::optional<std::string> views_setup::check_end(const state& /*at*/) const {
  return std::nullopt;
}

// --- in words ---

std::string views_setup::describe(const state& at, const explore_choice& choice) const {
  switch (choice.what) {
    case kind::step: {
      const question& one = at.questions[choice.place];
      constexpr std::array names{"a read", "a proposal", "a renewal", "a question whether all is quiet"};
      return std::string{choice.first == step_decide ? "the register decides " : "the register's answer to "} +
             names[one.asked.index()] + " of " + letter(one.node) + (choice.first == step_tell ? " arrives" : "");
    }
    case kind::lose: return letter(at.questions[choice.place].node) + " does not hear what became of its proposal";
    case kind::deliver: {
      const explore_network::stream& stream = at.network.streams()[choice.place];
      return letter(stream.node(choice.first)) + " hears " + letter(stream.node(1U - choice.first));
    }
    case kind::expire: {
      constexpr std::array names{"tries again", "loses its lease", "has been frozen for long"};
      return letter(choice.place) + " " + names[choice.first];
    }
    case kind::ask:
      return (choice.place == scope_.writes ? "a read at " : "write " + std::to_string(choice.place) + " to ") +
             letter(choice.first);
    case kind::hasten: return letter(choice.place) + " is told that " + letter(choice.first) + " has failed";
    case kind::crash: return letter(choice.place) + " crashes";
    default: return "nothing";
  }
}

}  // namespace artillery::sim
