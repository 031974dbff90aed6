#pragma once

#include <cstdint>

#include "artillery/clock.hpp"

namespace artillery::sim {

/// A host's clock: the true time until it starts to drift. It never jumps and never stands still.
class host_clock {
public:
  [[nodiscard]] time_point local(time_point true_time) const noexcept {
    return is_true_ ? true_time : drifted(true_time);
  }
  /// The first true time at which this clock shows `local_time` or later: when a timer fires.
  [[nodiscard]] time_point true_at(time_point local_time) const noexcept {
    return is_true_ ? local_time : reached(local_time);
  }
  /// From `true_now` on it gains `ppm` millionths.
  void drift(std::int32_t ppm, time_point true_now) noexcept {
    base_local_ = local(true_now);
    base_true_ = true_now;
    ppm_ = ppm;
    is_true_ = ppm == 0 && base_local_ == base_true_;
  }

private:
  static constexpr std::int64_t million = 1'000'000;
  /// Later than any run lasts: a deadline beyond means "never", and is not calculated with.
  static constexpr duration never = std::chrono::hours{24 * 365 * 100};

  [[nodiscard]] time_point drifted(time_point true_time) const noexcept {
    const std::int64_t elapsed = (true_time - base_true_).count();
    // In two parts, since the whole product would not fit after some months.
    const std::int64_t gained = elapsed / million * ppm_ + elapsed % million * ppm_ / million;
    return base_local_ + duration{elapsed + gained};
  }
  [[nodiscard]] time_point reached(time_point local_time) const noexcept {
    if (local_time.time_since_epoch() > never) return time_point::max();
    if (local_time <= base_local_) return base_true_;  // the least there is, too: it stands for "at once"
    const duration wanted = local_time - base_local_;
    time_point guess = base_true_ + duration{wanted.count() - wanted.count() / (million + ppm_) * ppm_};
    // The guess is within the rounding of `drifted` and of the division: at most some hundred nanoseconds away.
    while (drifted(guess) < local_time) guess += local_time - drifted(guess);
    while (drifted(guess - duration{1}) >= local_time) guess -= duration{1};
    return guess;
  }

  bool is_true_ = true;
  std::int32_t ppm_ = 0;
  time_point base_true_{};
  time_point base_local_{};
};

}  // namespace artillery::sim
