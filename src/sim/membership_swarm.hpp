#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "artillery/sim.hpp"
#include "base/random.hpp"
#include "membership/core.hpp"
#include "sim/run_options.hpp"

namespace artillery::sim {

/// What can be done to a cluster: faults, then what its users do.
enum class membership_act : std::uint8_t {
  crash,
  power_off,
  crash_midway,  ///< in an input soon, after some of what is done in it
  restart,
  pause,
  suspend,  ///< a machine sleeps
  partition,
  bridge,  ///< likewise, and one host that both sides see
  one_way,
  clog,   ///< a way holds everything back for a while
  forge,  ///< bytes that nobody sent
  leave,
  change_tags,
  broadcast,
  chatter,  ///< very many broadcasts in a short time
  send,     ///< a message to one member
  query     ///< a question to all
};

[[nodiscard]] std::string_view to_string(membership_act act) noexcept;

/// One thing that is done to a cluster, drawn with all that it needs, so that a run without it is otherwise the same.
struct membership_choice {
  std::uint64_t number = 0;  ///< what `run_options::without` calls it
  membership_act act{};
  duration at{};  ///< since the end of the start
  host which = 0;
  host other = 0;
  duration length{};
  std::uint64_t value = 0;
};

/// All that a seed draws: which families of faults there are, how strong, how large everything is, and what is done
/// when. What the options exclude is drawn and then dropped.
struct membership_swarm {
  std::uint32_t families = 0;
  std::size_t nodes = 3;
  link_faults links;
  stream_limits streams;
  std::vector<std::int32_t> clock_drift;  ///< of each node, in millionths; empty: none drifts
  membership::config settings;
  bool is_ipv6 = false;
  bool staggered = false;     ///< they do not start all at once
  bool seedless = false;      ///< seeds serve for joining only: what heals must heal by itself
  bool stays_broken = false;  ///< not all that is broken is made whole at the end
  duration length{};
  std::vector<membership_choice> plan;
  std::uint64_t choices = 0;  ///< how many were drawn

  [[nodiscard]] bool has(fault_family family) const noexcept {
    return (families >> static_cast<unsigned>(family) & 1U) != 0;
  }
  /// Nothing that could make a sound node doubt another.
  [[nodiscard]] bool faultless() const noexcept;
  /// The network loses and breaks no more than retries, helpers and refutations make good.
  [[nodiscard]] bool mild_network() const noexcept;
  /// The network loses no datagram, and keeps none for long.
  [[nodiscard]] bool lossless_network() const noexcept;
};

[[nodiscard]] membership_swarm draw_membership_swarm(const detail::random& random, const run_options& options);

}  // namespace artillery::sim
