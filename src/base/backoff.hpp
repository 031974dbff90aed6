#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "artillery/clock.hpp"
#include "base/random.hpp"

namespace artillery::detail {

/// How long to wait before trying again: doubling from `first` to `limit`, each time shortened by a random part of up
/// to a half, so that those who failed together do not come back together.
struct backoff_limits {
  duration first = std::chrono::milliseconds{100};
  duration limit = std::chrono::seconds{10};
};

/// A value: a copy goes on like the original. The jitter comes from the caller's random stream.
class backoff {
public:
  constexpr backoff() noexcept = default;
  constexpr explicit backoff(const backoff_limits& limits) noexcept : limits_{limits} {}

  /// The wait before the next attempt; each call makes the one after it longer.
  [[nodiscard]] constexpr duration next(random& jitter) noexcept {
    duration whole = limits_.first;
    for (std::uint32_t i = 0; i < failures_ && whole < limits_.limit; ++i) whole *= 2;
    whole = std::min(whole, limits_.limit);
    if (failures_ < failures_max) ++failures_;
    const auto half = static_cast<std::uint64_t>(whole.count() / 2);
    return whole - duration{static_cast<duration::rep>(jitter.below(half + 1))};
  }

  /// It worked: the next failure waits `first` again.
  constexpr void reset() noexcept { failures_ = 0; }
  [[nodiscard]] constexpr std::uint32_t failures() const noexcept { return failures_; }

private:
  static constexpr std::uint32_t failures_max = 62;  // a duration doubles no more often before it overflows

  backoff_limits limits_;
  std::uint32_t failures_ = 0;
};

}  // namespace artillery::detail
