#pragma once

#include <cstdint>
#include <string>

#include "artillery/sim/faults.hpp"
#include "room.hpp"
#include "sim/run_options.hpp"

/// What the seeds of artillery's rooms are like, and what happens in them, in words.
namespace simulator {

[[nodiscard]] drawn chain_drawn(std::uint64_t seed, const artillery::sim::run_options& options);
[[nodiscard]] drawn views_drawn(std::uint64_t seed, const artillery::sim::run_options& options);
[[nodiscard]] drawn membership_drawn(std::uint64_t seed, const artillery::sim::run_options& options);
[[nodiscard]] drawn discovery_drawn(std::uint64_t seed, const artillery::sim::run_options& options);
[[nodiscard]] drawn register_drawn(std::uint64_t seed, const artillery::sim::run_options& options);

[[nodiscard]] room_words chain_words(std::uint64_t seed, const artillery::sim::run_options& options);
[[nodiscard]] room_words views_words(std::uint64_t seed, const artillery::sim::run_options& options);
[[nodiscard]] room_words membership_words(std::uint64_t seed, const artillery::sim::run_options& options);
[[nodiscard]] room_words discovery_words(std::uint64_t seed, const artillery::sim::run_options& options);
[[nodiscard]] room_words register_words(std::uint64_t seed, const artillery::sim::run_options& options);

/// A number and what it is of: `1 client`, `2 clients`.
[[nodiscard]] std::string counted(std::uint64_t number, const std::string& what);
/// `loss 12, delay 100us and 200us more`: those that are there, shares in thousandths.
[[nodiscard]] std::string faults_text(const artillery::sim::link_faults& faults);
/// `#3 at 120ms`
[[nodiscard]] std::string choice_text(std::uint64_t number, artillery::duration at);
/// To the millisecond.
[[nodiscard]] std::string time_text(artillery::duration time);

}  // namespace simulator
