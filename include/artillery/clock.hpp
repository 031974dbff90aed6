#pragma once

#include <chrono>
#include <cstdint>

namespace artillery {

/// The clock of every protocol: nanoseconds of CLOCK_BOOTTIME, which also counts the time that the machine was
/// suspended.
///
/// A lease must not outlive a suspended laptop lid, hence not `std::chrono::steady_clock`, which stands still
/// meanwhile. The cores never call `now()`: drivers sample it and hand the time in. Thread safety: `now()` may be
/// called from any thread; it makes no system call where the kernel offers a vDSO.
struct clock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<clock>;
  static constexpr bool is_steady = true;

  [[nodiscard]] static time_point now() noexcept;
};

using duration = clock::duration;
using time_point = clock::time_point;

}  // namespace artillery
