#pragma once

#include <cstddef>
#include <map>
#include <vector>

#include "faults.hpp"
#include "rehearsal.hpp"

namespace failover {

/// The account of a run on standard output: a line for each fault, and one for each kind at the end.
class report {
public:
  report();
  void add(const fault& what, const fault_account& came_to);
  void close();

private:
  struct tally {
    std::size_t dropped = 0;
    std::size_t alone = 0;  ///< the chain was down to one replica for a moment
    std::size_t answered_after = 0;
    std::vector<artillery::duration> gaps;
  };

  std::size_t faults_ = 0;
  std::map<fault_kind, tally> by_kind_;
};

}  // namespace failover
