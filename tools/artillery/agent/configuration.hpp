#pragma once

#include <system_error>

#include "artillery/node.hpp"
#include "exit_code.hpp"
#include "options.hpp"

namespace tool::agent {

/// The node that a command line asks for. Resolves the names of seeds. Fails when one has no address, or when the node
/// would refuse the configuration.
[[nodiscard]] artillery::node_config configuration_of(const agent_options& options);

/// Why a node with these options could not go on, for people.
[[nodiscard]] failure explain_end(const agent_options& options, const std::error_code& error);

}  // namespace tool::agent
