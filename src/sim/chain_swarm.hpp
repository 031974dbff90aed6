#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "artillery/sim.hpp"
#include "base/random.hpp"
#include "sim/chain_actors.hpp"

namespace artillery::sim {

/// One fault at one time; whom it strikes is a function of `draw`.
struct fault_event {
  enum class kind : std::uint8_t { cut_one_way, isolate, heal, pause, resume, crash_client, crash_replica };

  duration at{};
  kind what = kind::heal;
  std::uint64_t draw = 0;
};

/// What one seed's run is like: first which families of faults exist at all, then how strong they are, and sizes from
/// tiny to plenty.
struct chain_swarm {
  std::size_t replicas = 3;
  std::uint32_t clients = 2;
  std::uint64_t keys = 2;         ///< at most 8
  std::uint32_t operations = 20;  ///< per client
  std::uint32_t depth = 2;        ///< of each client's pipeline
  duration think_max{};
  std::uint64_t writes = 50;      ///< per cent of operations
  std::uint64_t erases = 20;      ///< per cent of writes
  std::uint64_t conditions = 30;  ///< per cent of writes
  std::uint64_t weak_reads = 30;  ///< per cent of reads
  std::uint64_t deadlines = 0;    ///< per cent of operations
  std::uint64_t value_max = 40;
  replication::read_mode reads = replication::read_mode::apportioned;
  replication::replica_config replica;
  replication::client_config client;
  replica_driving driving;
  link_faults faults;
  std::vector<std::pair<host, host>> slow_ways;  ///< from and to; hosts are the replicas, head first, then the clients
  link_faults slow;                              ///< how they are
  duration stream_timeout{};
  duration fault_phase{};
  std::vector<fault_event> fault_events;
};

[[nodiscard]] chain_swarm draw_swarm(detail::random& random);

}  // namespace artillery::sim
