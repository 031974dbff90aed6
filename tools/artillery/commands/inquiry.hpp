#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string_view>

#include "artillery/clock.hpp"
#include "control/client.hpp"

namespace tool {

/// Asks all members, or those that `question` names (docs/command.md), and hands each answer to `take`, and then the
/// `query_end`. The connection is of no further use.
void inquire(control::client& client, nlohmann::json question, std::string_view payload, artillery::duration timeout,
             const std::function<void(const nlohmann::json&)>& take);

}  // namespace tool
