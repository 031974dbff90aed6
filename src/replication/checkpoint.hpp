#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "artillery/replication/store.hpp"
#include "replication/message.hpp"
#include "replication/sessions.hpp"

// What a learner is given when the records it lacks are no longer kept: the sessions as they stood at one place of the
// log, then the objects as they stand while they are copied, and then the records from that place on. An object may
// come as a later record made it; the learner passes that record by (docs/wire-format.md, "Replication").

namespace artillery::replication {

/// One frame of a checkpoint.
struct checkpoint_part {
  enum class stage : std::uint8_t {
    begin = 0,     // forget everything; `base` is the place
    sessions = 1,  // some of them
    objects = 2,   // some of them
    end = 3        // that was all: records follow
  };

  stage what = stage::begin;
  version base{};  // of `begin`
  std::vector<session_row> sessions;
  std::vector<object> objects;
};

/// How far a learner is.
struct learner_position {
  version last;              // the newest record held, once its checkpoint is complete
  std::uint64_t parts = 0;   // of a checkpoint, that came over this stream
  std::uint64_t synced = 0;  // of a durable chain: so far it is on the learner's disk
};

/// Sessions or objects of one part at most.
inline constexpr std::size_t checkpoint_items_max = 4096;

void encode(frame& out, std::uint64_t epoch, const checkpoint_part& message);
void encode(frame& out, std::uint64_t epoch, const learner_position& message);
void encode_committed(frame& out, std::uint64_t epoch, std::uint64_t watermark);

[[nodiscard]] std::optional<checkpoint_part> decode_checkpoint(const bytes& in, std::size_t value_size_max);
[[nodiscard]] std::optional<learner_position> decode_position(bytes_view in) noexcept;
[[nodiscard]] std::optional<std::uint64_t> decode_committed(bytes_view in) noexcept;

/// What an item counts in a part.
[[nodiscard]] std::size_t weight_of(const object& item) noexcept;
[[nodiscard]] std::size_t weight_of(const session_row& item) noexcept;

}  // namespace artillery::replication
