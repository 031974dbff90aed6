#pragma once

#include <functional>
#include <string>

#include "replication/voter_state.hpp"
#include "scenarios/stage.hpp"

namespace artillery::scenarios {

using member_name = std::function<std::string(const replication::replica_id&)>;

/// What proposers and voters of a register say to each other, in words.
[[nodiscard]] described describe_register(const utterance& what, const char* of_cluster, const member_name& name_of);
/// Round, node and the last digits of the incarnation.
[[nodiscard]] std::string ballot_text(const replication::ballot& at);

}  // namespace artillery::scenarios
