#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>

#include "artillery/bytes.hpp"
#include "artillery/clock.hpp"
#include "artillery/effects.hpp"

namespace artillery::sim {

/// Names a host of a world, in the order in which they were added.
using host = std::size_t;

/// Something that happens in a world, as `world::watch` tells it: an input of a program just before the program gets
/// it, or something that the network or a user does. Which fields count depends on the kind; views are valid only
/// during the call.
struct happening {
  enum class kind : std::uint8_t {
    start,      ///< the program comes up (again)
    datagram,   ///< `message` from `other`
    lost,       ///< a datagram from `where` to `other` that does not arrive
    frame,      ///< likewise, on the stream `on`
    link,       ///< the stream `on`, to or from `other`, is `state`
    completed,  ///< a persist
    timer,
    call,   ///< by the program's user
    crash,  ///< the process dies
    power_off,
    pause,
    resume,
    suspend,
    wake,
    cut,  ///< from `where` to `other`
    mend,
    clog,
    unclog,
    partition,  ///< `side` from everybody else, but for `other`
    heal,
    note  ///< `text` and `value`: a fact of the world's user
  };

  kind what = kind::start;
  time_point at = {};  ///< the true time
  host where = 0;
  std::optional<host> other = {};  ///< none: nobody's, or nobody known
  connection on = {};
  link_state state = link_state::down;
  bytes_view message = {};
  std::span<const host> side = {};
  std::string_view text = {};
  std::uint64_t value = 0;
};

using watcher = std::function<void(const happening&)>;

}  // namespace artillery::sim
