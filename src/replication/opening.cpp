#include "replication/opening.hpp"

#include <algorithm>

#include "base/wide_integer.hpp"
#include "replication/mutant.hpp"

namespace artillery::replication {

duration gate_length(duration lease, std::uint32_t drift_ppm) noexcept {
  constexpr std::uint64_t million = 1'000'000;
  constexpr duration steps = std::chrono::milliseconds{1};
  const auto product = static_cast<detail::uint128>(lease.count()) * (million + drift_ppm);
  return duration{static_cast<duration::rep>(product / (million - drift_ppm))} + duration{1} + steps;
}

bool has_gate(const view& now) noexcept {
  if (now.leases != lease_mode::timed) return false;
  return std::any_of(now.readers.begin(), now.readers.end(), [&](const replica_id& reader) {
    return std::none_of(now.replicas.begin(), now.replicas.end(), [&](const member& m) { return m.id == reader; });
  });
}

void opening::begin(bool had_right, time_point opens_at) noexcept {
  *this = {};
  right_ = had_right;
  waits_ = true;
  opens_at_ = opens_at;
}

bool opening::commits() const noexcept {
  if (mutant(mutation::commits_before_opening)) return waits_ || open_;
  return open_ && (!frozen_ || mutant(mutation::commits_while_frozen));
}

bool opening::exposes() const noexcept {
  if (mutant(mutation::exposes_before_opening)) return !frozen_;
  return (open_ || right_) && !frozen_;
}

bool opening::keeps_right() const noexcept {
  return (open_ || right_) && (!frozen_ || mutant(mutation::right_kept_while_frozen));
}

bool opening::is_due(time_point now) const noexcept {
  return waits_ && opens_at_ <= now && (!frozen_ || mutant(mutation::opens_while_frozen));
}

void opening::open() noexcept {
  waits_ = false;
  open_ = true;
  right_ = true;
}

void opening::hurry(time_point now) noexcept {
  opens_at_ = std::min(opens_at_, now);
}

void opening::freeze(std::uint64_t last, time_point now) noexcept {
  frozen_ = true;
  frozen_last_ = last;
  frozen_at_ = now;
}

void opening::hash(detail::state_hash& into, time_point now) const {
  into.add(open_).add(right_).add(frozen_).add(waits_);
  if (waits_) into.add(opens_at_, now);
  if (frozen_) into.add(frozen_last_).add(frozen_at_, now);
}

}  // namespace artillery::replication
