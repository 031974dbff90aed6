#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sim/history.hpp"

namespace artillery::sim {

/// Checks a history against the order that the log gave to the writes (`log`: all that the head applied, in order):
/// each read and each failed condition must have seen the object as it was at a place in that order which fits the real
/// time of all other operations on it; bounded and eventual reads as far as they promise. O(n log n). Nothing when it
/// is sound, else what is wrong.
[[nodiscard]] std::optional<std::string> check_against_log(const history& operations, const journal& log);

/// What the search came to: `ok`, `violated`, or `gave_up` after too many steps.
enum class search_result : std::uint8_t { ok, violated, gave_up };

/// The same question of the strong reads and the writes of one object, without the log: is there any order at all? The
/// search of Wing & Gong (1993) with the memory of Lowe (2017). Exponential at worst: for small histories.
[[nodiscard]] search_result search_order(const history& operations, const std::string& key, std::uint64_t steps_max);

}  // namespace artillery::sim
