// The authority over the views of a small chain, and what must hold of it and of the logs.
#include <algorithm>
#include <utility>

#include "replication/next_view.hpp"
#include "sim/explore_views.hpp"
#include "sim/explore_views_names.hpp"

namespace artillery::sim {

using namespace replication;

// --- the register ---

bool views_setup::holds_lease(const actor& one) noexcept {
  const time_point until = one.core.serving().lease_until;
  return until > one.now && until != time_point::max();
}

/// Whether none of these (nobody named: of all) has a lease of an epoch before this one, nor will have one by a yes
/// that was said.
bool views_setup::are_without_lease(const state& at, const std::vector<replica_id>& whom, std::uint64_t before) {
  const auto is_meant = [&](const replica_id& who) {
    return whom.empty() || std::find(whom.begin(), whom.end(), who) != whom.end();
  };
  for (const auto& each : at.nodes) {
    if (each == nullptr || !is_meant(each->core.self())) continue;
    if (each->core.in_force().epoch < before && holds_lease(*each)) return false;
  }
  return std::none_of(at.questions.begin(), at.questions.end(), [&](const question& each) {
    const auto* renewal = std::get_if<authority_renew>(&each.asked);
    const bool may_count = renewal != nullptr && each.answer && renewal->epoch < before;
    return may_count && std::get<authority_renewed>(*each.answer).yes && is_meant(at.nodes[each.node]->core.self());
  });
}

/// As long as it takes a lease to fall, a tail's gate ends: not before the leases have fallen that it waits for.
bool views_setup::lease_may_fall(const state& at, std::size_t node) {
  if (at.nodes[node] == nullptr || !holds_lease(*at.nodes[node])) return false;
  return time_may_pass(at, node);
}

bool views_setup::time_may_pass(const state& at, std::size_t node) {
  const core& here = at.nodes[node]->core;
  const view& now = here.in_force();
  const bool is_tail = !now.replicas.empty() && now.replicas.back().id == here.self();
  if (!is_tail || here.opening().is_open() || !has_gate(now)) return true;
  std::vector<replica_id> left_out = now.readers;
  std::erase_if(left_out, [&](const replica_id& reader) { return is_replica(now, reader); });
  return are_without_lease(at, left_out, now.epoch);
}

bool views_setup::may_decide(const state& at, const question& one) const {
  const auto* quiet = std::get_if<authority_quiet>(&one.asked);
  if (quiet == nullptr) return true;
  return quiet->chosen_in.round <= at.chosen.size() && are_without_lease(at, quiet->whom, quiet->epoch);
}

void views_setup::decide(state& at, std::size_t which) const {
  question& one = at.questions[which];
  const auto chosen = [](const view& which_one) {
    return chosen_view{which_one, {.round = which_one.epoch, .proposer = {}, .incarnation = 0}};
  };
  const view& newest = at.chosen.back();
  if (const auto* read = std::get_if<authority_read>(&one.asked)) {
    one.answer = authority_view{.id = read->id, .newest = chosen(newest), .fences = scope_.fences};
    for (question& other : at.questions) {
      const auto* cas = std::get_if<authority_cas>(&other.asked);
      const bool is_before = cas != nullptr && other.node == one.node && !other.answer && cas->id < read->id;
      if (scope_.fences && is_before) other.is_void = true;
    }
    std::erase_if(at.questions, [](const question& each) { return each.is_void && each.is_given_up; });
    return;
  }
  if (const auto* renewal = std::get_if<authority_renew>(&one.asked)) {
    const bool yes = renewal->epoch == newest.epoch && is_replica(newest, at.nodes[one.node]->core.self());
    one.answer = authority_renewed{.id = renewal->id, .yes = yes};
    return;
  }
  if (const auto* quiet = std::get_if<authority_quiet>(&one.asked)) {
    one.answer = authority_quieted{.id = quiet->id, .yes = true};
    return;
  }
  using fate = authority_cas_done::outcome;
  const auto cas = std::get<authority_cas>(one.asked);
  if (one.is_void) {
    one.answer = authority_cas_done{.id = cas.id, .what = fate::unknown, .now = {}};
  } else if (cas.expected == newest.epoch) {
    at.chosen.push_back(cas.next);
    one.answer = authority_cas_done{.id = cas.id, .what = fate::chosen, .now = chosen(cas.next)};
  } else {
    one.answer = authority_cas_done{.id = cas.id, .what = fate::refused, .now = chosen(newest)};
  }
  if (one.is_given_up) at.questions.erase(at.questions.begin() + static_cast<std::ptrdiff_t>(which));
}

// --- what must hold ---

/// Which records are committed, as far as it is seen: one at each place.
std::optional<std::string> views_setup::note_commits(state& at, const actor& before, const actor& after) {
  const bool is_same_life = before.core.self() == after.core.self();
  const std::uint64_t first = is_same_life ? before.core.serving().commit : 0;
  const std::uint64_t last = after.core.serving().commit;
  const bool stayed_frozen = before.core.opening().is_frozen() && after.core.opening().is_frozen() &&
                             before.core.counters().freezes == after.core.counters().freezes &&
                             before.core.in_force().epoch == after.core.in_force().epoch;
  if (stayed_frozen && last > first) return "I9: a tail commits while it is frozen";
  for (std::uint64_t seq = first + 1; seq <= last; ++seq) {
    std::uint64_t epoch = 0;
    if (seq == after.core.log().dropped().seq) epoch = after.core.log().dropped().epoch;
    if (before.core.log().holds(seq)) epoch = before.core.log().at(seq).record.epoch;
    for (const auto& other : at.nodes) {
      if (epoch == 0 && other != nullptr && other->core.log().holds(seq))
        epoch = other->core.log().at(seq).record.epoch;
    }
    if (at.committed.size() < seq) at.committed.resize(seq);
    std::uint64_t& known = at.committed[seq - 1];
    if (known == 0) known = epoch;
    if (epoch != 0 && known != epoch) return "I4: two records are committed at one place";
  }
  return std::nullopt;
}

std::optional<std::string> views_setup::check_logs(const state& at) {
  std::map<replica_id, const core*> running;
  for (const auto& each : at.nodes) {
    if (each == nullptr) continue;
    const view& here = each->core.in_force();
    if (here.epoch > at.chosen.size()) return "I1: a view is in force that was not chosen";
    if (here.epoch > 0 && !(here == at.chosen[here.epoch - 1])) return "I1: another view is in force than was chosen";
    running.emplace(each->core.self(), &each->core);
  }
  for (const auto& [who, above] : running) {
    const std::vector<member>& in = above->in_force().replicas;
    const auto place = std::find_if(in.begin(), in.end(), [wanted = who](const member& m) { return m.id == wanted; });
    if (place == in.end() || place + 1 == in.end()) continue;
    const auto below = running.find((place + 1)->id);
    if (below == running.end() || below->second->in_force().epoch != above->in_force().epoch) continue;
    const version last = below->second->log().last();
    if (last.seq > 0 && !above->log().knows(last) && last.seq > above->log().dropped().seq) {
      return "I3: a replica holds what its predecessor does not";
    }
  }
  if (at.committed.empty()) return std::nullopt;
  const version newest{at.committed.back(), at.committed.size()};
  for (const member& each : at.chosen.back().replicas) {
    const auto alive = running.find(each.id);
    const auto over = at.ended.find(each.id);
    if (alive == running.end() && over == at.ended.end()) continue;  // it has not heard of itself yet
    const log& records = alive != running.end() ? alive->second->log() : over->second;
    if (!records.knows(newest)) return "I4: a replica of the newest view lacks what was committed";
  }
  return std::nullopt;
}

/// Once a tail has opened, nobody whom its view leaves out holds a lease of an epoch before.
std::optional<std::string> views_setup::check_leases(const state& at) {
  for (const auto& tail : at.nodes) {
    if (tail == nullptr || !tail->core.opening().is_open()) continue;
    const view& now = tail->core.in_force();
    for (const auto& other : at.nodes) {
      if (other == nullptr || other->core.in_force().epoch >= now.epoch || !holds_lease(*other)) continue;
      if (!is_replica(now, other->core.self())) return "I6: a tail has opened, and who is left out holds a lease";
    }
  }
  return std::nullopt;
}

// --- the state ---

std::uint64_t views_setup::hash_of(const state& at, const question& one) {
  detail::state_hash into;
  into.add(one.node).add(one.answer.has_value()).add(one.is_void).add(one.is_given_up);
  if (one.is_given_up) {
    into.add(one.asked.index());
  } else {
    into.add(at.nodes[one.node]->core.hash_of(one.asked));
  }
  if (const auto* cas = std::get_if<authority_cas>(&one.asked)) hash_view(cas->next, into.add(cas->expected));
  if (const auto* renewal = std::get_if<authority_renew>(&one.asked)) into.add(renewal->epoch);
  if (const auto* quiet = std::get_if<authority_quiet>(&one.asked)) {
    into.add(quiet->epoch).add(quiet->chosen_in.round).add(quiet->whom.size());
    for (const replica_id& each : quiet->whom) into.add(each.node).add(each.incarnation);
  }
  if (!one.answer) return into.value();
  if (const auto* told = std::get_if<authority_view>(&*one.answer)) into.add(told->newest.view.epoch);
  if (const auto* told = std::get_if<authority_cas_done>(&*one.answer)) {
    into.add(told->what).add(told->now ? told->now->view.epoch : 0);
  }
  if (const auto* told = std::get_if<authority_renewed>(&*one.answer)) into.add(told->yes);
  return into.value();
}

void views_setup::hash_view(const view& one, detail::state_hash& into) {
  into.add(one.replicas.size()).add(one.learners.size()).add(one.readers.size());
  for (const auto* list : {&one.replicas, &one.learners}) {
    for (const member& m : *list) into.add(m.id.node).add(m.id.incarnation);
  }
  for (const replica_id& each : one.readers) into.add(each.node).add(each.incarnation);
}

std::uint64_t views_setup::hash(const state& at) const {
  detail::state_hash into;
  for (const auto& each : at.nodes) into.add(each == nullptr ? 0 : each->hash);
  at.network.hash(into);
  // Any of them may be next, so their order tells nothing.
  std::uint64_t questions = 0;
  for (const question& each : at.questions) questions += hash_of(at, each);
  into.add(at.questions.size()).add(questions);
  into.add(at.chosen.size());
  for (const view& each : at.chosen) hash_view(each, into);
  into.add(at.ended.size());
  for (const auto& [who, records] : at.ended) {
    detail::state_hash life = coarse();
    records.hash(life.add(who.node).add(who.incarnation), time_point::max());
    into.add(life.value());
  }
  into.add(at.committed.size());
  for (const std::uint64_t epoch : at.committed) into.add(epoch);
  at.answers.hash(into);
  into.add(at.writes_asked).add(at.reads_left);
  into.add(at.left.doubts).add(at.left.crashes).add(at.left.resends).add(at.left.give_ups).add(at.left.thaws);
  return into.value();
}

}  // namespace artillery::sim
