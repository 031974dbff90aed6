#pragma once

#include <optional>
#include <string>

#include "sim/history.hpp"

namespace artillery::sim {

/// Reads that were asked after a session token count all that the token does: their answers say so, do not go back
/// behind what the session knew of the object, and are not of a log without the write that the session has seen.
/// `committed`: the chain's log.
[[nodiscard]] std::optional<std::string> check_sessions(const history& operations, const journal& committed);

}  // namespace artillery::sim
