#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

/// Members as the agent lists them (docs/command.md).
namespace tool {

/// Whether a member neither failed nor left.
[[nodiscard]] bool is_here(const nlohmann::json& member);
/// A member's name, and whether it is the agent itself.
[[nodiscard]] std::string member_name_text(const nlohmann::json& member);
/// A member's tags on a line, without those of the chain.
[[nodiscard]] std::string tags_text(const nlohmann::json& member);

}  // namespace tool
