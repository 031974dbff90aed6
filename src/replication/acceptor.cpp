#include "replication/acceptor.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/state_hash.hpp"
#include "replication/register_mutant.hpp"

namespace artillery::replication {

namespace {

bool is_listed(const std::vector<member>& members, const replica_id& who) noexcept {
  return std::any_of(members.begin(), members.end(), [&who](const member& one) { return one.id == who; });
}

/// Renewals and reports tell of the moment at which they are answered, so their answers are not made in advance.
bool is_answered_late(register_question what) noexcept {
  return what == register_question::renew || what == register_question::report;
}

}  // namespace

acceptor::acceptor(std::uint32_t cluster, voter_state durable, time_point started)
    : cluster_{cluster}, state_{std::move(durable)}, started_{started} {
  if (mutant(register_mutation::forgets_promise_on_restart)) state_.promised = state_.accepted;
}

void acceptor::receive(const connection& from, bytes_view datagram, time_point now, network_effects& out) {
  if (is_silent_) return;
  std::error_code error;
  auto question = decode_register_request(datagram, cluster_, error);
  if (!question) {
    ++counters_.malformed;
    return;
  }
  if (question->chain != state_.chain) {
    ++counters_.other_chain;
    return;
  }
  if (waiting_.size() >= waiting_max) {
    ++counters_.overflows;
    return;
  }
  take(from, std::move(*question), now, out);
}

void acceptor::take(const connection& from, register_request question, time_point now, network_effects& out) {
  register_reply answer = reply_to(question);
  answer.verdict = fence(question);
  const bool is_for_us = answer.verdict == voter_verdict::yes;
  if (!is_for_us) ++counters_.strangers;
  if (is_for_us && is_answered_late(question.what)) {
    if (!is_settled()) {
      waiting_.push_back({last_, from, std::move(question), std::nullopt});
      return;
    }
    question.what == register_question::renew ? renew(question, answer, now) : report(question, answer, now);
  }
  if (is_for_us) {
    switch (question.what) {
      case register_question::identify: answer.value = state_.value; break;
      case register_question::found: found(question, answer); break;
      case register_question::prepare: prepare(question, answer); break;
      case register_question::accept: accept(question, answer); break;
      case register_question::renew:
      case register_question::report: break;
    }
  }
  if (std::exchange(is_changed_, false)) persist(out);
  if (is_settled() || mutant(register_mutation::answers_before_persisted)) {
    send(from, answer, out);
  } else {
    waiting_.push_back({last_, from, std::move(question), std::move(answer)});
  }
}

void acceptor::completed(operation op, std::error_code error, time_point now, network_effects& out) {
  if (is_silent_) return;
  if (error && !mutant(register_mutation::votes_after_failed_write)) {
    is_silent_ = true;
    waiting_.clear();
    return;
  }
  durable_ = op;
  while (!waiting_.empty() && waiting_.front().after <= durable_) {
    waiting_answer next = std::move(waiting_.front());
    waiting_.pop_front();
    if (next.answer) {
      send(next.to, *next.answer, out);
    } else {
      take(next.to, std::move(next.question), now, out);
    }
  }
}

/// Yes: the question is for this voter.
voter_verdict acceptor::fence(const register_request& question) const noexcept {
  if (question.what == register_question::identify) return voter_verdict::yes;
  const bool is_this_life =
      question.voter == state_.self.incarnation || mutant(register_mutation::votes_without_its_disk);
  if (!is_this_life) return voter_verdict::other_voter;
  if (question.what == register_question::found) return voter_verdict::yes;
  if (!state_.is_founded()) return voter_verdict::not_founded;
  return question.genesis == state_.genesis ? voter_verdict::yes : voter_verdict::other_genesis;
}

/// The first view, in the ballot below all others. All voters take it or the chain is not founded: so a voter that has
/// none later is one that lost its disk, and never takes another.
void acceptor::found(const register_request& question, register_reply& answer) {
  const view& first = question.value;
  if (state_.is_founded()) {
    if (question.genesis != state_.genesis) answer.verdict = voter_verdict::other_genesis;
    return;
  }
  const bool names_this_voter =
      is_listed(first.voters, state_.self) || mutant(register_mutation::votes_without_its_disk);
  if (first.chain != state_.chain || first.epoch != 1 || question.genesis != genesis_of(first) || !names_this_voter) {
    answer.verdict = voter_verdict::unfit;
    return;
  }
  state_.genesis = question.genesis;
  state_.value = first;
  answer.genesis = state_.genesis;
  changed();
}

void acceptor::prepare(const register_request& question, register_reply& answer) {
  if (question.at < state_.promised) {
    ++counters_.refusals;
    answer.verdict = voter_verdict::no;
    answer.at = state_.promised;
    return;
  }
  if (question.at > state_.promised) {
    state_.promised = question.at;
    ++counters_.promises;
    changed();
  }
  answer.at = state_.accepted;
  answer.value = state_.value;
}

void acceptor::accept(const register_request& question, register_reply& answer) {
  const bool is_promised_away = question.at < state_.promised && !mutant(register_mutation::accepts_below_promise);
  if (is_promised_away) {
    ++counters_.refusals;
    answer.verdict = voter_verdict::no;
    answer.at = state_.promised;
    return;
  }
  // A ballot carries one view; and what the genesis fixed stays.
  const bool is_other_view = question.at == state_.accepted && question.value != state_.value;
  if (is_other_view || !is_same_register(question.value, state_.value)) {
    answer.verdict = voter_verdict::unfit;
    return;
  }
  if (question.at == state_.accepted) return;
  if (mutant(register_mutation::yes_forgotten_on_accept) && question.value.epoch != state_.value.epoch) yeses_.clear();
  state_.promised = question.at;
  state_.accepted = question.at;
  state_.value = question.value;
  ++counters_.accepts;
  changed();
}

void acceptor::renew(const register_request& question, register_reply& answer, time_point now) {
  answer.epoch = state_.value.epoch;
  const bool is_in_force = question.epoch == state_.value.epoch ||
                           (question.epoch < state_.value.epoch && mutant(register_mutation::renews_older_epoch));
  const bool is_member = is_listed(state_.value.replicas, question.asker) ||
                         mutant(register_mutation::renews_strangers) ||
                         (question.epoch < state_.value.epoch && mutant(register_mutation::renews_older_epoch));
  if (!is_in_force || !is_member) {
    ++counters_.renewals_refused;
    answer.verdict = voter_verdict::no;
    return;
  }
  ++counters_.renewals;
  note_yes(question.asker, question.epoch, now);
}

void acceptor::report(const register_request& question, register_reply& answer, time_point now) {
  ++counters_.reports;
  answer.at = state_.accepted;
  answer.epoch = state_.value.epoch;
  answer.quiet = quiet_before(question.epoch, question.whom, now);
}

void acceptor::note_yes(const replica_id& who, std::uint64_t epoch, time_point now) {
  // Nobody needs its earlier yes to this epoch or a later one any more: this one counts wherever that does.
  std::erase_if(yeses_, [&](const last_yes& earlier) { return earlier.who == who && earlier.epoch >= epoch; });
  yeses_.push_back({who, epoch, now});
  if (yeses_.size() <= yeses_max) return;
  forgotten_ = yeses_.front().at;
  yeses_.erase(yeses_.begin());
}

/// How long there was no yes to any of these, or to anybody, to an epoch before `epoch`. What an earlier process of
/// this voter said is not known: it may have said yes until the moment at which this one started.
duration acceptor::quiet_before(std::uint64_t epoch, const std::vector<replica_id>& whom,
                                time_point now) const noexcept {
  time_point last = mutant(register_mutation::restart_forgets_yes) ? time_point{} : started_;
  last = std::max(last, forgotten_);
  for (const last_yes& yes : yeses_) {
    const bool is_asked_for = whom.empty() || std::find(whom.begin(), whom.end(), yes.who) != whom.end();
    if (is_asked_for && yes.epoch < epoch) last = std::max(last, yes.at);
  }
  return std::max(now - last, duration::zero());
}

register_reply acceptor::reply_to(const register_request& question) const {
  register_reply answer;
  answer.what = question.what;
  answer.number = question.number;
  answer.chain = state_.chain;
  answer.genesis = state_.genesis;
  answer.voter = state_.self;
  return answer;
}

void acceptor::persist(network_effects& out) {
  const std::array file{bytes::copy(encode_voter(state_))};
  out.persist(++last_, file);
}

void acceptor::send(const connection& to, const register_reply& answer, network_effects& out) {
  encode(scratch_, cluster_, answer);
  out.send(to, scratch_);
}

std::uint64_t acceptor::hash(time_point now) const {
  detail::state_hash h;
  h.add(encode_voter(state_)).add(started_, now).add(last_ - durable_).add(is_silent_);
  for (const last_yes& yes : yeses_) {
    h.add(yes.who.node).add(yes.who.incarnation).add(yes.epoch).add(yes.at, now);
  }
  h.add(forgotten_, now);
  std::vector<std::byte> encoded;
  for (const waiting_answer& each : waiting_) {
    h.add(each.after - durable_).add(each.to.number).add(each.to.peer);
    encode(encoded, cluster_, each.question);
    h.add(encoded);
    h.add(each.answer.has_value());
    if (each.answer) encode(encoded, cluster_, *each.answer);
    h.add(encoded);
  }
  return h.value();
}

}  // namespace artillery::replication
