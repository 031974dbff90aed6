#pragma once

#if defined(__linux__)
#include <sched.h>
#endif

#include <cstddef>

namespace artillery::replication {

/// Into how many parts that processors do not share whatever every reader changes is split.
inline constexpr std::size_t reader_stripes = 8;

/// The part that the calling thread should use now. A hint: a thread that is moved in between is still right, only
/// slower, as a line of memory then travels between processors. (The C library reads it from the thread's own memory,
/// where the kernel keeps it up to date: no system call.)
[[nodiscard]] inline std::size_t reader_stripe() noexcept {
#if defined(__linux__)
  const int processor = ::sched_getcpu();
  return processor < 0 ? 0 : static_cast<std::size_t>(processor) % reader_stripes;
#else
  return 0;
#endif
}

}  // namespace artillery::replication
