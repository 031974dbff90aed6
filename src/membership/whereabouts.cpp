// What a node notices of itself: that it did not run for a while, that its address is another, and what address others
// see.
#include "membership/core.hpp"

namespace artillery::membership {

/// Whoever was away for as long as a suspicion lasts may be held for failed by all, and hold whoever went for present:
/// views are compared at once.
void core::come_back(duration away, time_point now, effects_type& out) {
  if (away < config_.probe_interval) return;
  out.deliver(paused{away});
  if (away < suspicion_timeout_min(config_.suspicion_mult, members_.present() + 1, config_.probe_interval)) return;
  if (push_pull_at_) push_pull_at_ = now;
  for (seed& s : seeds_) {
    s.wait = config_.seed_retry;
    s.next_try = now;
  }
}

std::error_code core::move_to(const endpoint& at, time_point now, effects_type& out) {
  if (at.none()) return errc::invalid_argument;
  if (phase_ == phase::idle) return errc::not_running;
  if (phase_ != phase::running) return errc::has_left;
  if (at == facts_->at) return {};
  auto next = std::make_shared<facts>(*facts_);
  const endpoint before = std::exchange(next->at, at);
  facts_ = std::move(next);
  overrule(incarnation_);
  out.deliver(moved{before, at});
  finish_input(now, out);
  return {};
}

/// An answer to our own ping: it says where that came from, unless from where we say that we are.
void core::hear_observed(const member_row& from, const endpoint& seen_at) {
  observed_.hear(from.name(), seen_at.none() ? facts_->at : seen_at);
}

}  // namespace artillery::membership
