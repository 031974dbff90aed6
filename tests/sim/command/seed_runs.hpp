#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "room.hpp"
#include "sim/run_options.hpp"
#include "sim/run_result.hpp"

namespace simulator {

/// The seeds of a run: those named, or so many from a first one on.
class seed_list {
public:
  seed_list(std::uint64_t first, std::uint64_t count) : first_{first}, count_{count} {}
  explicit seed_list(std::vector<std::uint64_t> named) : count_{named.size()}, named_{std::move(named)} {}

  [[nodiscard]] std::uint64_t size() const noexcept { return count_; }
  [[nodiscard]] std::uint64_t operator[](std::uint64_t at) const {
    return named_.empty() ? first_ + at : named_[static_cast<std::size_t>(at)];
  }

private:
  std::uint64_t first_ = 0;
  std::uint64_t count_ = 0;
  std::vector<std::uint64_t> named_;
};

struct run_plan {
  const room& where;
  seed_list seeds;
  artillery::sim::run_options fixed;
  unsigned jobs = 1;
  std::optional<std::chrono::nanoseconds> within;  ///< no new seed after this
  std::function<bool()> is_over = {};              ///< nor once this holds; asked by every thread
};

using seed_result = std::function<void(std::uint64_t seed, const artillery::sim::run_result& result)>;

/// Runs the seeds on so many threads, each with worlds of its own. `take` is told of them one at a time, in the order
/// of the list, whichever thread was quicker.
void run_seeds(const run_plan& plan, const seed_result& take);

}  // namespace simulator
