#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "artillery/clock.hpp"
#include "artillery/replication/types.hpp"
#include "replication/checkpoint.hpp"

namespace artillery::replication {

/// What the tail knows of one learner that its view admits, and how far it has fed it.
struct learner_feed {
  enum class phase : std::uint8_t {
    away,        // no stream, or nothing is known of where it stands
    waits,       // needs a checkpoint, which begins when all that is held here is committed
    checkpoint,  // is being given one
    records      // holds everything up to `position`
  };

  /// Parts of a checkpoint that are under way at most.
  static constexpr std::uint64_t parts_max = 4;

  replica_id id;
  std::uint64_t stream = 0;  // 0: none
  phase state = phase::away;
  time_point since{};  // it has a stream, or has none
  bool congested = false;
  bool lags = false;  // too far: it is not fed any more

  // a checkpoint
  std::deque<session_row> sessions;  // that are still to be sent
  std::size_t next_part = 0;         // of the store
  std::deque<object> objects;        // of the part before that: still to be sent
  std::uint64_t parts_sent = 0;
  std::uint64_t parts_taken = 0;

  // records
  std::uint64_t sent = 0;
  std::uint64_t position = 0;
  std::uint64_t told = 0;    // the watermark that it knows
  std::uint64_t synced = 0;  // of a durable chain, as it reported on this stream

  [[nodiscard]] bool is_fed() const noexcept { return state == phase::records; }
  [[nodiscard]] bool takes_parts() const noexcept { return !congested && parts_sent - parts_taken < parts_max; }
  /// The records after `position` are kept for it.
  [[nodiscard]] bool has_claim() const noexcept {
    return state == phase::records || state == phase::checkpoint || (state == phase::away && position > 0);
  }
  /// Its stream is gone; where it stands is kept for the next one, but half a checkpoint is worth nothing.
  void lost(time_point now) {
    const std::uint64_t stands = state == phase::checkpoint ? 0 : position;
    *this = {.id = id, .since = now, .lags = lags, .sessions = {}, .objects = {}, .position = stands};
  }
};

/// A node that wants to be fed, and is not admitted yet.
struct candidate {
  member who;
  time_point heard_at;
};

}  // namespace artillery::replication
