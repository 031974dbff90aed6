#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "artillery/sim.hpp"
#include "base/random.hpp"
#include "sim/run_options.hpp"

namespace artillery::sim {

/// One thing that a user or the fates do in a run.
struct discovery_choice {
  enum class kind : std::uint8_t {
    announce,
    change,
    withdraw,
    seek,
    seek_often,  ///< many seeks at once: more than anybody answers to one source
    crash,
    restart,
    pause,
    resume,
    partition,
    bridge,  ///< a partition with one host that both sides hear
    one_way,
    heal,
    suspend,     ///< a machine sleeps
    step_clock,  ///< the time of day is set
    clog         ///< a way holds everything back for a while
  };

  std::uint64_t number = 0;  ///< what `run_options::without` calls it
  duration at{};
  kind what = kind::announce;
  std::uint64_t host = 0;  ///< modulo the number of hosts
  std::uint64_t draw = 0;  ///< what the rest of it is drawn from
  bool left_out = false;   ///< by the options of the run
};

[[nodiscard]] std::string_view to_string(discovery_choice::kind what) noexcept;

/// What one seed's run is like: which families of faults it has at all, how strong they are, and everything that is
/// done in it.
struct discovery_swarm {
  std::size_t hosts = 2;
  std::uint32_t families = 0;  ///< bit per `fault_family`
  duration interval{};         ///< between announcements
  duration fault_phase{};
  link_faults faults;
  std::vector<std::int32_t> clock_drift;  ///< of each host, in millionths; empty: none drifts
  bool has_other_realm = false;           ///< a host of another cluster is on the link
  bool has_off_link = false;              ///< a host that only a router can have let through talks to the link
  std::vector<discovery_choice> choices;

  [[nodiscard]] bool has(fault_family family) const noexcept {
    return (families >> static_cast<unsigned>(family) & 1U) != 0;
  }
  /// Nothing goes wrong: what must hold on a quiet link is demanded, too.
  [[nodiscard]] bool quiet() const noexcept { return families == 0; }
  /// The longest that the network keeps a datagram.
  [[nodiscard]] duration transit_max() const noexcept;
};

/// Draws everything, then leaves out what `options` exclude.
[[nodiscard]] discovery_swarm draw_discovery(detail::random random, const run_options& options);

}  // namespace artillery::sim
