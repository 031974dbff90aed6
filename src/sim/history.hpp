#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "artillery/clock.hpp"
#include "artillery/replication/session_token.hpp"
#include "artillery/replication/types.hpp"

/// What clients of a chain did, as they saw it: the input of the checks of linearizability. Harnesses of any kind may
/// fill one in.
namespace artillery::sim {

/// One operation. Every put has a value that no other has.
struct history_operation {
  enum class kind : std::uint8_t { read, put, erase };
  enum class outcome : std::uint8_t {
    pending,  ///< no answer yet, or it may or may not have happened
    done,     ///< answered
    void_     ///< answered that nothing happened
  };

  std::uint32_t client = 0;
  kind what = kind::read;
  std::string key;
  std::string value;               ///< of a put; of a read that found something, what it found
  replication::condition when;     ///< of a write
  replication::consistency level;  ///< of a read
  std::uint32_t asked = anyone;    ///< the replica that a read was sent to, where one was named
  time_point invoked_at{};
  time_point completed_at = time_point::max();
  /// The places of the call and of the answer among all calls and answers, so that ties in time have an order.
  std::uint64_t invoked = 0;
  std::uint64_t completed = std::numeric_limits<std::uint64_t>::max();
  outcome came_to = outcome::pending;

  bool found = false;            ///< of a read
  bool applied = false;          ///< of a write that was answered
  bool local = false;            ///< of a read
  replication::version version;  ///< as the answer says
  replication::version as_of;    ///< of a read, as the answer says
  bool all_committed = true;     ///< of a read, as the answer says

  // Of a read that was asked after a session token.
  replication::session_token after;
  replication::version counted_before;  ///< of the object, as the session knew it by then; none: not known
  replication::version saw;             ///< what the session has seen that was not committed; none: nothing

  static constexpr std::uint32_t anyone = std::numeric_limits<std::uint32_t>::max();

  [[nodiscard]] bool is_write() const noexcept { return what != kind::read; }
  [[nodiscard]] bool is_strong_read() const noexcept { return !is_write() && level == replication::strong; }
};

using history = std::vector<history_operation>;

/// One change of one object in the order of the chain's log, as a replica applied it.
struct applied_effect {
  std::string key;
  replication::version version;
  bool erased = false;
  std::string value;

  friend bool operator==(const applied_effect&, const applied_effect&) = default;
};

using journal = std::vector<applied_effect>;

}  // namespace artillery::sim
