#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "artillery/clock.hpp"
#include "base/state_hash.hpp"

namespace artillery::membership {

/// How long one member takes to answer: an estimate as TCP keeps it (Jacobson & Karels, 1988; RFC 6298, section 2), in
/// microseconds and 8 bytes, for there is one per member.
class round_trip {
public:
  /// Of answers that come while their probe is awaited: nothing longer than an hour.
  void measure(duration took) noexcept {
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(took).count();
    const auto sample = static_cast<std::uint32_t>(std::clamp<std::int64_t>(us, 1, longest_us));
    if (smoothed_us_ == 0) {
      smoothed_us_ = sample;
      deviation_us_ = sample / 2;
      return;
    }
    const std::uint32_t off = sample > smoothed_us_ ? sample - smoothed_us_ : smoothed_us_ - sample;
    deviation_us_ = deviation_us_ - deviation_us_ / 4 + off / 4;
    smoothed_us_ = smoothed_us_ - smoothed_us_ / 8 + std::max<std::uint32_t>(sample / 8, 1);
  }

  /// Zero: not measured yet.
  [[nodiscard]] duration smoothed() const noexcept { return std::chrono::microseconds{smoothed_us_}; }

  /// How long an answer may take before others are asked: what is usual and four times what it differs by. Between a
  /// fifth of `most` (a member may have other things to do for a moment) and `most`, which it is before it was
  /// measured.
  [[nodiscard]] duration patience(duration most) const noexcept {
    if (smoothed_us_ == 0) return most;
    const duration usual = std::chrono::microseconds{smoothed_us_ + std::uint64_t{4} * deviation_us_};
    return std::clamp<duration>(usual, most / shortest_part, most);
  }

  void hash(detail::state_hash& into) const { into.add(smoothed_us_).add(deviation_us_); }

private:
  static constexpr std::int64_t longest_us = 3'600'000'000;
  static constexpr int shortest_part = 5;

  std::uint32_t smoothed_us_ = 0;
  std::uint32_t deviation_us_ = 0;
};

}  // namespace artillery::membership
