#pragma once

#include <chrono>
#include <cstddef>

#include "artillery/clock.hpp"

namespace artillery::net {

/// The bounds of framed streams.
struct stream_limits {
  /// Payload of one frame, both ways. A longer one from a peer ends its link; a longer one sent is dropped and ends the
  /// link too, because the peer would.
  std::size_t frame_size_max = std::size_t{16} << 20U;
  /// Bytes queued on one link: above `high` it is `congested`, below `low` `writable` again, above `max` it goes down.
  std::size_t queue_bytes_high = std::size_t{1} << 20U;
  std::size_t queue_bytes_low = std::size_t{256} << 10U;
  std::size_t queue_bytes_max = std::size_t{64} << 20U;
  /// Streams open at once, accepted and outgoing each.
  std::size_t connections_max = 1024;
  /// An outgoing stream that is not connected by then goes down.
  duration connect_timeout = std::chrono::seconds{5};
  /// A closed stream's queue must be sent, and the peer must have closed too, within this.
  duration linger_timeout = std::chrono::seconds{5};
  /// After the system refused to accept (no descriptors left, say): wait this long before the next attempt.
  duration accept_pause = std::chrono::milliseconds{100};
};

}  // namespace artillery::net
