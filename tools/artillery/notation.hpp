#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "artillery/clock.hpp"
#include "artillery/replication/types.hpp"

/// How values are written on the command line, in JSON and in tables.
namespace tool {

/// A decimal number of digits only, without sign; nothing for anything else, or when it does not fit.
[[nodiscard]] std::optional<std::uint64_t> parse_number(std::string_view text) noexcept;

/// A whole number and a unit: `50ms`, `2s`, `5m`, `1h`, `250us`. Longer than a day is refused.
[[nodiscard]] std::optional<artillery::duration> parse_duration(std::string_view text) noexcept;
/// Writes what `parse_duration` reads, in the largest unit that keeps it exact.
[[nodiscard]] std::string to_text(artillery::duration value);
/// How long something has lasted, for people, in its two largest units: `4s`, `3m 12s`, `2h 0m`, `5d 7h`.
[[nodiscard]] std::string to_age_text(artillery::duration value);
/// Milliseconds with one digit behind the point, for people: `12.3 ms`.
[[nodiscard]] std::string to_milliseconds(artillery::duration value);

/// Now, by the wall clock, as RFC 3339 has it, in UTC and with milliseconds.
[[nodiscard]] std::string time_text();

/// A whole number of bytes, optionally in KiB or MiB: `4096`, `64K`, `8M`.
[[nodiscard]] std::optional<std::size_t> parse_size(std::string_view text) noexcept;
/// For people: `512 B`, `17.5 KiB`, `1.0 MiB`.
[[nodiscard]] std::string to_size_text(std::uint64_t bytes);

/// The version of an object, epoch and place: `1.42`.
[[nodiscard]] std::optional<artillery::replication::version> parse_version(std::string_view text) noexcept;
[[nodiscard]] std::string to_text(const artillery::replication::version& value);

/// `strong`, `eventual`, `bounded:50ms` (age), `bounded:3` (writes that may be missing).
[[nodiscard]] std::optional<artillery::replication::consistency> parse_consistency(std::string_view text) noexcept;
[[nodiscard]] std::string to_text(const artillery::replication::consistency& value);

/// `key=value`, the key not empty; the value may be.
[[nodiscard]] std::optional<std::pair<std::string, std::string>> parse_tag(std::string_view text);

}  // namespace tool
