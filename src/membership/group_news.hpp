#pragma once

#include <cstdint>
#include <vector>

#include "artillery/node_id.hpp"

namespace artillery::membership {

/// What originates here and is to be said to `config::group` once, at the end of this input.
struct group_news {
  std::vector<node_id> claims;
  std::vector<std::uint64_t> events;  ///< places among those kept

  [[nodiscard]] bool waits() const noexcept { return !claims.empty() || !events.empty(); }
};

}  // namespace artillery::membership
