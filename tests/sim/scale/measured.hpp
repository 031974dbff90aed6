#pragma once

#include <cstdint>

#include "sim/membership_scale.hpp"

namespace scale {

/// One cluster's run, and what it took.
struct measured {
  artillery::sim::scale_figures figures;
  double wall_seconds = 0;
  double cpu_seconds = 0;
  std::uint64_t peak_bytes = 0;  ///< most memory that the process had meanwhile

  [[nodiscard]] double simulated_seconds() const;
  /// Above 1: faster than real time. By CPU time, since one thread does it all and others may want the machine, too.
  [[nodiscard]] double speed() const { return simulated_seconds() / cpu_seconds; }
  [[nodiscard]] double events_per_cpu_second() const;
};

/// `run` timed, and its memory watched.
[[nodiscard]] measured measure(const std::function<artillery::sim::scale_figures()>& run);

}  // namespace scale
