#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace artillery {

/// A node's identity: 128 random bits, the same for as long as the node keeps it. All zero means "none".
struct node_id {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  [[nodiscard]] constexpr bool none() const noexcept { return high == 0 && low == 0; }

  friend constexpr bool operator==(const node_id&, const node_id&) noexcept = default;
  friend constexpr std::strong_ordering operator<=>(const node_id&, const node_id&) noexcept = default;
};

/// 32 lower-case hexadecimal digits.
[[nodiscard]] std::string to_string(const node_id& id);

/// The first eight digits: enough for a person's eyes.
[[nodiscard]] std::string to_short_string(const node_id& id);

/// Reads what `to_string` writes (either case); nothing for anything else.
[[nodiscard]] std::optional<node_id> parse_node_id(std::string_view text);

}  // namespace artillery
