#include "sim/register_checks.hpp"

#include <algorithm>

namespace artillery::sim {

using replication::ballot;
using replication::view;
using replication::voter_state;

namespace {

constexpr std::size_t violations_max = 20;

std::string text_of(const ballot& b) {
  return std::to_string(b.round) + "/" + std::to_string(b.proposer.low) + "/" + std::to_string(b.incarnation % 1000);
}

bool has_replica(const view& in, const replication::replica_id& who) {
  return std::any_of(in.replicas.begin(), in.replicas.end(),
                     [&who](const replication::member& one) { return one.id == who; });
}

}  // namespace

void register_checks::fail(std::string_view invariant, time_point now, const std::string& what) {
  if (violations_.size() == violations_max) return;
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count();
  violations_.push_back(std::to_string(us) + " us: " + std::string{invariant} + ": " + what);
}

const view* register_checks::view_of(std::uint64_t epoch) const {
  const auto found = chosen_.find(epoch);
  return found == chosen_.end() ? nullptr : &found->second;
}

// --- voters ---

void register_checks::lost_voters_are_silent(std::size_t voter, time_point now) {
  if (voters_[voter].is_lost) fail("lost_voters_are_silent", now, "voter " + std::to_string(voter) + " votes");
}

/// Once a voter said that it promised a ballot, it says yes to none below.
void register_checks::promises_hold(std::size_t voter, const ballot& at, time_point now) {
  ballot& highest = voters_[voter].promised;
  if (at < highest) {
    fail("promises_hold", now,
         "voter " + std::to_string(voter) + " says yes to " + text_of(at) + " after " + text_of(highest));
  }
  highest = std::max(highest, at);
}

void register_checks::founded(std::size_t voter, const view& first, const voter_state& durable, time_point now) {
  const std::uint64_t genesis = replication::genesis_of(first);
  // A voter that was lost before its founding had ended everywhere may be one of another first view.
  if (voters_[voter].is_lost && voters_[voter].genesis != genesis) voters_[voter] = {};
  lost_voters_are_silent(voter, now);
  voters_[voter].genesis = genesis;
  if (!durable.is_founded()) fail("answers_are_durable", now, "a founding, of voter " + std::to_string(voter));
  ballot_record& one = geneses_[genesis];
  one.value = first;
  one.by.add(voter);
  if (voters_[voter].value.epoch == 0) voters_[voter].value = first;
  if (one.is_chosen || one.by.count() < majority_) return;
  one.is_chosen = true;
  note_chosen({}, first, now);
}

void register_checks::promised(std::size_t voter, const ballot& at, const replication::chosen_view& told,
                               const voter_state& durable, time_point now) {
  lost_voters_are_silent(voter, now);
  promises_hold(voter, at, now);
  if (durable.promised < at) fail("answers_are_durable", now, "a promise of voter " + std::to_string(voter));
  if (told.chosen_in < voters_[voter].accepted) {
    fail("promises_tell_all", now,
         "voter " + std::to_string(voter) + " tells of " + text_of(told.chosen_in) + " after it accepted " +
             text_of(voters_[voter].accepted));
  }
  if (told.chosen_in.round != 0) note_vote(voter, told.chosen_in, told.view, now);
}

void register_checks::accepted(std::size_t voter, const ballot& at, const view& value, const voter_state& durable,
                               time_point now) {
  lost_voters_are_silent(voter, now);
  promises_hold(voter, at, now);
  if (durable.accepted < at) fail("answers_are_durable", now, "an acceptance of voter " + std::to_string(voter));
  note_vote(voter, at, value, now);
}

void register_checks::came_back(std::size_t voter, const voter_state& durable, time_point now) {
  if (!durable.is_founded()) return;
  if (durable.accepted.round != 0) return note_vote(voter, durable.accepted, durable.value, now);
  founded(voter, durable.value, durable, now);
}

void register_checks::note_vote(std::size_t voter, const ballot& at, const view& value, time_point now) {
  voter_record& self = voters_[voter];
  if (at >= self.accepted) {
    self.accepted = at;
    self.value = value;
  }
  ballot_record& one = ballots_[at];
  const bool is_new = one.by.count() == 0;
  if (!is_new && one.value != value) fail("one_view_per_ballot", now, "in " + text_of(at));
  one.value = value;
  one.by.add(voter);
  if (one.is_chosen || one.by.count() < majority_) return;
  one.is_chosen = true;
  note_chosen(at, value, now);
}

/// R6: who says yes has accepted no other view since, and has the asker in it.
void register_checks::said_yes(std::size_t voter, const replication::replica_id& asker, std::uint64_t epoch,
                               time_point now) {
  lost_voters_are_silent(voter, now);
  const view& held = voters_[voter].value;
  if (held.epoch != epoch || !has_replica(held, asker)) {
    fail("yes_only_to_members_in_force", now,
         "voter " + std::to_string(voter) + " accepted epoch " + std::to_string(held.epoch) +
             " and says yes to epoch " + std::to_string(epoch));
  }
}

// --- what is chosen ---

void register_checks::note_chosen(const ballot& in, const view& value, time_point now) {
  const auto [place, is_first] = chosen_.try_emplace(value.epoch, value);
  if (!is_first && place->second != value) {
    fail("one_view_per_epoch", now, "epoch " + std::to_string(value.epoch) + ", again in " + text_of(in));
  }
  epochs_follow_ballots(in, value.epoch, now);
  if (!is_first) return;
  if (value.epoch != first_epoch_ && !chosen_.contains(value.epoch - 1)) {
    fail("epochs_are_consecutive", now, "epoch " + std::to_string(value.epoch));
  }
  nothing_void_is_chosen(value, now);
}

void register_checks::epochs_follow_ballots(const ballot& in, std::uint64_t epoch, time_point now) {
  for (const auto& [other, record] : ballots_) {
    if (!record.is_chosen || other == in) continue;
    const bool is_in_order = other < in ? record.value.epoch <= epoch : record.value.epoch >= epoch;
    if (!is_in_order) {
      fail("epochs_follow_ballots", now,
           "epoch " + std::to_string(epoch) + " in " + text_of(in) + ", but " + std::to_string(record.value.epoch) +
               " in " + text_of(other));
    }
  }
}

/// R9, and what a refusal says: after a read that fences, and after a refusal, what was proposed before is void.
std::string_view register_checks::why_void(const asked_id& which, const asked& proposal) const {
  if (proposal.is_refused) return "refusals_are_final";
  for (const auto& [other, read] : questions_) {
    const bool is_later = other.first == which.first && !read.is_cas && read.order > proposal.order;
    if (is_later && read.read_epoch && *read.read_epoch <= proposal.expected) return "reads_fence";
  }
  return {};
}

/// Others may want the very same view, and whoever was told that his attempt is void may try it again.
void register_checks::nothing_void_is_chosen(const view& value, time_point now) {
  std::string_view why;
  for (const auto& [which, proposal] : questions_) {
    if (!proposal.is_cas || proposal.next != value) continue;
    why = why_void(which, proposal);
    if (why.empty()) return;
  }
  if (!why.empty()) fail(why, now, "epoch " + std::to_string(value.epoch) + " is chosen after what voids it");
}

bool register_checks::is_wanted_by_others(const asked& proposal) const {
  return std::count_if(questions_.begin(), questions_.end(), [&proposal](const auto& one) {
           return one.second.is_cas && one.second.next == proposal.next;
         }) > 1;
}

// --- members ---

void register_checks::asked_read(const member_life& who, replication::question_id id) {
  asked& one = questions_[{who, id}];
  one.order = ++orders_[who];
  one.newest_then = newest();
}

void register_checks::asked_cas(const member_life& who, const replication::authority_cas& question) {
  asked& one = questions_[{who, question.id}];
  one.is_cas = true;
  one.order = ++orders_[who];
  one.expected = question.expected;
  one.next = question.next;
}

/// What anybody is told of was chosen, in the ballot that is told, too.
void register_checks::answers_are_chosen(const replication::chosen_view& told, time_point now) {
  const view* chosen = view_of(told.view.epoch);
  if (chosen == nullptr || *chosen != told.view) {
    return fail("answers_are_chosen", now, "epoch " + std::to_string(told.view.epoch) + " is told of");
  }
  if (told.chosen_in == ballot{} && told.view.epoch == first_epoch_) return;
  const auto in = ballots_.find(told.chosen_in);
  if (in == ballots_.end() || !in->second.is_chosen || in->second.value != told.view) {
    fail("answers_are_chosen", now, "not in " + text_of(told.chosen_in));
  }
}

void register_checks::told(const member_life& who, const replication::authority_answer& answer, time_point now) {
  if (const auto* view = std::get_if<replication::authority_view>(&answer)) {
    asked& one = questions_[{who, view->id}];
    answers_are_chosen(view->newest, now);
    one.read_epoch = view->newest.view.epoch;
    if (*one.read_epoch < one.newest_then) {
      fail("reads_are_linearizable", now,
           "epoch " + std::to_string(*one.read_epoch) + " is read, " + std::to_string(one.newest_then) +
               " was chosen before");
    }
  } else if (const auto* done = std::get_if<replication::authority_cas_done>(&answer)) {
    asked& one = questions_[{who, done->id}];
    if (done->now) answers_are_chosen(*done->now, now);
    const auto* chosen = view_of(one.expected + 1);
    const bool is_in_force = chosen != nullptr && *chosen == one.next;
    using outcome = replication::authority_cas_done::outcome;
    if (done->what == outcome::chosen && !is_in_force) fail("swaps_are_chosen", now, "told, and not");
    if (done->what == outcome::refused && is_in_force && !is_wanted_by_others(one))
      fail("refusals_are_final", now, "it was chosen before");
    one.is_refused = done->what == outcome::refused;
  }
}

void register_checks::told_founded(const view& first, time_point now) {
  const auto found = geneses_.find(replication::genesis_of(first));
  const bool is_founded = found != geneses_.end() && found->second.is_chosen;
  if (!is_founded) fail("foundings_are_common", now, "a proposer is told of a founding without a majority");
}

// --- leases and gates ---

/// I6: when the tail of an epoch commits, nobody whom it does not have behind it can answer in an earlier epoch.
void register_checks::no_lease_outlives_gate(const lease& held, time_point now) {
  for (const view& later : opened_) {
    if (later.epoch <= held.epoch || has_replica(later, held.holder)) continue;
    fail("no_lease_outlives_gate", now,
         held.who + " may answer in epoch " + std::to_string(held.epoch) + ", and the tail of epoch " +
             std::to_string(later.epoch) + " is open");
  }
}

void register_checks::opened(const view& in, time_point now) {
  const view* chosen = view_of(in.epoch);
  if (chosen == nullptr || *chosen != in) fail("answers_are_chosen", now, "a tail opens in a view that nobody chose");
  opened_.push_back(in);
}

}  // namespace artillery::sim
