#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "artillery/clock.hpp"
#include "artillery/metrics.hpp"
#include "artillery/replication/types.hpp"
#include "net/driver.hpp"

namespace artillery::replication {

/// A driver's transport figures as they were a moment ago. They belong to its strand; this is what other threads see.
class transport_figures {
public:
  /// On the strand, at each step: looks at most every `age_max`.
  void refresh(const net::driver_base& driver, time_point now) {
    if (now - taken_ < age_max) return;
    taken_ = now;
    std::vector<std::pair<std::string, std::uint64_t>> fresh;
    driver.visit_metrics([&fresh](std::string_view name, std::uint64_t value) { fresh.emplace_back(name, value); });
    const std::lock_guard guard{mutex_};
    figures_.swap(fresh);
  }

  /// Any thread.
  void visit(const metric_visitor& visit) const {
    const std::lock_guard guard{mutex_};
    for (const auto& [name, value] : figures_) visit(name, value);
  }

private:
  static constexpr duration age_max = std::chrono::milliseconds{100};

  time_point taken_ = time_point{} - age_max;
  mutable std::mutex mutex_;
  std::vector<std::pair<std::string, std::uint64_t>> figures_;
};

}  // namespace artillery::replication
