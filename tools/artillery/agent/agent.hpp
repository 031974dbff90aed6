#pragma once

#include "exit_code.hpp"
#include "options.hpp"

namespace tool {

/// Runs a node until it is told to end by SIGINT or SIGTERM: serves its control socket, prints its events.
[[nodiscard]] exit_code run(const agent_options& options);

}  // namespace tool
