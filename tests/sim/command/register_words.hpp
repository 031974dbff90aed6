#pragma once

#include <functional>
#include <string>

#include "artillery/replication/types.hpp"
#include "scenarios/stage.hpp"

namespace simulator {

using member_name = std::function<std::string(const artillery::replication::replica_id&)>;

/// What proposers and voters of a register say to each other, in words.
[[nodiscard]] std::string register_text(const artillery::scenarios::utterance& what, const char* cluster,
                                        const member_name& name_of);

}  // namespace simulator
