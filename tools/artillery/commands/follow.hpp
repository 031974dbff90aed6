#pragma once

#include <functional>
#include <nlohmann/json.hpp>

#include "control/client.hpp"
#include "exit_code.hpp"
#include "options.hpp"

namespace tool {

/// A connection at which events come from now on; `wanted` has the members of a `watch`.
[[nodiscard]] control::client subscribe(const common_options& common, nlohmann::json wanted);

/// Hands each event to `take`, which says whether it counts, until so many did or the time is over.
exit_code follow(control::client& events, const stream_options& stream,
                 const std::function<bool(const nlohmann::json&)>& take);

}  // namespace tool
