#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "sim/history.hpp"

namespace histories {

struct violation {
  std::string what;
  std::optional<std::size_t> operation;  ///< where one is to blame: its place in the history, from 0
};

/// What the simulator's checkers say of a history.
struct judgement {
  // Operations by kind.
  std::size_t strong_reads = 0;
  std::size_t other_reads = 0;
  std::size_t puts = 0;
  std::size_t erases = 0;
  std::size_t pending = 0;  ///< of all of them
  std::size_t voids = 0;

  // What was checked.
  std::size_t log_records = 0;    ///< in the order that the versions tell
  std::size_t judged_by_log = 0;  ///< operations
  std::size_t objects = 0;
  std::size_t objects_searched = 0;   ///< an order was found or ruled out, without the versions
  std::size_t searches_given_up = 0;  ///< too large to tell
  std::size_t objects_unjudged = 0;   ///< given up, and an erase of unknown outcome keeps them from the log, too

  std::vector<violation> violations;
};

[[nodiscard]] judgement judge(const artillery::sim::history& operations);

}  // namespace histories
