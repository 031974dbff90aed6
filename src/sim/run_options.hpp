#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "artillery/clock.hpp"
#include "artillery/sim/happening.hpp"

namespace artillery::sim {

/// Families of faults. A seed draws which of them exist at all; a room has those that mean something to it.
enum class fault_family : std::uint8_t {
  loss,
  duplication,
  reorder,
  corruption,  ///< bits flipped under way
  garbage,     ///< bytes that nobody sent: random, cut short, spliced, of another version or cluster
  reset,       ///< streams that break
  congestion,  ///< streams that fill up
  slow_link,
  clog,  ///< a link that holds everything back for a while
  partition,
  one_way,
  crash,
  restart,
  pause,
  clock,  ///< drift, steps of the wall clock, suspended machines
  disk
};
inline constexpr std::size_t fault_families = 16;
inline constexpr std::array<std::string_view, fault_families> fault_family_names{
    "loss", "duplication", "reorder", "corruption", "garbage", "reset", "congestion", "slow-link",
    "clog", "partition",   "one-way", "crash",      "restart", "pause", "clock",      "disk"};

/// What the caller may fix of a seed's run; everything else is drawn from the seed. The draws are made all the same, so
/// that a run with less in it is otherwise the same run as long as it can be: what a failed seed is shrunk by.
struct run_options {
  static constexpr std::uint32_t all_families = (1U << fault_families) - 1;

  std::uint32_t families = all_families;    ///< bit per `fault_family`: those that may exist
  std::optional<std::size_t> nodes;         ///< replicas, members or hosts, instead of a drawn number
  std::optional<duration> time;             ///< length of the phase with faults, instead of a drawn one
  std::optional<std::uint32_t> operations;  ///< per client or member, at most
  std::vector<std::uint64_t> without = {};  ///< choices (faults and operations by number, ascending) to leave out
  watcher watch = {};                       ///< is told all that happens in the run, which is the same without it

  [[nodiscard]] bool has(fault_family family) const noexcept {
    return (families >> static_cast<unsigned>(family) & 1U) != 0;
  }
};

}  // namespace artillery::sim
