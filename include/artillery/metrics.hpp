#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace artillery {

/// Called once for each figure of an object, in a fixed order. `name` is a stable dotted name such as
/// "membership.datagrams_dropped.malformed"; counters only grow for the life of the object, gauges go up and down.
using metric_visitor = std::function<void(std::string_view name, std::uint64_t value)>;

}  // namespace artillery
