#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "artillery/clock.hpp"

// What can go wrong in a simulated world, and how much of it. Shares are in thousandths; the default is that nothing
// does.

namespace artillery::sim {

/// How one directed way between two hosts behaves.
struct link_faults {
  duration delay_min = std::chrono::microseconds{100};  ///< every message takes at least this
  duration delay_mean =
      std::chrono::microseconds{200};  ///< and on top of it an exponentially distributed time of this mean
  std::uint32_t loss = 0;              ///< datagrams lost
  std::uint32_t duplication = 0;       ///< datagrams that arrive twice
  std::uint32_t reorder = 0;           ///< datagrams that take `reorder_delay` longer (at most; uniform)
  duration reorder_delay = std::chrono::milliseconds{20};
  std::uint32_t stream_reset = 0;     ///< stream frames at which the stream breaks instead
  std::uint32_t corruption = 0;       ///< datagrams in which one bit is flipped
  std::size_t datagram_max = 65'507;  ///< larger datagrams are dropped
  /// Datagrams beside which another one arrives that nobody sent: random bytes, or a real one with bits flipped, cut
  /// short, or spliced with the one before it.
  std::uint32_t garbage = 0;
  /// Likewise for stream frames. TCP does no such thing; a peer that is not what it says may.
  std::uint32_t stream_garbage = 0;
  /// What the way carries of each stream; what is sent faster waits at the sender (`stream_limits`). 0: no bound.
  std::uint64_t stream_bytes_per_ms = 0;
};

/// The bounds of what one end of a stream has sent and the network has not taken, as artillery's own transport has
/// them: above `queue_bytes_high` the sender's link is `congested`, at `queue_bytes_low` `writable` again, above
/// `queue_bytes_max` it goes down and the queue is lost. So it does at a frame longer than `frame_size_max`.
struct stream_limits {
  std::size_t queue_bytes_high = std::size_t{1} << 20U;
  std::size_t queue_bytes_low = std::size_t{256} << 10U;
  std::size_t queue_bytes_max = std::size_t{64} << 20U;
  std::size_t frame_size_max = std::size_t{16} << 20U;
};

/// How a host's disk behaves. What was persisted and completed without an error is there after any crash, unless it
/// rots. Of everything else a crash leaves all, nothing, or any of its sectors.
struct disk_faults {
  duration delay_mean = std::chrono::milliseconds{1};  ///< a persist takes this on average; one in eight no time at all
  /// Persists whose sync fails: they complete with `std::errc::io_error` and never become durable, though the syncs
  /// after them say that all is well (what Linux does when a page could not be written back).
  std::uint32_t sync_failure = 0;
  std::uint32_t short_write = 0;  ///< persists of which only the beginning is written; they complete with `io_error`
  std::uint32_t bit_rot = 0;      ///< records of which a bit has changed when they are read back
  /// Bytes that fit on it; a persist beyond completes with `std::errc::no_space_on_device`, and now and then leaves the
  /// part that fitted.
  std::uint64_t capacity = std::uint64_t{1} << 40U;
};

/// Where in its work a process is to die: see `world::crash_at_event`.
struct crash_point {
  std::uint64_t inputs = 0;        ///< messages, timers, calls … that it still handles whole; 0: it dies in the next
  std::uint64_t effects = 0;       ///< and of that one, the effects that still happen
  bool machine_goes_dark = false;  ///< `power_off` instead of `crash`
};

/// Figures of a run: what was reached. They only grow.
struct world_counters {
  std::uint64_t events = 0;  ///< steps of the world: deliveries, timers, calls, faults
  std::uint64_t datagrams_sent = 0;
  std::uint64_t datagram_bytes_sent = 0;
  std::uint64_t datagrams_lost = 0;  ///< by loss, partition, crash or size
  std::uint64_t datagrams_duplicated = 0;
  std::uint64_t frames_sent = 0;
  std::uint64_t frame_bytes_sent = 0;
  std::uint64_t streams_opened = 0;
  std::uint64_t streams_broken = 0;
  std::uint64_t streams_congested = 0;
  std::uint64_t garbage = 0;  ///< messages that nobody sent, injected ones included
  std::uint64_t crashes = 0;
  std::uint64_t pauses = 0;
  std::uint64_t suspensions = 0;
  std::uint64_t persists = 0;
  std::uint64_t disk_errors = 0;   ///< persists that completed with an error
  std::uint64_t records_torn = 0;  ///< found partly, or gone though later ones are there, after a crash
  std::uint64_t bits_rotten = 0;
};

}  // namespace artillery::sim
