#pragma once

#include <optional>

#include "artillery/clock.hpp"

namespace artillery::replication {

/// The moment `timeout` from now; nothing when that is beyond what the clock can say: it never comes.
[[nodiscard]] constexpr std::optional<time_point> deadline_after(time_point now, duration timeout) noexcept {
  if (timeout >= time_point::max() - now) return std::nullopt;
  return now + timeout;
}

}  // namespace artillery::replication
