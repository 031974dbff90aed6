#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "artillery/sim.hpp"
#include "base/random.hpp"
#include "replication/proposer.hpp"
#include "sim/register_member.hpp"
#include "sim/run_options.hpp"

namespace artillery::sim {

/// One fault at one time. Its place in the plan is its number; whom it strikes is a function of `draw`.
struct register_fault {
  enum class kind : std::uint8_t {
    none,  ///< left out
    cut_one_way,
    isolate,
    split,
    bridge,
    heal,
    pause,
    resume,
    suspend,
    crash_voter,         ///< it comes back with its disk
    crash_voter_midway,  ///< likewise, in an input soon, after some of what it does in it
    crash_all_voters,    ///< likewise, all at once, as when the power fails; each is back soon
    lose_disk,           ///< it comes back with an empty one
    crash_member         ///< it comes back as a stranger
  };

  duration at{};
  kind what = kind::heal;
  std::uint64_t draw = 0;
};

using register_fault_kind = register_fault::kind;

/// The cluster whose register is run.
inline constexpr const char* register_cluster = "sim";

/// What one seed's run of the register is like.
struct register_swarm {
  static constexpr std::size_t members_max = 5;

  std::uint32_t families = 0;  ///< bit per `fault_family`
  std::size_t voters = 3;
  std::size_t members = 3;
  std::size_t founders = 1;        ///< the first so many found with one view
  bool has_other_founder = false;  ///< the last founds with another
  std::vector<std::size_t> first;  ///< replicas of the first view, head first
  duration lease{};
  std::uint32_t drift_ppm = 500;
  std::vector<std::int32_t> clock_drift;  ///< of every host: voters, then members
  replication::proposer_config proposer;
  std::vector<member_driving> driving;  ///< of every member
  link_faults faults;
  disk_faults disks;
  duration calm{};  ///< before anything goes wrong: in most seeds long enough to found the register
  duration fault_phase{};
  std::vector<register_fault> fault_events;

  [[nodiscard]] bool has(fault_family family) const noexcept {
    return (families >> static_cast<unsigned>(family) & 1U) != 0;
  }
};

[[nodiscard]] std::string_view to_string(register_fault_kind what) noexcept;

/// Draws all that `seed` is, then leaves out what `options` exclude.
[[nodiscard]] register_swarm register_swarm_of(std::uint64_t seed, const run_options& options);

}  // namespace artillery::sim
