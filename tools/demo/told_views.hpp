#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "agents.hpp"
#include "artillery/clock.hpp"

// What agents told of the chain's views.

namespace demo {

/// The replicas of a view, head first.
[[nodiscard]] std::vector<std::string> ids_of(const nlohmann::json& view);

/// The newest that the agent told of; it fails when there was none.
[[nodiscard]] const nlohmann::json& newest_view(const agent& one);

/// When the last of the others told of a view after `since` that is as wanted; nothing while one has not.
[[nodiscard]] std::optional<artillery::time_point> all_told(agents& crowd, const agent& but,
                                                            const std::function<bool(const nlohmann::json&)>& wanted,
                                                            artillery::time_point since);

}  // namespace demo
