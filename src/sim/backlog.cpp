// What a stream's sender holds because the way is cut, or slower than its program sends.
#include "sim/world_state.hpp"

namespace artillery::sim {

void world::state::enqueue(host from, std::uint64_t number, stream_end& end, bytes message) {
  if (!end.backlog) end.backlog = std::make_unique<stream_backlog>();
  stream_backlog& waiting = *end.backlog;
  waiting.size += message.size();
  waiting.frames.push_back(std::move(message));
  if (!waiting.is_draining) drain(from, number, end);
  if (waiting.size > stream_limits.queue_bytes_max) {
    waiting.frames.clear();
    return break_stream(from, number);
  }
  if (waiting.size > stream_limits.queue_bytes_high && !waiting.is_congested) {
    waiting.is_congested = true;
    ++counters.streams_congested;
    tell(from, number, end.peer_endpoint, link_state::congested, now);
  }
}

/// Sends what the way takes now, and comes back when it takes the next.
void world::state::drain(host from, std::uint64_t number, stream_end& end) {
  stream_backlog& waiting = *end.backlog;
  const std::uint64_t rate = network.of(from, end.peer).stream_bytes_per_ms;
  const bool stalls = !waiting.frames.empty() && stalls_at(from, number, end);
  while (!stalls && !waiting.frames.empty() && waiting.way_is_free_from <= now) {
    bytes frame = std::move(waiting.frames.front());
    waiting.frames.pop_front();
    waiting.size -= frame.size();
    if (rate != 0) {
      const std::uint64_t takes = frame.size() * std::uint64_t{1'000'000} / rate;
      waiting.way_is_free_from = now + duration{static_cast<duration::rep>(takes)};
    }
    transmit(from, end, std::move(frame));
  }
  if (waiting.is_congested && waiting.size <= stream_limits.queue_bytes_low) {
    waiting.is_congested = false;
    tell(from, number, end.peer_endpoint, link_state::writable, now);
  }
  if (waiting.frames.empty() || stalls) return;
  waiting.is_draining = true;
  queue.push(
      waiting.way_is_free_from,
      event{
          .kind = event_kind::stream_drain, .life = hosts[from].life, .at = from, .from = connection::stream(number)});
}

/// A way from `from` may have become free.
void world::state::release_stalled(host from) {
  for (auto& [number, end] : hosts[from].streams) {
    if (!end.backlog || end.backlog->frames.empty() || end.over || network.is_cut(from, end.peer)) continue;
    end.gives_up.reset();
    if (!end.backlog->is_draining) drain(from, number, end);
  }
}

}  // namespace artillery::sim
