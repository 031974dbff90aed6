#pragma once

#include <cstdint>

#include "artillery/clock.hpp"
#include "artillery/endpoint.hpp"
#include "base/indexed.hpp"
#include "base/state_hash.hpp"

namespace artillery::discovery {

/// A token bucket as one number (GCRA, ITU-T I.371): the time at which the bucket is full again.
class token_bucket {
public:
  constexpr token_bucket(duration interval, std::uint32_t burst) noexcept
      : interval_{interval}, depth_{interval * burst} {}

  [[nodiscard]] bool has_token(time_point now) const noexcept {
    return std::max(full_at_, now) + interval_ <= now + depth_;
  }
  void take(time_point now) noexcept { full_at_ = std::max(full_at_, now) + interval_; }
  [[nodiscard]] bool full(time_point now) const noexcept { return full_at_ <= now; }
  [[nodiscard]] duration debt(time_point now) const noexcept { return std::max(full_at_ - now, duration::zero()); }

private:
  duration interval_;
  duration depth_;
  time_point full_at_{};
};

/// How many questions are answered: so many for each source, and so many in all. Keeps this node from being used to
/// flood somebody whose address was forged.
class answer_limit {
public:
  static constexpr duration one_second = std::chrono::seconds{1};  // in nanoseconds: divided as whole seconds it is 0
  static constexpr std::uint32_t per_source_per_second = 10;
  static constexpr std::uint32_t per_source_burst = 20;
  static constexpr std::uint32_t in_all_per_second = 200;
  /// More than can be in debt at a time, the limit in all being what it is: so a full table has rows to spare.
  static constexpr std::size_t sources_max = 1024;

  explicit answer_limit(std::uint64_t hash_key) : sources_{hash_key} {}

  /// Takes a token for an answer to `source`; false: do not answer.
  [[nodiscard]] bool allow(const endpoint& source, time_point now);

  void add_to(detail::state_hash& hash, time_point now) const;

private:
  struct source_row {
    endpoint key;
    token_bucket bucket{one_second / per_source_per_second, per_source_burst};
  };
  struct endpoint_hash {
    std::uint64_t operator()(const endpoint& e) const noexcept { return detail::state_hash{}.add(e).value(); }
  };

  detail::indexed<source_row, endpoint_hash> sources_;
  token_bucket in_all_{one_second / in_all_per_second, in_all_per_second};
};

}  // namespace artillery::discovery
