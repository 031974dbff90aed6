#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench_row.hpp"
#include "library.hpp"

namespace peers {

enum class measure : std::uint8_t {
  views_full,
  cpu,
  resident,
  own_memory,
  datagrams,
  payload,
  event,
  missed,
  event_under_loss,
  missed_under_loss,
  first_report,
  last_report,
  rejoin,
  leave,
  false_idle,
  false_loss_10,
  false_loss_25,
  false_stopped,
  false_starved,
  starved_reported
};

/// As it is called in the file of columns.
[[nodiscard]] std::string_view to_string(measure what) noexcept;

/// One thing measured once.
struct sample {
  measure what;
  library of;
  std::size_t nodes;
  double value;
};

/// What was measured of ours, beside peers and targets. Where a target is the faster peer's figure, there is none
/// without peers.
[[nodiscard]] std::vector<bench::row> rows_of(const std::vector<sample>& samples);

/// A line for each sample, for plot.gp.
[[nodiscard]] std::string columns_of(const std::vector<sample>& samples);

}  // namespace peers
