#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sim/explore_report.hpp"

namespace artillery::sim {

/// A set-up with its limits, ready to be explored.
struct explore_scope {
  std::string name;
  std::string description;  ///< its size, what may befall it, and the bound, if there is one
  bool quick = false;       ///< a matter of seconds: part of the tests
  /// `states_max` of 0: as many as the scope needs.
  std::function<explore_report(std::uint64_t states_max)> run;
};

/// All scopes, the quick ones first.
[[nodiscard]] std::vector<explore_scope> explore_scopes();

}  // namespace artillery::sim
