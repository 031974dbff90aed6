#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace tool::output {

/// One line for people about an event as the agent reports it in JSON (docs/command.md), without a newline.
[[nodiscard]] std::string event_text(const nlohmann::json& event);

/// What stands under `name`, as text: strings as they are, bytes decoded, anything else as JSON; empty when absent.
[[nodiscard]] std::string field_text(const nlohmann::json& object, const char* name);

}  // namespace tool::output
