#pragma once

#include "artillery/clock.hpp"

namespace artillery::net {

/// How long this machine has been suspended since it was started: by so much the clock that timers go by is behind.
/// Compare two answers. Implemented in linux_suspension.cpp; another system brings its own file.
[[nodiscard]] duration time_suspended() noexcept;

}  // namespace artillery::net
