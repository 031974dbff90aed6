#pragma once

#include <string>
#include <system_error>
#include <vector>

#include "artillery/endpoint.hpp"

namespace artillery::membership {

// Where members of a cluster were, kept in a small text file, so that a node that starts again finds them without any
// other seed.

/// What the file says. Errors: `std::errc::no_such_file_or_directory`; `errc::damaged_data` (cut short, edited, or
/// something else), `errc::newer_format`, `errc::foreign_data` (of another cluster); the system's. `into` then stays as
/// it was.
[[nodiscard]] std::error_code read_snapshot(const std::string& path, const std::string& cluster,
                                            std::vector<endpoint>& into);
/// Replaces the file at once: a reader sees the old one or the new one, whole.
[[nodiscard]] std::error_code write_snapshot(const std::string& path, const std::string& cluster,
                                             const std::vector<endpoint>& members);

}  // namespace artillery::membership
