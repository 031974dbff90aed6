#include <utility>

#include "artillery/error.hpp"
#include "replication/forced_view.hpp"
#include "replication/quorum_binding.hpp"

// Another register takes the place of a lost one: here, when somebody forces it, or somewhere else.

namespace artillery::replication {

void quorum_binding::force(force_call wanted) {
  if (stopped()) return wanted.done(stopped(), forced_register{});
  if (!running()) return wanted.done(errc::not_running, forced_register{});
  if (forcing_ || founding_) return wanted.done(errc::already_running, forced_register{});
  const register_core& here = core().inner();
  if (here.voter() == nullptr || here.voter()->is_silent() || here.proposer().genesis() == 0)
    return wanted.done(errc::not_serving, forced_register{});
  forcing_ = std::move(wanted);
  ask({options.node, 0}, authority_read{},
      authority::read_handler{[this](std::error_code error, const chosen_view&, bool) { force_unless(error); }});
}

/// The voters were asked.
void quorum_binding::force_unless(std::error_code unread) {
  force_call wanted = std::move(*forcing_);
  forcing_.reset();
  forced_register begun;
  const register_core& here = core().inner();
  const force_findings found{.read = unread,
                             .voter = here.voter(),
                             .genesis = here.proposer().genesis(),
                             .told = &here.proposer().newest_told()};
  std::error_code error = objection_to_force(found, wanted.known, wanted.survivor);
  if (!error) error = begin_again(wanted, begun);
  wanted.done(error, std::move(begun));
}

std::error_code quorum_binding::begin_again(const force_call& wanted, forced_register& begun) {
  const voter_state former = core().inner().voter()->state();
  const member voter{{options.node, later_.next()}, wanted.reached_at};
  const std::uint64_t drawn = later_.next();
  auto first = forced_view(wanted.known, wanted.survivor, voter, drawn);
  if (!first || first->chain != options.chain || wanted.reached_at.none() || wanted.reached_at.is_any())
    return errc::invalid_argument;
  const voter_state vote = first_vote(*first);
  std::string kept;
  if (const auto error = writer_->exchange(former, vote, kept)) {
    log(log_level::error, "the vote of another register cannot be written to " + options.directory + ": " +
                              error.message() + "; nothing was forced");
    return error;
  }
  proposer_config config = proposer_config_of(options);
  config.voters = first->voters;
  config.genesis = vote.genesis;
  voters_ = {{voter.id.node, voter.at}};
  founded_with_ = first->voters;
  const detail::random random{later_.next()};
  call([&](watched_register& core, time_point now, effects<register_event>&) {
    core.use([&](register_core& c) { c.begin_again(config, random, vote, now); });
  });
  drop_questions();
  log(log_level::warning, "another register takes the place of the lost one, on the vote of this node alone" +
                              (kept.empty() ? "" : "; what it had to keep for the lost one is in " + kept));
  begun = {std::move(*first), std::move(kept)};
  return {};
}

void quorum_binding::change_voters(std::vector<voter_place> voters) {
  if (voters_.empty()) return use_voters(std::move(voters));
  if (voters == voters_) return;
  const acceptor* voter = core().inner().voter();
  if (founding_ || forcing_ || (voter != nullptr && voter->state().is_founded()))
    return log(log_level::warning, "another chain's voters were dropped: this node votes on its own chain for ever");
  voters_ = std::move(voters);
  proposer_config config = proposer_config_of(options);
  config.voters = as_members(voters_);
  const detail::random random{later_.next()};
  call([&](watched_register& core, time_point, effects<register_event>&) {
    core.use([&](register_core& c) { c.ask_others(config, random); });
  });
  drop_questions();
}

/// Whoever asked the register of before asks again after a while; what it proposed there nobody will ever know.
void quorum_binding::drop_questions() {
  for (const auto& [id, waiting] : std::exchange(asked_, {})) refuse(waiting, errc::outcome_unknown);
}

}  // namespace artillery::replication
