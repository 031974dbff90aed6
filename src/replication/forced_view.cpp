#include "replication/forced_view.hpp"

#include <algorithm>

#include "artillery/error.hpp"
#include "replication/mutant.hpp"
#include "replication/next_view.hpp"

namespace artillery::replication {

namespace {

// An epoch: how often a chain took the place of another, what was drawn then, and the steps since. 53 bits in all, so
// that whoever reads it as a double, as many readers of JSON do, reads the same.
constexpr unsigned step_bits = 24;
constexpr unsigned drawn_bits = 20;
constexpr std::uint64_t generation_max = 511;

bool leaves_out(const view& later, const view& known, const replica_id& survivor) noexcept {
  return later.epoch > known.epoch && !is_replica(later, survivor);
}

}  // namespace

bool may_go_on(const view& known, const replica_id& survivor, const view& vote, const view& told) noexcept {
  return is_replica(known, survivor) && !leaves_out(vote, known, survivor) && !leaves_out(told, known, survivor);
}

std::error_code objection_to_force(const force_findings& found, const view& known, const replica_id& survivor) {
  // Only that no majority of the voters has answered makes way for another register.
  if (!found.read && !mutant(mutation::force_despite_majority)) return errc::has_quorum;
  if (found.read && found.read != errc::timed_out) return found.read;
  if (found.voter == nullptr || found.voter->is_silent()) return errc::not_serving;
  // What it voted on may be of another chain: then nothing here is clear, and nothing is to be put aside.
  const voter_state& vote = found.voter->state();
  if (vote.is_founded() && vote.genesis != found.genesis) return errc::other_genesis;
  const bool may_hold_all = may_go_on(known, survivor, vote.value, *found.told);
  if (!may_hold_all && !mutant(mutation::force_of_stale_copy)) return errc::stale_epoch;
  return found.voter->is_settled() ? std::error_code{} : make_error_code(errc::busy);
}

voter_state first_vote(const view& first) {
  voter_state vote;
  vote.chain = first.chain;
  vote.self = first.voters.front().id;
  vote.genesis = genesis_of(first);
  vote.value = first;
  return vote;
}

std::optional<view> forced_view(const view& known, const replica_id& survivor, const member& voter,
                                std::uint64_t drawn) {
  const auto own = std::find_if(known.replicas.begin(), known.replicas.end(),
                                [&](const member& each) { return each.id == survivor; });
  const std::uint64_t generation = (known.epoch >> (step_bits + drawn_bits)) + 1;
  if (own == known.replicas.end() || generation > generation_max) return std::nullopt;
  view first = known;
  const std::uint64_t mark = drawn >> (64U - drawn_bits);
  first.epoch = (generation << (step_bits + drawn_bits)) | (mark << step_bits) | 1U;
  if (mutant(mutation::forced_keeps_generation)) first.epoch = known.epoch + 1;
  first.replicas = {*own};
  first.learners.clear();
  first.voters = {voter};
  for (const member& each : known.replicas) {
    const bool is_listed = std::find(first.readers.begin(), first.readers.end(), each.id) != first.readers.end();
    if (!is_listed) first.readers.push_back(each.id);
  }
  if (check_view(first)) return std::nullopt;
  return first;
}

}  // namespace artillery::replication
