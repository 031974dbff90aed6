#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "sim/chain_figures.hpp"
#include "sim/history.hpp"
#include "sim/view_checks.hpp"

namespace artillery::sim {

/// At the end of a run of a chain whose view changes: whether what its users saw goes with the log that was committed.
/// Of the first `searched` objects an order of their operations is searched besides, without a look at the log.
[[nodiscard]] std::optional<std::string> check_view_histories(const view_observer& observer, const history& seen,
                                                              std::size_t searched, chain_figures& figures);

}  // namespace artillery::sim
