#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "sim/run_options.hpp"

namespace simulator {

/// How large a failing run is.
struct run_size {
  std::uint64_t events = 0;
  std::uint64_t choices = 0;
};

/// Runs a seed with these options. Its size when it still fails in the way that matters, otherwise nothing.
using attempt = std::function<std::optional<run_size>(const artillery::sim::run_options&)>;

/// Makes a failing run small, by trying: fewer families of faults, smaller sizes, an earlier end, fewer single choices
/// (by halves and quarters down to one by one), over and over until nothing can go or the time is up.
class shrinker {
public:
  /// `start` is known to fail and of this size. `is_over` is asked before each attempt.
  shrinker(artillery::sim::run_options start, run_size size, attempt try_it, std::function<bool()> is_over);

  void shrink();

  [[nodiscard]] const artillery::sim::run_options& smallest() const noexcept { return smallest_; }
  [[nodiscard]] const run_size& size() const noexcept { return size_; }
  [[nodiscard]] std::uint64_t attempts() const noexcept { return attempts_; }

private:
  enum class must { fail, fail_and_be_smaller };

  bool takes(const artillery::sim::run_options& candidate, must what);
  void drop_families();
  template <class Set>
  void find_least(std::uint64_t low, std::uint64_t high, Set set);
  void drop_choices();
  void forget_choices_that_are_gone();

  artillery::sim::run_options smallest_;
  run_size size_;
  attempt try_it_;
  std::function<bool()> is_over_;
  std::uint64_t attempts_ = 0;
};

}  // namespace simulator
