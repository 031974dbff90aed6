#pragma once

#include <string>

#include "traffic.hpp"

namespace failover {

/// Writes what was seen to `file`, judges what whoever reads it finds, and tells on standard output; whether all is
/// well. Throws tool::failure when the file cannot be written.
[[nodiscard]] bool judge(const traffic::outcome& seen, const std::string& file);

}  // namespace failover
