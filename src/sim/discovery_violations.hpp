#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "artillery/sim.hpp"

namespace artillery::sim {

/// What broke which invariant, where and when: a line each.
class discovery_violations {
public:
  static constexpr std::size_t lines_max = 20;

  void add(const char* invariant, host at, time_point now, const std::string& what) {
    if (lines_.size() >= lines_max) return;
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
    lines_.push_back(std::string{invariant} + ": host " + std::to_string(at) + " at " + std::to_string(ms) +
                     " ms: " + what);
  }
  [[nodiscard]] const std::vector<std::string>& lines() const noexcept { return lines_; }

private:
  std::vector<std::string> lines_;
};

}  // namespace artillery::sim
