#include "artillery/clock.hpp"

#include <time.h>

namespace artillery {

// The one place where the time comes from. Nothing pure may call it: a test reads the sources for that.
time_point clock::now() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return time_point{std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec}};
}

}  // namespace artillery
