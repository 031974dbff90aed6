#pragma once

#include <string>
#include <vector>

#include "bench_row.hpp"
#include "trials.hpp"

namespace failover {

/// What was measured beside what is wanted. `lease` is that of the chain; `gate` how long a new tail waits at most for
/// leases of dropped replicas to end.
[[nodiscard]] std::vector<bench::row> rows_of(const std::vector<sample>& samples, artillery::duration gate);

/// Medians and worst of each kind, as a table for people.
[[nodiscard]] std::string table_of(const std::vector<sample>& samples);

/// A line for each sample, in milliseconds, for plot.gp.
[[nodiscard]] std::string columns_of(const std::vector<sample>& samples);

}  // namespace failover
