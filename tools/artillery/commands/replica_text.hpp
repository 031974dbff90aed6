#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace tool {

/// Whether the chain takes writes, and why not, as the replica of an agent's report knows it.
[[nodiscard]] std::string writes_text(const nlohmann::json& replica);

}  // namespace tool
