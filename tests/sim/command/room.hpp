#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "run_trace.hpp"
#include "sim/run_options.hpp"
#include "sim/run_result.hpp"

namespace simulator {

/// What a seed draws: names and values, one pair for each line.
using drawn = std::vector<std::pair<std::string, std::string>>;

/// A figure that a room's summary line begins with: the counter of this name, or, where the room counts more finely,
/// the sum of these.
struct head_figure {
  std::string name;
  std::vector<std::string> parts = {};
  std::uint64_t divisor = 1;
  unsigned decimals = 0;
};

/// What a thousand seeds with all faults reach at least. A run that reaches less was easier than it claims to be.
struct floor {
  std::string figure;
  std::uint64_t per_thousand_seeds;
};

/// One of the things that can be simulated.
struct room {
  std::string name;
  std::function<artillery::sim::run_result(std::uint64_t, const artillery::sim::run_options&)> run;
  head_figure operations;         ///< behind `seeds` and before `violations`
  std::vector<head_figure> head;  ///< between `violations` and `events_per_cpu_second`
  std::vector<floor> floors;
  std::function<drawn(std::uint64_t, const artillery::sim::run_options&)> describe = nullptr;    ///< what a seed draws
  std::function<room_words(std::uint64_t, const artillery::sim::run_options&)> words = nullptr;  ///< for its trace
  std::vector<std::string> mutants = {};             ///< only in the build that has them
  std::vector<std::string> left_to_tests = {};       ///< of `mutants`, those that a test finds and hardly a seed
  std::function<void(std::size_t)> plant = nullptr;  ///< one of `mutants`, or with their number none
};

/// The rooms of this program.
[[nodiscard]] std::vector<room> rooms();

/// The names, one blank between two.
[[nodiscard]] std::string names_of(const std::vector<room>& all);
/// Null when there is none of this name.
[[nodiscard]] const room* find_room(const std::vector<room>& all, const std::string& name);

/// What a seed came to; a broken invariant or an exception is a violation like any other.
[[nodiscard]] artillery::sim::run_result run_guarded(const room& where, std::uint64_t seed,
                                                     const artillery::sim::run_options& options);

/// Stands for what a seed draws under these options: another number, another run. Nothing where the room does not tell.
[[nodiscard]] std::optional<std::uint64_t> hash_of_draws(const room& where, std::uint64_t seed,
                                                         const artillery::sim::run_options& options);

/// What a violation is about, without its time, its hosts and its numbers: equal for two runs that fail alike.
[[nodiscard]] std::string invariant_of(const std::string& violation);

}  // namespace simulator
