#include "sim/session_checks.hpp"

#include <algorithm>
#include <set>

namespace artillery::sim {
namespace {

using replication::version;

std::string words_of(const version& v) {
  return std::to_string(v.epoch) + "." + std::to_string(v.seq);
}

std::optional<std::string> fault_of(const history_operation& read, const std::set<version>& committed) {
  const std::uint64_t counted = std::max(read.after.committed().seq, read.after.seen().seq);
  if (read.as_of.seq < counted) return "claims to count less than place " + std::to_string(counted);
  if (read.found && read.version.seq < read.counted_before.seq) {
    return "finds " + words_of(read.version) + " after " + words_of(read.counted_before);
  }
  // An eventual read of a dirty object is of a log that may be lost itself.
  if (read.all_committed && !read.saw.none() && !committed.contains(read.saw)) {
    return "is of a log without " + words_of(read.saw) + ", which the session has seen, and does not say so";
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> check_sessions(const history& operations, const journal& committed) {
  std::set<version> places;
  for (const applied_effect& effect : committed) places.insert(effect.version);
  for (const history_operation& op : operations) {
    if (op.is_write() || op.came_to != history_operation::outcome::done || op.after.none()) continue;
    if (const auto fault = fault_of(op, places)) {
      return "a read of '" + op.key + "' by client " + std::to_string(op.client) + " after its session token " + *fault;
    }
  }
  return std::nullopt;
}

}  // namespace artillery::sim
