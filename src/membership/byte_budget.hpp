#pragma once

#include <algorithm>
#include <cstdint>

#include "artillery/clock.hpp"
#include "base/state_hash.hpp"
#include "membership/mutant.hpp"

namespace artillery::membership {

/// How far gossip slows down where there is more to say than may be sent: 2^4 times.
inline constexpr std::uint32_t slow_steps_max = 4;

/// A token bucket of bytes: in any second no more than `per_second` are allowed. What must be sent in any case (probes
/// and their answers) is spent, too, and leaves less to news; of what is left user events leave the last quarter to
/// claims.
class byte_budget {
public:
  explicit byte_budget(std::uint64_t per_second)
      : burst_{static_cast<std::int64_t>(per_second / burst_share)},
        per_second_{static_cast<std::int64_t>(per_second) - burst_},
        level_{burst_} {}

  void refill(time_point now) noexcept {
    level_ = level_at(now);
    filled_at_ = std::max(filled_at_, now);
  }
  void spend(std::size_t bytes) noexcept { level_ = std::max(level_ - static_cast<std::int64_t>(bytes), -burst_); }
  /// So many bytes more may be sent.
  [[nodiscard]] bool allows_claims(std::size_t bytes) const noexcept {
    return level_ >= static_cast<std::int64_t>(bytes) || mutant(mutation::no_byte_limit);
  }
  [[nodiscard]] bool allows_events(std::size_t bytes) const noexcept {
    return level_ >= static_cast<std::int64_t>(bytes) + burst_ / claims_share || mutant(mutation::no_byte_limit);
  }
  /// Coarsely: few bytes more or less make no difference to what happens.
  void hash(detail::state_hash& into, time_point now) const {
    into.add((burst_ - level_at(now)) / std::max<std::int64_t>(burst_ / 16, 1));
  }

private:
  static constexpr std::uint64_t burst_share = 8;
  static constexpr std::int64_t claims_share = 4;
  static constexpr std::int64_t one_second = 1'000'000;

  [[nodiscard]] std::int64_t level_at(time_point now) const noexcept {
    if (now <= filled_at_) return level_;
    const auto passed = std::chrono::duration_cast<std::chrono::microseconds>(now - filled_at_).count();
    return std::min(burst_, level_ + per_second_ * std::min<std::int64_t>(passed, one_second) / one_second);
  }

  std::int64_t burst_;
  std::int64_t per_second_;
  std::int64_t level_;
  time_point filled_at_;
};

}  // namespace artillery::membership
