#pragma once

#include <optional>
#include <span>

#include "artillery/replication/types.hpp"

// R1: the steps from one view to the next. Each keeps the order of the replicas, the voters and everything that is
// fixed at the chain's beginning, and counts in `readers` everybody who may hold a lease while the next view is in
// force: the replicas of `now` if its tail is known to have opened (which it does only when nobody else holds one),
// else all the readers of `now`; and the replicas of the next. Nothing when the step is none: nobody would be left, a
// list would be too long, or the one it is about is not where it should be.

namespace artillery::replication {

/// Without `gone`: replicas and learners. At least one replica stays.
[[nodiscard]] std::optional<view> without(const view& now, std::span<const replica_id> gone, bool tail_opened);

/// With a learner as the new tail. Only the tail that froze in the epoch of `now` may propose it.
[[nodiscard]] std::optional<view> with_tail(const view& now, const replica_id& learner, bool tail_opened);

/// R14: with this replica alone, also if it is so already: an epoch that begins with nothing but its disk. `who`: with
/// the place where it listens now.
[[nodiscard]] std::optional<view> alone(const view& now, const member& who);

/// Without the replica or learner of this node, which is kept out from then on.
[[nodiscard]] std::optional<view> keeping_out(const view& now, const node_id& who, bool tail_opened);

/// With one more to be fed by the tail; it is no longer kept out.
[[nodiscard]] std::optional<view> with_learner(const view& now, const member& who, bool tail_opened);

[[nodiscard]] bool is_replica(const view& now, const replica_id& who) noexcept;
[[nodiscard]] bool is_learner(const view& now, const replica_id& who) noexcept;

}  // namespace artillery::replication
