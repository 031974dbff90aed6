#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/membership_study.hpp"

namespace study {

/// One thing that is varied while all else stays.
struct series {
  struct point {
    double x;
    artillery::sim::study_plan plan;
  };
  std::string name;
  std::string what;  ///< that x counts
  std::vector<point> points;
};

/// All that is studied, each point watched for so long at the usual size.
[[nodiscard]] std::vector<series> all_series(artillery::duration length);

}  // namespace study
