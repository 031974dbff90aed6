#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "artillery/sim.hpp"
#include "base/random.hpp"
#include "replication/client_core.hpp"
#include "sim/chain_replica.hpp"
#include "sim/run_options.hpp"

namespace artillery::sim {

/// One fault at one time; whom it strikes is a function of `draw`.
struct fault_event {
  enum class kind : std::uint8_t {
    none,  ///< left out
    cut_one_way,
    isolate,
    split,   ///< two sides that do not see each other
    bridge,  ///< likewise, and one host that both see
    heal,
    pause,
    resume,
    pester,   ///< a stranger speaks to a replica
    suspend,  ///< a machine sleeps
    clog,     ///< a way holds everything back for a while
    hint,     ///< a replica is told something of another, true or not
    crash_client,
    crash_client_midway,  ///< in an input soon, after some of what it does in it
    crash_replica,
    crash_replica_midway,
    crash_replica_and_restart
  };
  static constexpr std::size_t kinds = 17;
  static constexpr std::array<std::string_view, kinds> kind_names{"none",
                                                                  "one_way_cuts",
                                                                  "isolations",
                                                                  "splits",
                                                                  "bridges",
                                                                  "heals",
                                                                  "stops",
                                                                  "continuations",
                                                                  "pesters",
                                                                  "sleeps",
                                                                  "clogs",
                                                                  "hints",
                                                                  "client_crashes",
                                                                  "client_crashes_midway",
                                                                  "replica_crashes",
                                                                  "replica_crashes_midway",
                                                                  "replica_crashes_and_restarts"};

  duration at{};
  kind what = kind::heal;
  std::uint64_t draw = 0;
};

/// What one seed's run is like: first which families of faults exist at all, then how strong they are, and sizes from
/// tiny to plenty.
struct chain_swarm {
  static constexpr std::size_t replicas_max = 8;
  static constexpr std::size_t keys_max = 8;

  std::uint32_t families = 0;  ///< bit per `fault_family`

  // --- sizes and load ---
  std::size_t replicas = 3;
  std::uint32_t clients = 2;
  std::uint32_t readers = 0;      ///< threads of each replica's process that read
  std::uint64_t keys = 2;         ///< at most `keys_max`
  std::uint32_t operations = 20;  ///< per client or reader
  std::uint32_t depth = 2;        ///< of each client's pipeline
  std::uint32_t batch = 1;        ///< keys of one `try_read` at most
  duration think_max{};
  std::uint64_t writes = 50;      ///< per cent of a client's operations
  std::uint64_t erases = 20;      ///< per cent of writes
  std::uint64_t conditions = 30;  ///< per cent of writes
  std::uint64_t weak_reads = 30;  ///< per cent of reads
  std::uint64_t tokens = 0;       ///< per cent of reads that are asked after their session's token
  std::uint64_t tries = 70;       ///< per cent of a reader's calls that begin with `try_read`
  std::uint64_t cancels = 0;      ///< per cent of a reader's calls that its caller may end
  std::uint64_t deadlines = 0;    ///< per cent of operations
  duration deadline_max = std::chrono::seconds{3};
  std::uint64_t value_max = 40;

  // --- limits and driving ---
  replication::read_mode reads = replication::read_mode::apportioned;
  std::uint32_t drift_ppm = 500;
  replication::replica_config replica;
  replication::client_config client;
  std::array<replica_driving, replicas_max> driving;
  std::array<std::int32_t, replicas_max> clock_drift{};  ///< of each replica, in millionths; within the view's

  // --- faults ---
  link_faults faults;
  std::vector<std::pair<host, host>> slow_ways;  ///< from and to; hosts are the replicas, head first, then the clients
  link_faults slow;                              ///< how they are
  stream_limits streams;
  duration stream_timeout{};
  duration fault_phase{};
  std::optional<std::uint32_t> lost_client;  ///< stays cut off when everything else is healed
  std::vector<fault_event> fault_events;

  [[nodiscard]] bool has(fault_family family) const noexcept {
    return (families >> static_cast<unsigned>(family) & 1U) != 0;
  }
  /// The lease of some replica ends and is not renewed.
  [[nodiscard]] bool a_lease_ends() const noexcept;
};

/// Everything is drawn from the seed; then what the options exclude is left out.
[[nodiscard]] chain_swarm draw_swarm(std::uint64_t seed, const run_options& options);

}  // namespace artillery::sim
