#pragma once

#include <algorithm>
#include <vector>

#include "artillery/clock.hpp"

namespace demo {

/// The longest time without an acknowledgement between the last one before `from` and the first one after `to`.
/// `acknowledged` is ascending.
[[nodiscard]] inline artillery::duration longest_gap(const std::vector<artillery::time_point>& acknowledged,
                                                     artillery::time_point from, artillery::time_point to) {
  artillery::duration longest{};
  for (auto next = std::lower_bound(acknowledged.begin(), acknowledged.end(), from); next != acknowledged.end();
       ++next) {
    if (next == acknowledged.begin()) continue;
    longest = std::max(longest, *next - *(next - 1));
    if (*next > to) break;
  }
  return longest;
}

}  // namespace demo
