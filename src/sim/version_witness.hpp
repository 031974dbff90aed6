#pragma once

#include <optional>
#include <set>
#include <string>

#include "sim/history.hpp"

namespace artillery::sim {

/// The order of a chain's log as its clients' answers tell it.
struct witnessed_log {
  journal log;  ///< in the order of the places
  /// Objects with an erase of unknown outcome. An absent object has no version, so that no answer tells where such an
  /// erase has its place, if it has one: of these objects the log is not enough to judge by.
  std::set<std::string> undecided;
  std::optional<std::string> fault;  ///< what no log explains, whatever its order
};

/// Puts together the log from the versions in a history, for histories of which nobody has the log itself: a version
/// names a place, and every answer that carries one is a witness of what stands there. A write that nobody has seen,
/// and whose own outcome is unknown, is left out, which no answer can contradict. Each put must have a value of its
/// own.
[[nodiscard]] witnessed_log log_of_versions(const history& operations);

}  // namespace artillery::sim
