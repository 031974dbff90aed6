#pragma once

#include <string>
#include <vector>

#include "measured.hpp"

namespace scale {

/// For people: two tables, of the detection and the load, and of what it took.
[[nodiscard]] std::string as_tables(const std::vector<measured>& all);
/// One JSON object.
[[nodiscard]] std::string as_json(std::uint64_t seed, const std::vector<measured>& all);
/// For plot.gp: a line of numbers for each size.
[[nodiscard]] std::string as_columns(const std::vector<measured>& all);

/// What makes the study fail; empty: nothing.
[[nodiscard]] std::vector<std::string> complaints(const std::vector<measured>& all);

}  // namespace scale
