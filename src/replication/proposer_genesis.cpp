// Who the voters are: each is met, and either all take a first view, or a majority says which one it holds.
#include <algorithm>
#include <utility>

#include "replication/proposer.hpp"
#include "replication/voter_state.hpp"

namespace artillery::replication {

void proposer::found(view first, time_point now, effects<register_event>& out) {
  first_ = std::move(first);
  if (round_.what != phase::identify) round_ = {};
  for (waiting_question& one : questions_) one.is_under_way = false;
  expire(now, out);
}

std::vector<member> proposer::missing() const {
  std::vector<member> silent;
  for (std::size_t i = 0; first_ && i < voters_.size(); ++i) {
    if (!round_.yes.has(i)) silent.push_back(voters_.voters()[i]);
  }
  return silent;
}

void proposer::met(std::size_t voter, const register_reply& answer, time_point now, effects<register_event>& out) {
  if (answer.what != register_question::identify || answer.verdict != voter_verdict::yes) return;
  const bool is_founded = answer.genesis != 0;
  if (is_founded && !voters_.are_those(answer.value.voters)) {
    return alarm(voter_alarm::kind::voters_disagree, voter, answer, out);
  }
  round_.yes.add(voter);
  round_.met[voter] = {answer.voter.incarnation, answer.genesis, answer.value};
  const std::uint64_t common = common_genesis();
  if (common != 0 && common != answer.genesis && is_founded) {
    alarm(voter_alarm::kind::other_genesis, voter, answer, out);
  }
  if (common == 0) {
    if (first_ && round_.yes.count() == voters_.size()) found_with_all(now, out);
    return;
  }
  const auto witness = std::find_if(round_.met.begin(), round_.met.end(),
                                    [common](const acquaintance& one) { return one.genesis == common; });
  const std::vector<member> theirs = witness->value.voters;
  if (!first_) {
    voters_.learn(common, theirs);
    round_ = {};
    return;
  }
  // It was founded before, whoever is away now or has lost its directory: besides a majority's genesis there is no
  // other.
  view first = *first_;
  first.voters = theirs;
  if (genesis_of(first) != common) return end_founding({founding::outcome::other_genesis, {}, common}, out);
  end_with(std::move(first), out);
}

/// The genesis that a majority of those that were met holds; 0: none.
std::uint64_t proposer::common_genesis() const noexcept {
  for (const acquaintance& one : round_.met) {
    const auto alike = std::count_if(round_.met.begin(), round_.met.end(),
                                     [&one](const acquaintance& other) { return other.genesis == one.genesis; });
    if (one.genesis != 0 && static_cast<std::size_t>(alike) >= voters_.majority()) return one.genesis;
  }
  return 0;
}

/// Every voter was met: the first view names each in the life in which it is.
void proposer::found_with_all(time_point now, effects<register_event>& out) {
  view first = *first_;
  first.voters = voters_.voters();
  for (std::size_t i = 0; i < voters_.size(); ++i) first.voters[i].id.incarnation = round_.met[i].incarnation;
  // In one order, whatever the order in which they are configured: all who found mean the same.
  std::sort(first.voters.begin(), first.voters.end(),
            [](const member& a, const member& b) { return a.id.node < b.id.node; });
  const std::uint64_t genesis = genesis_of(first);
  for (std::size_t i = 0; i < voters_.size(); ++i) {
    const std::uint64_t theirs = round_.met[i].genesis;
    if (theirs == 0 || theirs == genesis) continue;
    return end_founding({founding::outcome::other_genesis, {}, theirs}, out);
  }
  for (std::size_t i = 0; i < voters_.size(); ++i) voters_.meet(i, round_.met[i].incarnation);
  round_ = {};
  round_.value = std::move(first);
  begin(phase::found, now, out);
}

void proposer::taken(std::size_t voter, const register_reply& answer, effects<register_event>& out) {
  if (answer.what != register_question::found) return;
  switch (answer.verdict) {
    case voter_verdict::yes: round_.yes.add(voter); break;
    case voter_verdict::other_genesis: return end_founding({founding::outcome::other_genesis, {}, answer.genesis}, out);
    case voter_verdict::no:
    case voter_verdict::not_founded:
    case voter_verdict::unfit: return end_founding({founding::outcome::unfit, {}, 0}, out);
    case voter_verdict::other_voter: round_ = {}; return;  // met it in an earlier life: once more from the start
  }
  if (round_.yes.count() == voters_.size()) end_with(std::move(round_.value), out);
}

void proposer::end_with(view first, effects<register_event>& out) {
  voters_.learn(genesis_of(first), first.voters);
  founded_ = first;
  end_founding({founding::outcome::founded, std::move(first), voters_.genesis()}, out);
}

/// A voter that was away when the others took the first view takes it now. It is the one that is meant, in the same
/// life: it has voted on nothing yet, and promised nothing.
void proposer::make_up_for(std::size_t voter, network_effects& out) {
  register_request question;
  question.what = register_question::found;
  question.number = next_number_++;
  question.asker = self_;
  question.value = *founded_;
  voters_.ask(voter, std::move(question), out);
}

void proposer::end_founding(founding result, effects<register_event>& out) {
  first_.reset();
  round_ = {};
  out.deliver(std::move(result));
}

void proposer::alarm(voter_alarm::kind what, std::size_t voter, const register_reply& answer,
                     effects<register_event>& out) {
  if (alarmed_.has(voter)) return;
  alarmed_.add(voter);
  out.deliver(voter_alarm{what, voters_.voters()[voter], answer.voter, answer.genesis});
}

}  // namespace artillery::replication
