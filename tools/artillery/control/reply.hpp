#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <system_error>

#include "artillery/clock.hpp"
#include "exit_code.hpp"

namespace tool::control {

/// `head` as a request of this protocol version whose agent gives up after `timeout`.
[[nodiscard]] nlohmann::json with_deadline(nlohmann::json head, artillery::duration timeout);

/// A reply that something was not done: `{"ok": false, "error": {"code", "message"}}`. `code` is a stable word.
[[nodiscard]] nlohmann::json error_reply(std::string_view code, const std::string& message);
[[nodiscard]] nlohmann::json error_reply(const std::error_code& error);

/// Throws the failure that a reply reports, with the exit code that belongs to its word.
void require_ok(const nlohmann::json& reply);

// Words for what the library has no code for.
inline constexpr std::string_view bad_request = "bad_request";
inline constexpr std::string_view other_protocol = "other_protocol";

}  // namespace tool::control
