#include "replication/epoch_polls.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/state_hash.hpp"
#include "replication/register_mutant.hpp"

namespace artillery::replication {

namespace {

/// The id of polls that nobody waits for: only a planted mistake has them.
constexpr question_id nobodys = 0;

}  // namespace

epoch_polls::poll& epoch_polls::add(question_id id, register_question what, const replica_id& who, std::uint64_t epoch,
                                    time_point deadline) {
  poll one;
  one.id = id;
  one.what = what;
  one.number = next_number_++;
  one.who = who;
  one.epoch = epoch;
  one.deadline = deadline;
  one.again = detail::backoff{again_};
  return polls_.emplace_back(std::move(one));
}

std::optional<question_id> epoch_polls::make_room() {
  if (polls_.size() < polls_max) return std::nullopt;
  const question_id oldest = polls_.front().id;
  polls_.erase(polls_.begin());
  return oldest == nobodys ? std::nullopt : std::optional{oldest};
}

void epoch_polls::renew(const replica_id& who, const authority_renew& question, time_point deadline) {
  add(question.id, register_question::renew, who, question.epoch, deadline);
}

void epoch_polls::ask_quiet(const replica_id& who, const authority_quiet& question, time_point deadline) {
  tally early;
  for (const poll& earlier : polls_) {
    if (earlier.id == nobodys && earlier.epoch == question.epoch) early = earlier.yes;
  }
  poll& one = add(question.id, register_question::report, who, question.epoch, deadline);
  one.chosen_in = question.chosen_in;
  one.at_least = question.quiet;
  if (question.whom.size() <= report_whom_max) one.whom = question.whom;
  one.yes = early;
}

void epoch_polls::ask_before_adoption(const replica_id& who, const view& proposed, time_point deadline) {
  constexpr std::int64_t million = 1'000'000;
  const std::int64_t drift = proposed.drift_ppm;
  poll& one = add(nobodys, register_question::report, who, proposed.epoch, deadline);
  one.at_least = proposed.lease * (million + drift) / (million - drift);
}

void epoch_polls::cancel(question_id question) {
  std::erase_if(polls_, [question](const poll& one) { return one.id == question; });
}

void epoch_polls::expire(electorate& voters, time_point now, detail::random& random, effects<register_event>& out) {
  for (std::size_t i = 0; i < polls_.size();) {
    poll& one = polls_[i];
    if (now < one.deadline) {
      ++i;
      continue;
    }
    // Who asked how long it has been wants to know that it is not yet enough.
    const bool is_report = one.what == register_question::report;
    const question_id id = one.id;
    polls_.erase(polls_.begin() + static_cast<std::ptrdiff_t>(i));
    if (id == nobodys) continue;
    out.deliver(is_report ? register_event{authority_answer{authority_quieted{id, false}}}
                          : register_event{given_up{id, true}});
  }
  if (!voters.is_known()) return;
  for (poll& one : polls_) {
    if (one.next_send && now < *one.next_send) continue;
    one.next_send = now + one.again.next(random);
    register_request question;
    question.what = one.what;
    question.number = one.number;
    question.asker = one.who;
    question.epoch = one.epoch;
    question.whom = one.whom;
    voters.ask_all(question, one.yes, out);
  }
}

void epoch_polls::count(poll& one, const register_reply& answer, std::size_t voter) noexcept {
  if (one.what == register_question::renew) {
    if (answer.verdict == voter_verdict::yes) one.yes.add(voter);
    if (answer.verdict == voter_verdict::no) one.no.add(voter);
    return;
  }
  // A voter that accepted a lower ballot may yet accept, in another low one, the epoch before, and say yes to it again.
  const bool is_by_epoch_alone =
      mutant(register_mutation::reports_of_any_ballot) || mutant(register_mutation::reports_before_adoption);
  const bool has_accepted = is_by_epoch_alone ? answer.epoch >= one.epoch : answer.at >= one.chosen_in;
  // One that is quiet now stays so: an earlier report of it counts, too.
  if (answer.verdict == voter_verdict::yes && has_accepted && answer.quiet >= one.at_least) one.yes.add(voter);
}

/// Nothing: not decided yet.
std::optional<authority_answer> epoch_polls::answer_to(const poll& one, const electorate& voters) noexcept {
  const bool is_renewal = one.what == register_question::renew;
  const bool is_one_less =
      mutant(is_renewal ? register_mutation::renews_by_minority : register_mutation::reports_by_minority);
  const bool has_majority = one.yes.count() >= voters.majority() - (is_one_less ? 1U : 0U);
  if (!is_renewal)
    return has_majority ? std::optional{authority_answer{authority_quieted{one.id, true}}} : std::nullopt;
  if (has_majority) return authority_renewed{one.id, true};
  if (voters.is_lost(one.no)) return authority_renewed{one.id, false};
  return std::nullopt;
}

void epoch_polls::take(const register_reply& answer, const electorate& voters, effects<register_event>& out) {
  const auto voter = voters.find(answer.voter.node);
  auto one = std::find_if(polls_.begin(), polls_.end(), [&answer](const poll& each) {
    return each.what == answer.what && each.number == answer.number;
  });
  if (mutant(register_mutation::reply_to_earlier_question) && !polls_.empty()) one = std::prev(polls_.end());
  if (!voter || one == polls_.end() || one->what != answer.what) return;
  count(*one, answer, *voter);
  auto said = one->id == nobodys ? std::nullopt : answer_to(*one, voters);
  if (!said) return;
  polls_.erase(one);
  out.deliver(std::move(*said));
}

std::optional<time_point> epoch_polls::next_deadline(const electorate& voters) const noexcept {
  std::optional<time_point> next;
  const auto at = [&next](time_point when) { next = next ? std::min(*next, when) : when; };
  for (const poll& one : polls_) {
    at(one.deadline);
    if (voters.is_known()) at(one.next_send.value_or(time_point{}));
  }
  return next;
}

std::uint64_t epoch_polls::hash(time_point now) const {
  detail::state_hash h;
  for (const poll& one : polls_) {
    h.add(one.id).add(one.what).add(next_number_ - one.number).add(one.who.node).add(one.who.incarnation);
    h.add(one.epoch).add(one.chosen_in.round).add(one.chosen_in.proposer).add(one.chosen_in.incarnation);
    h.add(one.at_least).add(one.deadline, now).add(one.next_send, now).add(one.again.failures());
    h.add(one.yes.bits()).add(one.no.bits()).add(one.whom.size());
    for (const replica_id& each : one.whom) h.add(each.node).add(each.incarnation);
  }
  return h.value();
}

}  // namespace artillery::replication
