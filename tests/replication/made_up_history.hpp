#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "sim/history.hpp"

/// Operations on the object `k` as a client could have seen them. Calls and answers are numbered in the order in which
/// they came, a millisecond after each other.
namespace made_up_history {

using operation = artillery::sim::history_operation;

inline operation at(std::uint64_t invoked, std::uint64_t completed) {
  using namespace std::chrono_literals;
  operation op;
  op.key = "k";
  op.invoked = invoked;
  op.completed = completed;
  op.invoked_at = artillery::time_point{1h} + std::chrono::milliseconds{invoked};
  op.completed_at = artillery::time_point{1h} + std::chrono::milliseconds{completed};
  op.came_to = operation::outcome::done;
  return op;
}

inline operation put(std::uint64_t invoked, std::uint64_t completed, std::string value, std::uint64_t seq) {
  operation op = at(invoked, completed);
  op.what = operation::kind::put;
  op.value = std::move(value);
  op.applied = true;
  op.version = {1, seq};
  return op;
}

inline operation erase(std::uint64_t invoked, std::uint64_t completed, std::uint64_t seq) {
  operation op = put(invoked, completed, {}, seq);
  op.what = operation::kind::erase;
  return op;
}

/// A read that found the version `seq` (0: nothing), as of that one or of a later one.
inline operation read(std::uint64_t invoked, std::uint64_t completed, std::string value, std::uint64_t seq,
                      std::uint64_t as_of = 0) {
  operation op = at(invoked, completed);
  op.value = std::move(value);
  op.found = seq != 0;
  if (op.found) op.version = {1, seq};
  op.as_of = {1, std::max(seq, as_of)};
  return op;
}

/// Nobody knows whether it happened.
inline operation unknown(operation op) {
  op.came_to = operation::outcome::pending;
  op.completed = std::numeric_limits<std::uint64_t>::max();
  op.completed_at = artillery::time_point::max();
  op.applied = false;
  op.version = {};
  return op;
}

}  // namespace made_up_history
