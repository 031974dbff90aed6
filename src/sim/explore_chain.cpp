#include "sim/explore_chain.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "sim/chain_checks.hpp"

namespace artillery::sim {

namespace {

explore_choice choice_of(explore_choice::kind what, std::size_t place, std::size_t first = 0, std::size_t second = 0) {
  return {what, static_cast<std::uint8_t>(place), static_cast<std::uint8_t>(first), static_cast<std::uint8_t>(second)};
}

void spend(std::uint8_t& budget) {
  if (budget != chain_budget::unlimited) --budget;
}

}  // namespace

// --- what may happen ---

void chain_setup::add_arrivals(const state& at, std::vector<explore_choice>& out) const {
  const auto& streams = at.network.streams();
  for (std::size_t i = 0; i < streams.size(); ++i) {
    for (const std::size_t end : {std::size_t{0}, std::size_t{1}}) {
      if (!streams[i].to[end].empty()) out.push_back(choice_of(kind::deliver, i, end));
    }
  }
  for (std::size_t i = 0; i < scope_.replicas; ++i) {
    const replica_actor* replica = running(at, i);
    if (replica != nullptr && replica->unsent) out.push_back(choice_of(kind::step, i, step_flush));
  }
  for (std::size_t i = 0; i < at.stepping.size(); ++i) {
    if (at.stepping[i].at != stepping_read::phase::waiting) out.push_back(choice_of(kind::step, i, step_read));
  }
  for (std::size_t node = 0; at.left.retries > 0 && node < nodes(); ++node) {
    if (retries(at, node)) out.push_back(choice_of(kind::expire, node, expire_retry));
  }
}

void chain_setup::add_requests(const state& at, std::vector<explore_choice>& out) const {
  if (at.writes_asked < scope_.writes.size() && at.clients.front() != nullptr) {
    out.push_back(choice_of(kind::ask, ask_write));
  }
  // All reads are alike, so it does not matter which of them is asked for: the next one.
  for (std::size_t i = 0; at.reads_asked < scope_.reads && i < scope_.replicas; ++i) {
    if (!scope_.steps_reads || running(at, i) != nullptr) out.push_back(choice_of(kind::ask, ask_read, i));
  }
}

void chain_setup::add_faults(const state& at, std::vector<explore_choice>& out) const {
  const auto& streams = at.network.streams();
  for (std::size_t i = 0; at.left.cuts > 0 && i < streams.size(); ++i) {
    const explore_network::stream& s = streams[i];
    if (s.over[0] || s.over[1]) continue;
    for (std::size_t first = 0; first <= s.to[0].size(); ++first) {
      for (std::size_t second = 0; second <= s.to[1].size(); ++second) {
        out.push_back(choice_of(kind::cut, i, first, second));
      }
    }
  }
  for (std::size_t node = 0; node < nodes(); ++node) {
    const bool may_crash = is_replica(node)
                               ? at.left.replica_crashes > 0 && !at.down[node]
                               : at.left.client_crashes > 0 && node == scope_.replicas && at.clients.front() != nullptr;
    if (may_crash) {
      out.push_back(choice_of(kind::crash, node, 1));
      out.push_back(choice_of(kind::crash, node, 0));
    }
    const bool may_restart = is_replica(node) && at.down[node] && at.strangers[node] == nullptr;
    if (may_restart && at.left.restarts > 0) out.push_back(choice_of(kind::restart, node));
    if (at.left.hastened > 0 && deadline(at, node) && !retries(at, node)) out.push_back(choice_of(kind::hasten, node));
  }
}

void chain_setup::choices(const state& at, std::vector<explore_choice>& out) const {
  add_arrivals(at, out);
  const bool idle = out.empty();
  add_requests(at, out);
  if (idle && at.left.idle > 0 && !settled(at)) {
    for (std::size_t node = 0; node < nodes(); ++node) {
      if (deadline(at, node)) out.push_back(choice_of(kind::expire, node, expire_idle));
    }
  }
  add_faults(at, out);
}

// --- what happens then ---

std::optional<std::string> chain_setup::apply(state& at, const explore_choice& choice) const {
  outcome came_to;
  switch (choice.what) {
    case kind::deliver: {
      const explore_network::stream& stream = at.network.streams()[choice.place];
      const std::size_t node = stream.node(choice.first);
      const connection from = stream.as_seen_at(choice.first);
      receive(at, node, from, at.network.take(choice.place, choice.first), came_to);
      break;
    }
    case kind::step:
      if (choice.first == step_flush) {
        flush(at, choice.place, came_to);
      } else {
        step(at, choice.place, came_to);
      }
      break;
    case kind::expire:
      spend(choice.first == expire_idle ? at.left.idle : at.left.retries);
      expire(at, choice.place, came_to);
      break;
    case kind::hasten:
      spend(at.left.hastened);
      expire(at, choice.place, came_to);
      break;
    case kind::ask: ask(at, choice, came_to); break;
    case kind::cut:
      spend(at.left.cuts);
      at.network.cut(choice.place, choice.first, choice.second);
      break;
    case kind::crash:
      spend(is_replica(choice.place) ? at.left.replica_crashes : at.left.client_crashes);
      crash(at, choice.place, choice.first != 0);
      break;
    case kind::restart:
      spend(at.left.restarts);
      restart(at, choice.place, came_to);
      break;
    case kind::lose:
    case kind::duplicate: break;  // of datagrams, and there are none
  }
  return judge(at, came_to);
}

std::optional<std::string> chain_setup::judge(state& at, const outcome& came_to) const {
  if (came_to.fault) return came_to.fault;
  if (!at.down[0]) {
    if (auto fault = at.monitor.observe(at.members[0]->core.log())) return fault;
  }
  if (auto fault = check_members(at)) return fault;
  std::uint64_t held_by_all = ~std::uint64_t{0};
  for (const auto& each : at.members) held_by_all = std::min(held_by_all, each->core.log().last_seq());
  for (const read_answer& answer : came_to.reads) {
    const auto number = static_cast<std::size_t>(answer.request);
    std::erase_if(at.stepping, [&](const stepping_read& read) { return read.operation == number; });
    if (answer.error) {
      at.monitor.abandoned(number);
    } else if (auto fault = at.monitor.read_answered(number, answer.result, held_by_all)) {
      return fault;
    }
  }
  for (const write_answer& answer : came_to.writes) {
    const auto number = static_cast<std::size_t>(answer.request);
    if (number >= scope_.writes.size()) continue;  // the one that opened the session
    if (answer.error) {
      at.monitor.abandoned(number);
    } else if (auto fault = at.monitor.write_answered(number, scope_.writes[number], answer.result, held_by_all)) {
      return fault;
    }
  }
  return std::nullopt;
}

std::optional<std::string> chain_setup::check_members(const state& at) const {
  chain_members members(scope_.replicas);
  for (std::size_t i = 0; i < scope_.replicas; ++i) {
    const auto& member = at.members[i];
    members[i].objects = {member, &member->objects};
    look_at(member->core, members[i]);
  }
  for (const auto check :
       {check_prefix_order, check_equal_prefixes, check_commit_order, check_committed_held_by_all, check_no_hole}) {
    if (auto fault = check(members)) return fault;
  }
  return settled(at) ? check_converged(members) : std::nullopt;
}

/// Everything is whole, nothing is under way, nobody waits.
bool chain_setup::settled(const state& at) const {
  const std::size_t members = scope_.replicas;
  const auto present = static_cast<std::size_t>(
      std::count_if(at.clients.begin(), at.clients.end(), [](const auto& client) { return client != nullptr; }));
  const std::size_t links = 2 * (members - 1) + members * present;
  return std::none_of(at.down.begin(), at.down.end(), [](bool down) { return down; }) && at.network.quiet() &&
         at.network.streams().size() == links && !at.monitor.waits() &&
         std::none_of(at.members.begin(), at.members.end(), [](const auto& each) { return each->unsent; });
}

/// Goes on as an ordinary run does until nothing is left to happen by itself.
void chain_setup::settle(state& at) const {
  std::vector<explore_choice> next;
  for (add_arrivals(at, next); !next.empty(); add_arrivals(at, next)) {
    const auto fault = apply(at, next.front());
    ARTILLERY_INVARIANT(!fault);
    next.clear();
  }
}

std::optional<std::string> chain_setup::check_end(const state& at) const {
  const bool whole = std::none_of(at.down.begin(), at.down.end(), [](bool down) { return down; });
  if (whole && !settled(at)) return "the chain is whole, time has passed, and somebody still waits";
  return std::nullopt;
}

std::uint64_t chain_setup::hash(const state& at) const {
  detail::state_hash into;
  for (const auto& each : at.members) into.add(each->hash);
  for (const auto& each : at.strangers) into.add(each == nullptr ? 0 : each->hash);
  for (const auto& each : at.clients) into.add(each == nullptr ? 0 : each->hash);
  for (const bool down : at.down) into.add(down);
  at.network.hash(into);
  at.monitor.hash(into);
  into.add(at.stepping.size());
  for (const stepping_read& read : at.stepping) {
    into.add(read.operation).add(read.replica).add(read.at).add(read.noted.epoch).add(read.noted.commit);
    into.add(read.found.version.seq);
  }
  const chain_budget& left = at.left;
  into.add(at.writes_asked).add(at.reads_asked).add(left.cuts).add(left.client_crashes).add(left.replica_crashes);
  into.add(left.restarts).add(left.hastened).add(left.idle).add(left.retries);
  return into.value();
}

}  // namespace artillery::sim
