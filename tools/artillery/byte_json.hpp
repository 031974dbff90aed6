#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace tool {

/// Whether `text` is UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing beyond U+10FFFF.
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

/// RFC 4648, section 4, with padding.
[[nodiscard]] std::string to_base64(std::string_view bytes);
/// Reads what `to_base64` writes and nothing else.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

/// Any bytes as JSON: a string when they are UTF-8, else `{"base64": "…"}`.
[[nodiscard]] nlohmann::json bytes_to_json(std::string_view bytes);
/// Reads what `bytes_to_json` writes; nothing for anything else.
[[nodiscard]] std::optional<std::string> bytes_from_json(const nlohmann::json& value);

/// One line of JSON. Strings that are not UTF-8 (a peer may call itself anything) come out with replacement characters.
[[nodiscard]] std::string to_line(const nlohmann::json& value);

}  // namespace tool
