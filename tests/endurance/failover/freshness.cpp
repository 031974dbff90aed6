#include "freshness.hpp"

#include <algorithm>

namespace failover {

using operation = artillery::sim::history_operation;
using artillery::replication::version;

freshness::freshness(const artillery::sim::history& operations) {
  for (const operation& op : operations) {
    if (!op.is_write() || op.came_to == operation::outcome::void_) continue;
    object& of = objects_[op.key];
    const bool is_done = op.came_to == operation::outcome::done;
    if (op.what == operation::kind::erase) {
      if (!is_done) of.has_unknown_erase = true;
      if (is_done && op.applied) of.erases.push_back(op.version);
    }
    if (is_done && op.applied) of.writes.push_back({op.completed_at, op.version});
  }
  for (auto& [key, of] : objects_) {
    std::sort(of.writes.begin(), of.writes.end(),
              [](const acknowledgement& a, const acknowledgement& b) { return a.at < b.at; });
    version newest;
    for (acknowledgement& each : of.writes) each.newest = newest = std::max(newest, each.newest);
  }
}

bool freshness::is_stale(const operation& read) const {
  const auto found = objects_.find(read.key);
  if (found == objects_.end()) return false;
  const object& of = found->second;
  const auto later = std::lower_bound(of.writes.begin(), of.writes.end(), read.invoked_at,
                                      [](const acknowledgement& a, artillery::time_point t) { return a.at < t; });
  if (later == of.writes.begin()) return false;
  const version newest = (later - 1)->newest;
  if (read.found) return read.version < newest;
  const bool may_be_absent = of.has_unknown_erase || std::any_of(of.erases.begin(), of.erases.end(),
                                                                 [&](const version& v) { return v >= newest; });
  return !may_be_absent;
}

}  // namespace failover
