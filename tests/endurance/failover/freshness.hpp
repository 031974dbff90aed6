#pragma once

#include <map>
#include <string>
#include <vector>

#include "sim/history.hpp"

namespace failover {

/// What a strong read must show at least, by the versions that its writers were told. The checkers of histories say
/// the same and more; this names the reads, and tells a lost write from a late answer.
class freshness {
public:
  explicit freshness(const artillery::sim::history& operations);

  /// Whether this strong read, which was answered, lacks a write that was acknowledged before it began.
  [[nodiscard]] bool is_stale(const artillery::sim::history_operation& read) const;

private:
  struct acknowledgement {
    artillery::time_point at;
    artillery::replication::version newest;  ///< of all that were acknowledged by then
  };
  struct object {
    std::vector<acknowledgement> writes;  ///< in the order of time
    std::vector<artillery::replication::version> erases;
    bool has_unknown_erase = false;  ///< of which nobody knows where it stands
  };

  std::map<std::string, object> objects_;
};

}  // namespace failover
