#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace artillery::sim {

/// One thing that may happen next in a small set-up. What the numbers mean is the set-up's affair; they mean the same
/// in every state with the same hash.
struct explore_choice {
  enum class kind : std::uint8_t {
    deliver,    ///< the first of what is under way on one direction of a stream, or one datagram
    step,       ///< a node goes on with something that it began: a flush, the next step of a read
    expire,     ///< time passes to a node's deadline when nothing else is under way
    ask,        ///< a client asks for its next operation
    hasten,     ///< a node's deadline passes while messages are still under way
    lose,       ///< a datagram
    duplicate,  ///< a datagram
    cut,        ///< a stream breaks; what was under way on it is lost, or part of it is
    crash,      ///< a node
    restart     ///< another life of it, which knows nothing
  };

  kind what = kind::deliver;
  std::uint8_t place = 0;
  std::uint8_t first = 0;
  std::uint8_t second = 0;

  friend constexpr bool operator==(const explore_choice&, const explore_choice&) noexcept = default;
};

inline constexpr std::size_t explore_kinds = 10;
inline constexpr std::array<std::string_view, explore_kinds> explore_kind_names{
    "deliver", "step", "expire", "ask", "hasten", "lose", "duplicate", "cut", "crash", "restart"};

}  // namespace artillery::sim
