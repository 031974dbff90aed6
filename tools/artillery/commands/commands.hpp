#pragma once

#include "exit_code.hpp"
#include "options.hpp"

/// What each subcommand does once its line is read: asks the agent, prints the answer.
namespace tool {

[[nodiscard]] exit_code run(const members_options& options);
[[nodiscard]] exit_code run(const tags_options& options);
[[nodiscard]] exit_code run(const join_options& options);
[[nodiscard]] exit_code run(const leave_options& options);
[[nodiscard]] exit_code run(const watch_options& options);
[[nodiscard]] exit_code run(const reachability_options& options);
[[nodiscard]] exit_code run(const event_options& options);
[[nodiscard]] exit_code run(const send_options& options);
[[nodiscard]] exit_code run(const query_options& options);
[[nodiscard]] exit_code run(const answer_options& options);
[[nodiscard]] exit_code run(const status_options& options);
[[nodiscard]] exit_code run(const chain_options& options);
[[nodiscard]] exit_code run(const get_options& options);
[[nodiscard]] exit_code run(const write_options& options);
[[nodiscard]] exit_code run(const version_options& options);

}  // namespace tool
