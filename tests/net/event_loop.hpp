#pragma once

#include <asio/io_context.hpp>
#include <chrono>

namespace artillery::net {

/// Runs handlers until `done` holds; false when it does not within the deadline. Waits in the kernel, never sleeps.
template <class Predicate>
[[nodiscard]] bool runs_until(asio::io_context& io, Predicate done,
                              std::chrono::steady_clock::duration limit = std::chrono::seconds{20}) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!done()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    if (io.stopped()) io.restart();
    io.run_one_until(deadline);
  }
  return true;
}

/// Runs what is ready and returns.
inline void run_ready(asio::io_context& io) {
  io.restart();
  io.poll();
}

}  // namespace artillery::net
