#include "measured.hpp"

#include <malloc.h>

#include <chrono>
#include <fstream>
#include <string>

#include "totals.hpp"

namespace scale {
namespace {

/// What the last run has given back shall not count for this one.
void forget_peak() {
  ::malloc_trim(0);
  std::ofstream{"/proc/self/clear_refs"} << "5";
}

std::uint64_t peak_so_far() {
  std::ifstream status{"/proc/self/status"};
  std::string word;
  while (status >> word) {
    if (word != "VmHWM:") continue;
    std::uint64_t kib = 0;
    status >> kib;
    return kib * 1024;
  }
  return 0;
}

}  // namespace

double measured::simulated_seconds() const {
  return std::chrono::duration<double>(figures.simulated).count();
}

double measured::events_per_cpu_second() const {
  return static_cast<double>(figures.events) / cpu_seconds;
}

measured measure(const std::function<artillery::sim::scale_figures()>& run) {
  forget_peak();
  const double cpu_before = simulator::cpu_seconds_used();
  const auto start = std::chrono::steady_clock::now();
  measured result;
  result.figures = run();
  result.wall_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  result.cpu_seconds = simulator::cpu_seconds_used() - cpu_before;
  result.peak_bytes = peak_so_far();
  return result;
}

}  // namespace scale
