#pragma once

#include <algorithm>
#include <vector>

#include "artillery/clock.hpp"

namespace demo {

/// The longest time without an answer, between the last answer before `from` and the first one after `to`, of answers
/// at these times, ascending.
[[nodiscard]] inline artillery::duration longest_gap(const std::vector<artillery::time_point>& answers,
                                                     artillery::time_point from, artillery::time_point to) {
  artillery::duration longest{};
  for (auto next = std::lower_bound(answers.begin(), answers.end(), from); next != answers.end(); ++next) {
    if (next == answers.begin()) continue;
    longest = std::max(longest, *next - *(next - 1));
    if (*next > to) break;
  }
  return longest;
}

}  // namespace demo
