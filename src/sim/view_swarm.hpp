#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "sim/chain_swarm.hpp"
#include "sim/plain_authority.hpp"
#include "sim/view_forcing.hpp"
#include "sim/voted_authority.hpp"

namespace artillery::sim {

/// One fault that calls for another view, or looks like it.
struct view_fault {
  enum class kind : std::uint8_t {
    none,  ///< left out
    crash_replica,
    crash_replica_midway,
    power_off_replica,
    pause_replica,       ///< past its lease, and then it goes on
    isolate_replica,     ///< from everybody, for a while
    cut_from_authority,  ///< for a while
    strand_head,         ///< from its successor and the authority, but not from its clients: what it takes is lost
    mute_tail,           ///< its predecessor hears nothing from the tail for a while, which others may still read at
    fail_while_joining,  ///< see view_plots
    silence_authority,
    strand_frozen_tail,
    say_failed,  ///< a replica is told that another has failed, true or not
    ask_change,  ///< an operator asks for another view
    power_cut    ///< all replicas end at once, and come back one by one
  };
  static constexpr std::array<std::string_view, 15> kind_names{"none",
                                                               "crash_replica",
                                                               "crash_replica_midway",
                                                               "power_off_replica",
                                                               "pause_replica",
                                                               "isolate_replica",
                                                               "cut_from_authority",
                                                               "strand_head",
                                                               "mute_tail",
                                                               "fail_while_joining",
                                                               "silence_authority",
                                                               "strand_frozen_tail",
                                                               "say_failed",
                                                               "ask_change",
                                                               "power_cut"};

  duration at{};
  kind what = kind::none;
  duration length{};
  std::uint64_t draw = 0;
};

/// What one seed's run is like when views change: a chain's run, and what is more in it.
struct view_swarm {
  chain_swarm chain;
  std::size_t spares = 1;  ///< hosts that are in no view at first
  duration lease{};
  replication::lease_mode leases = replication::lease_mode::timed;
  authority_manners authority;
  std::optional<voted_manners> voted;  ///< the real authority instead
  std::optional<forcing_manners>
      forcing;  ///< when the faults are over and nothing is healed yet; only where voters are
  std::vector<view_fault> faults;
  std::optional<std::uint64_t> stays_down;  ///< a draw: which host is, when everything else is healed
  std::optional<duration> sync_takes_max;   ///< replicas have disks, and restart with what is on them

  [[nodiscard]] std::size_t hosts() const noexcept { return chain.replicas + spares; }
};

/// Where the replica of a host listens, spares included.
[[nodiscard]] endpoint host_endpoint(std::size_t index);
/// The chain as it begins.
[[nodiscard]] replication::view genesis_of(const view_swarm& s);

/// Everything is drawn from the seed; then what the options exclude is left out.
[[nodiscard]] view_swarm draw_view_swarm(std::uint64_t seed, const run_options& options);

}  // namespace artillery::sim
