#include <ctime>

#include "net/suspension.hpp"

namespace artillery::net {
namespace {

duration read_clock(clockid_t which) noexcept {
  timespec now{};
  if (::clock_gettime(which, &now) != 0) return {};
  return std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec};
}

}  // namespace

duration time_suspended() noexcept {
  // CLOCK_BOOTTIME goes on during a suspension, CLOCK_MONOTONIC does not (clock_gettime(2)).
  const duration monotonic = read_clock(CLOCK_MONOTONIC);
  return read_clock(CLOCK_BOOTTIME) - monotonic;
}

}  // namespace artillery::net
