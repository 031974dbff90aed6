#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "artillery/clock.hpp"
#include "artillery/replication/types.hpp"
#include "base/state_hash.hpp"

namespace artillery::replication {

/// What one replica knows of its chain that calls for another view. Hints: a wrong one costs a reconfiguration, nothing
/// more.
struct chain_health {
  replica_id self;
  std::vector<replica_id> failed;  // replicas and learners that seem to be gone
  std::vector<member> candidates;  // nodes that ask to be fed; known to the tail alone
  bool tail_opened = false;        // in this epoch
};

/// The policy by which a chain heals: a failed replica or learner is dropped, a node that asks to be fed is admitted as
/// long as there are fewer replicas and learners than wanted. (Promotion is the tail's own: it has to freeze first.) A
/// node that was dropped is kept out for a while, longer each time, so that one that comes and goes does not change the
/// view for ever.
class repair {
public:
  repair(std::size_t wanted, duration readmit_min, duration readmit_max)
      : wanted_{wanted}, readmit_min_{readmit_min}, readmit_max_{readmit_max} {}

  /// The view to propose, if any.
  [[nodiscard]] std::optional<view> next_step(const view& now, const chain_health& seen, time_point at) const;
  /// Whoever came and went may come back at once.
  void forgive() noexcept { departures_.clear(); }
  /// Takes note of who left the chain.
  void followed(const view& before, const view& after, time_point at);
  /// When a node that is kept out may come back; nothing when it may now.
  [[nodiscard]] std::optional<time_point> kept_out_until(const node_id& who, time_point at) const noexcept;

  void hash(detail::state_hash& into, time_point now) const;

private:
  static constexpr std::size_t remembered_max = 64;

  struct departure {
    node_id who;
    std::uint32_t times = 0;
    time_point last;
  };

  [[nodiscard]] duration kept_out_for(const departure& of) const noexcept;

  std::size_t wanted_;
  duration readmit_min_;
  duration readmit_max_;
  std::vector<departure> departures_;
};

}  // namespace artillery::replication
