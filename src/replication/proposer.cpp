#include "replication/proposer.hpp"

#include <algorithm>
#include <utility>

#include "artillery/error.hpp"
#include "base/assert.hpp"
#include "base/state_hash.hpp"
#include "base/wire.hpp"
#include "replication/register_mutant.hpp"
#include "replication/voter_state.hpp"

namespace artillery::replication {

proposer::proposer(const proposer_config& config, detail::random random)
    : config_{config},
      random_{random.fork("jitter")},
      voters_{detail::cluster_tag(config.cluster), config.chain, config.voters, config.port},
      self_{config.node, 0},
      incarnation_{random.fork("incarnation").next()},
      next_number_{random.fork("numbers").next()},
      contention_{config.contention},
      polls_{config.resend, random.fork("polls").next()} {
  if (mutant(register_mutation::ballots_without_incarnation)) incarnation_ = 0;
  if (config.genesis != 0) voters_.learn(config.genesis, config.voters);
}

std::error_code proposer::check(const proposer_config& config) noexcept {
  const std::error_code fault = errc::invalid_configuration;
  if (config.node.none() || config.patience <= duration::zero() || config.resend.first <= duration::zero())
    return fault;
  if (config.genesis != 0) {
    if (config.voters.empty()) return fault;
    for (const member& one : config.voters) {
      if (one.id.incarnation == 0) return fault;
    }
  }
  return config.voters.empty() ? std::error_code{} : check(config.voters);
}

std::error_code proposer::check(const std::vector<member>& voters) noexcept {
  const std::error_code fault = errc::invalid_configuration;
  if (voters.empty() || voters.size() > view_replicas_max) return fault;
  for (std::size_t i = 0; i < voters.size(); ++i) {
    if (voters[i].id.node.none() || voters[i].at.none()) return fault;
    for (std::size_t k = 0; k < i; ++k) {
      if (voters[k].id.node == voters[i].id.node || voters[k].at == voters[i].at) return fault;
    }
  }
  return {};
}

void proposer::use_voters(std::vector<member> voters, time_point now, effects<register_event>& out) {
  ARTILLERY_INVARIANT(voters_.size() == 0);
  voters_ = electorate{detail::cluster_tag(config_.cluster), config_.chain, std::move(voters), config_.port};
  round_ = {};
  expire(now, out);
}

void proposer::ask(const replica_id& who, const authority_question& question, time_point now,
                   effects<register_event>& out) {
  self_ = who;
  const time_point deadline = now + config_.patience;
  const bool is_poll =
      std::holds_alternative<authority_renew>(question) || std::holds_alternative<authority_quiet>(question);
  if (is_poll) {
    if (const auto oldest = polls_.make_room()) out.deliver(given_up{*oldest, false});
  }
  if (const auto* renewal = std::get_if<authority_renew>(&question)) {
    polls_.renew(who, *renewal, deadline);
  } else if (const auto* quiet = std::get_if<authority_quiet>(&question)) {
    polls_.ask_quiet(who, *quiet, deadline);
  } else if (questions_.size() == questions_max) {
    ++counters_.dropped;
    return out.deliver(given_up{std::visit([](const auto& one) { return one.id; }, question), false});
  } else if (const auto* read = std::get_if<authority_read>(&question)) {
    waiting_question& asked = questions_.emplace_back();
    asked.id = read->id;
    asked.deadline = deadline;
    if (mutant(register_mutation::read_joins_ballot_under_way)) asked.is_under_way = round_.what >= phase::prepare;
  } else if (const auto* cas = std::get_if<authority_cas>(&question)) {
    waiting_question& asked = questions_.emplace_back();
    asked.id = cas->id;
    asked.is_cas = true;
    asked.expected = cas->expected;
    asked.next = cas->next;
    asked.deadline = deadline;
  }
  expire(now, out);
}

void proposer::forget(question_id question) {
  polls_.cancel(question);
  std::erase_if(questions_, [question](const waiting_question& one) { return one.id == question; });
  if (!is_asked_for()) round_ = {};
}

/// Somebody waits for what the round at hand is made for.
bool proposer::is_asked_for() const noexcept {
  if (round_.what == phase::identify || round_.what == phase::found) return first_ || !voters_.is_known();
  return std::any_of(questions_.begin(), questions_.end(),
                     [](const waiting_question& one) { return one.is_under_way; });
}

void proposer::receive(const connection& from, bytes_view datagram, time_point now, effects<register_event>& out) {
  const auto answer = voters_.take(datagram);
  if (!answer) {
    ++counters_.malformed;
    return;
  }
  const auto voter = voters_.find(answer->voter.node);
  // Two nodes that go by one name, or one that listens where another should: no question would come to who is meant.
  if (const auto there = voters_.find_at(from.peer); there && there != voter) {
    return alarm(voter_alarm::kind::wrong_node, *there, *answer, out);
  }
  if (!voter) return;
  const member& expected = voters_.voters()[*voter];
  if (answer->what != register_question::identify && voters_.is_known()) {
    if (answer->verdict == voter_verdict::other_genesis) alarm(voter_alarm::kind::other_genesis, *voter, *answer, out);
    if (answer->verdict == voter_verdict::other_voter) alarm(voter_alarm::kind::lost, *voter, *answer, out);
    if (answer->verdict == voter_verdict::not_founded && founded_) make_up_for(*voter, out);
    const bool is_that_voter =
        answer->voter.incarnation == expected.id.incarnation || mutant(register_mutation::votes_without_its_disk);
    if (!is_that_voter) return;
  }
  if (answer->what == register_question::renew || answer->what == register_question::report) {
    polls_.take(*answer, voters_, out);
    return;
  }
  if (answer->number != round_.number) return;
  switch (round_.what) {
    case phase::idle: return;
    case phase::identify: met(*voter, *answer, now, out); break;
    case phase::found: taken(*voter, *answer, out); break;
    case phase::prepare: promised(*voter, *answer, now, out); break;
    case phase::accept:
      if (answer->verdict == voter_verdict::no) refused(*voter, *answer, now);
      if (answer->verdict == voter_verdict::yes) round_.yes.add(*voter);
      if (round_.yes.count() >= enough()) chosen({round_.value, round_.at}, now, out);
      break;
  }
  go_on(now, out);
}

void proposer::expire(time_point now, effects<register_event>& out) {
  give_up_late(now, out);
  if (resting_until_ && now >= *resting_until_) {
    resting_until_.reset();
    is_rested_ = true;
  }
  if (round_.what != phase::idle && now >= round_.next_send) resend(now, out);
  go_on(now, out);
  polls_.expire(voters_, now, random_, out);
}

void proposer::give_up_late(time_point now, effects<register_event>& out) {
  std::vector<question_id> swaps;
  std::vector<question_id> reads;
  std::erase_if(questions_, [&](const waiting_question& one) {
    if (now < one.deadline) return false;
    ++counters_.given_up;
    (one.is_cas ? swaps : reads).push_back(one.id);
    return true;
  });
  if (!is_asked_for()) round_ = {};
  for (const question_id id : swaps) {
    out.deliver(authority_answer{authority_cas_done{id, authority_cas_done::outcome::unknown, std::nullopt}});
  }
  for (const question_id id : reads) out.deliver(given_up{id, true});
}

/// Begins what is due next, if nothing is under way.
void proposer::go_on(time_point now, effects<register_event>& out) {
  if (round_.what != phase::idle || resting_until_ || voters_.size() == 0) return;
  if (first_ || (!voters_.is_known() && (!questions_.empty() || !polls_.is_empty())))
    return begin(phase::identify, now, out);
  if (!questions_.empty()) begin_ballot(now, out);
}

std::size_t proposer::enough() const noexcept {
  return voters_.majority() - (mutant(register_mutation::minority_counts) ? 1U : 0U);
}

void proposer::begin(phase what, time_point now, network_effects& out) {
  round_.what = what;
  round_.number = next_number_++;
  round_.yes.clear();
  round_.no.clear();
  round_.again = detail::backoff{config_.resend};
  round_.next_send = now;
  if (what == phase::identify) round_.met.assign(voters_.size(), {});
  if (what == phase::found) founding_until_ = now + config_.patience;
  resend(now, out);
}

/// Says the round's question again to those that have not answered.
void proposer::resend(time_point now, network_effects& out) {
  // Somebody promised another ballot, and the rest has not made a majority: this one will hardly get it.
  if (round_.no.count() > 0) return step_back(now);
  if (round_.what == phase::found && now >= founding_until_) {
    round_ = {};
    return;
  }
  round_.next_send = now + round_.again.next(random_);
  register_request question;
  question.number = round_.number;
  question.asker = self_;
  question.at = round_.at;
  question.value = round_.value;
  switch (round_.what) {
    case phase::idle: return;
    case phase::identify: question.what = register_question::identify; break;
    case phase::found:
      question.what = register_question::found;
      question.genesis = genesis_of(round_.value);
      break;
    case phase::prepare: question.what = register_question::prepare; break;
    case phase::accept: question.what = register_question::accept; break;
  }
  // Who was met before may have been founded since, or have lost its directory.
  const bool asks_again = round_.what == phase::identify;
  voters_.ask_all(question, asks_again ? tally{} : round_.yes, out);
}

std::optional<time_point> proposer::next_deadline() const noexcept {
  std::optional<time_point> next = polls_.next_deadline(voters_);
  const auto at = [&next](time_point when) { next = next ? std::min(*next, when) : when; };
  for (const waiting_question& one : questions_) at(one.deadline);
  if (round_.what != phase::idle) at(round_.next_send);
  if (resting_until_) at(*resting_until_);
  return next;
}

std::uint64_t proposer::hash(time_point now) const {
  detail::state_hash h;
  const auto add_ballot = [&h](const ballot& b) { h.add(b.round).add(b.proposer).add(b.incarnation); };
  h.add(voters_.genesis()).add(highest_round_).add(first_.has_value()).add(has_loose_proposal_).add(alarmed_.bits());
  for (const member& one : voters_.voters()) h.add(one.id.incarnation);
  for (const waiting_question& one : questions_) {
    h.add(one.id).add(one.is_cas).add(one.expected).add(one.deadline, now).add(one.is_under_way).add(one.is_proposed);
    if (one.is_cas) h.add(genesis_of(one.next));
  }
  h.add(round_.what).add(next_number_ - round_.number).add(round_.yes.bits()).add(round_.no.bits()).add(round_.agreed);
  add_ballot(round_.at);
  add_ballot(round_.highest.chosen_in);
  if (round_.value.epoch != 0) h.add(genesis_of(round_.value));
  h.add(round_.highest.view.epoch);
  for (const acquaintance& one : round_.met) h.add(one.incarnation).add(one.genesis);
  if (round_.what != phase::idle) h.add(round_.next_send, now).add(round_.again.failures());
  h.add(resting_until_, now).add(is_rested_).add(contention_.failures()).add(polls_.hash(now));
  return h.value();
}

}  // namespace artillery::replication
