// Reads and compare-and-swaps: a ballot is prepared, what the promises tell is read, and a view is accepted.
#include <algorithm>
#include <utility>

#include "replication/proposer.hpp"
#include "replication/register_mutant.hpp"
#include "replication/voter_state.hpp"

namespace artillery::replication {

/// A ballot above all that were heard of, for the question that has waited longest; reads that came next, one after
/// another, are answered along with a read. (Not those behind a compare-and-swap: it has yet to be proposed.)
void proposer::begin_ballot(time_point now, network_effects& out) {
  for (waiting_question& one : questions_) {
    if (one.is_cas && &one != &questions_.front()) break;
    one.is_under_way = true;
    if (one.is_cas) break;
  }
  ++highest_round_;
  ++counters_.ballots;
  round_ = {};
  newest_told_ = {};
  round_.at = {highest_round_, config_.node, incarnation_};
  begin(phase::prepare, now, out);
}

void proposer::promised(std::size_t voter, const register_reply& answer, time_point now, effects<register_event>& out) {
  if (answer.verdict == voter_verdict::no) return refused(voter, answer, now);
  if (answer.verdict != voter_verdict::yes || round_.yes.has(voter)) return;
  round_.yes.add(voter);
  highest_round_ = std::max(highest_round_, answer.at.round);
  if (answer.value.epoch > newest_told_.epoch) newest_told_ = answer.value;
  const bool is_first = round_.agreed == 0;
  const bool takes_any = mutant(register_mutation::ignores_ballots_of_values);
  if (is_first || answer.at > round_.highest.chosen_in || takes_any) {
    round_.highest = {answer.value, answer.at};
    round_.agreed = 1;
  } else if (answer.at == round_.highest.chosen_in) {
    ++round_.agreed;
  }
  if (round_.yes.count() >= enough()) decide(now, out);
}

void proposer::refused(std::size_t voter, const register_reply& answer, time_point now) {
  round_.no.add(voter);
  highest_round_ = std::max(highest_round_, answer.at.round);
  if (voters_.is_lost(round_.no)) step_back(now);
}

/// Another proposer has a higher ballot. Who only learns from that how high ballots are by now tries again at once:
/// after a rest they have moved on, and it would be late for ever where others ask all the time. Then, and where a
/// proposal was under way, it leaves the other one some time.
void proposer::step_back(time_point now) {
  ++counters_.contentions;
  const bool tries_at_once = round_.what == phase::prepare && is_rested_;
  is_rested_ = false;
  round_ = {};
  if (!tries_at_once) resting_until_ = now + contention_.next(random_);
  for (waiting_question& one : questions_) one.is_under_way = false;
}

/// A majority has promised: no lower ballot can choose anything any more, and what one may have chosen was told.
void proposer::decide(time_point now, effects<register_event>& out) {
  const chosen_view found = round_.highest;
  const bool is_chosen = round_.agreed >= enough() || mutant(register_mutation::answers_unfinished_read);
  const auto front =
      std::find_if(questions_.begin(), questions_.end(), [](const waiting_question& one) { return one.is_under_way; });
  if (front == questions_.end()) {
    round_ = {};
    return;
  }
  const bool may_swap =
      front->is_cas && (found.view.epoch == front->expected || (mutant(register_mutation::ignores_accepted_values) &&
                                                                found.view.epoch <= front->expected + 1));
  if (may_swap && is_same_register(front->next, found.view) && front->next.epoch == front->expected + 1) {
    front->is_proposed = true;
    return propose(front->next, now, out);
  }
  // All told of one ballot: it was chosen in that, and nothing was in a higher one before this one was prepared. But a
  // voter that was not heard may hold what this process proposed once, and a later ballot would find it there: only
  // what a majority accepts above it keeps that from being chosen.
  const bool fences = !has_loose_proposal_ || mutant(register_mutation::short_read_fences);
  if (is_chosen && fences) {
    ++counters_.short_reads;
    return chosen(found, now, out);
  }
  propose(found.view, now, out);
}

void proposer::propose(const view& value, time_point now, effects<register_event>& out) {
  round_.value = value;
  const bool is_new = value.epoch > round_.highest.view.epoch;
  if (is_new) has_loose_proposal_ = true;
  if (is_new && mutant(register_mutation::reports_before_adoption)) {
    polls_.ask_before_adoption(self_, value, now + config_.patience);
  }
  begin(phase::accept, now, out);
}

void proposer::chosen(const chosen_view& value, time_point now, effects<register_event>& out) {
  // In the ballot of this very process, above all of its others: they are void, or were the way here.
  if (value.chosen_in == round_.at) has_loose_proposal_ = false;
  round_ = {};
  contention_.reset();
  is_rested_ = true;
  std::vector<authority_answer> answers;
  std::erase_if(questions_, [&](waiting_question& one) {
    if (!one.is_under_way) return false;
    one.is_under_way = false;
    auto answer = answer_to(one, value);
    answers.push_back(std::move(answer));
    return true;
  });
  for (authority_answer& each : answers) out.deliver(std::move(each));
  go_on(now, out);
}

authority_answer proposer::answer_to(const waiting_question& question, const chosen_view& value) {
  if (!question.is_cas) return authority_view{question.id, value, true};
  using outcome = authority_cas_done::outcome;
  if (value.view == question.next) return authority_cas_done{question.id, outcome::chosen, value};
  // Two epochs on, what was proposed here may have been the one between.
  const bool may_have_been = question.is_proposed && value.view.epoch > question.expected + 1;
  if (may_have_been) return authority_cas_done{question.id, outcome::unknown, std::nullopt};
  return authority_cas_done{question.id, outcome::refused, value};
}

}  // namespace artillery::replication
