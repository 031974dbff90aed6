#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "artillery/replication/types.hpp"
#include "base/state_hash.hpp"

/// What the parts of the explorer's chain of changing views call things.
namespace artillery::sim {

constexpr std::string_view object_key = "k";
constexpr duration lease_length = std::chrono::seconds{1};

/// Node 0 begins as the head.
[[nodiscard]] constexpr replication::replica_id first_life(std::size_t node) noexcept {
  return {{1, node + 1}, 1};
}

/// Clocks pass the length of a lease at once, and never what lies further away.
[[nodiscard]] constexpr detail::state_hash coarse() noexcept {
  return detail::state_hash::coarse(lease_length, 2);
}

}  // namespace artillery::sim
