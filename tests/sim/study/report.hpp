#pragma once

#include <string>
#include <vector>

#include "protocols.hpp"
#include "series.hpp"

namespace study {

/// One run.
struct result {
  std::string series;
  double x = 0;
  protocol which{};
  std::size_t members = 0;
  artillery::sim::study_figures figures;
};

/// For people: a table for each series.
[[nodiscard]] std::string as_tables(const std::vector<series>& those, const std::vector<result>& results);
/// One JSON object.
[[nodiscard]] std::string as_json(std::uint64_t seed, const std::vector<result>& results);
/// For plot.gp: a line for each run.
[[nodiscard]] std::string as_columns(const std::vector<result>& results);

}  // namespace study
