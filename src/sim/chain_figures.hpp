#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "artillery/sim.hpp"
#include "sim/chain_client.hpp"
#include "sim/chain_replica.hpp"
#include "sim/chain_swarm.hpp"
#include "sim/history.hpp"

namespace artillery::sim {

/// What a run of a chain reached. Programs are counted when they end: by a crash or with the run.
class chain_figures {
public:
  void count(const replica_program& ended);
  void count(const client_program& ended);

  /// Everything, in a fixed order under fixed names.
  [[nodiscard]] std::vector<std::pair<std::string, std::uint64_t>> all(const history& operations,
                                                                       const world_counters& world) const;
  [[nodiscard]] std::uint64_t malformed() const noexcept { return sum_.malformed + malformed_at_clients_; }
  /// More than 5 % of the strong reads of clean objects asked the tail.
  [[nodiscard]] bool asks_needlessly() const noexcept {
    constexpr std::uint64_t one_in = 20;
    return needless_questions_ * one_in > needless_questions_ + sum_.local_reads;
  }

  /// Faults that struck, by kind.
  std::array<std::uint64_t, fault_event::kinds> struck{};
  std::uint64_t clocks_drifting = 0;
  std::uint64_t client_crashes = 0;
  std::uint64_t replica_crashes = 0;
  std::uint64_t reads_cancelled = 0;
  std::uint64_t tries_sent_on = 0;
  std::uint64_t void_tokens = 0;
  std::uint64_t orders_searched = 0;
  std::uint64_t searches_given_up = 0;
  std::uint64_t view_changes = 0;

private:
  replication::replica_counters sum_;
  std::uint64_t needless_questions_ = 0;
  std::uint64_t tried_ = 0;
  std::uint64_t stops_ = 0;
  std::uint64_t leases_ended_ = 0;
  std::uint64_t retries_ = 0;
  std::uint64_t malformed_at_clients_ = 0;
};

}  // namespace artillery::sim
