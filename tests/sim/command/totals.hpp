#pragma once

#include <sys/resource.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "room.hpp"
#include "sim/run_result.hpp"

namespace simulator {

/// A number with a name, as the summary shows it.
struct figure {
  std::string name;
  double value = 0;
  unsigned decimals = 0;

  [[nodiscard]] std::string text() const;
};

/// What many seeds came to together: counters are added up, but for times and extremes (`…_ms`, `…_max`), of which the
/// largest counts.
class totals {
public:
  void add(std::uint64_t seed, const artillery::sim::run_result& result);
  void spent(double cpu_seconds, double seconds);

  [[nodiscard]] std::uint64_t seeds() const noexcept { return seeds_; }
  [[nodiscard]] const std::map<std::uint64_t, std::vector<std::string>>& violations() const noexcept {
    return violations_;
  }
  /// First those that every summary of the room has, in a fixed order, then all other counters.
  [[nodiscard]] std::vector<figure> figures(const room& where) const;

private:
  struct counter {
    std::string name;
    std::uint64_t value = 0;
  };

  [[nodiscard]] std::optional<std::uint64_t> value_of(const std::string& name) const;
  [[nodiscard]] double head_value(const head_figure& wanted) const;

  std::uint64_t seeds_ = 0;
  std::uint64_t first_ = 0;
  std::vector<counter> counters_;
  std::map<std::uint64_t, std::vector<std::string>> violations_;
  double cpu_seconds_ = 0;
  double seconds_ = 0;
};

/// A counter's name as the summary writes it: one word.
[[nodiscard]] std::string as_word(std::string name);

/// User and system time, in seconds.
[[nodiscard]] double cpu_seconds_of(const rusage& used);
/// What this process has used of it.
[[nodiscard]] double cpu_seconds_used();

/// A figure that did not reach what was stated.
struct shortfall {
  std::string name;
  double reached = 0;
  double stated = 0;

  [[nodiscard]] std::string text() const;
};

/// Those of `stated`, name and number, that `figures` do not reach.
[[nodiscard]] std::vector<shortfall> less_than(const std::vector<std::pair<std::string, double>>& stated,
                                               const std::vector<figure>& figures);

}  // namespace simulator
