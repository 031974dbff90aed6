// The rules of changing views, one by one: the steps from view to view, leases, gates, repair.
#include <chrono>

#include "catch.hpp"
#include "replication/lease.hpp"
#include "replication/next_view.hpp"
#include "replication/opening.hpp"
#include "replication/repair.hpp"

using namespace artillery;
using namespace artillery::replication;
using namespace std::chrono_literals;

namespace {

constexpr time_point start{1h};

replica_id name(std::uint64_t node, std::uint64_t incarnation = 1) {
  return {{1, node}, incarnation};
}

member at_home(const replica_id& who) {
  return {who, endpoint::v4(10, 0, 0, static_cast<std::uint8_t>(who.node.low), 7000)};
}

view chain_of(std::uint64_t replicas) {
  view v;
  v.chain = 1;
  v.epoch = 1;
  v.leases = lease_mode::timed;
  v.lease = 100ms;
  for (std::uint64_t node = 1; node <= replicas; ++node) {
    v.replicas.push_back(at_home(name(node)));
    v.readers.push_back(name(node));
  }
  return v;
}

}  // namespace

// --- R1 ---

TEST_CASE("a replica that is dropped stays among the readers until a tail has opened", "[replication][views]") {
  const replica_id gone = name(2);
  const auto second = without(chain_of(3), {&gone, 1}, false);
  REQUIRE(second);
  CHECK(second->epoch == 2);
  CHECK(second->replicas == std::vector{at_home(name(1)), at_home(name(3))});
  CHECK(second->readers == std::vector{name(1), name(2), name(3)});
  CHECK(has_gate(*second));

  const replica_id next = name(3);
  const auto third = without(*second, {&next, 1}, true);
  REQUIRE(third);
  CHECK(third->readers == std::vector{name(1), name(3)});
}

TEST_CASE("nobody drops the last replica, or one that is not there", "[replication][views]") {
  const replica_id only = name(1);
  const replica_id stranger = name(9);
  CHECK_FALSE(without(chain_of(1), {&only, 1}, true));
  CHECK_FALSE(without(chain_of(2), {&stranger, 1}, true));
}

TEST_CASE("an append inherits the readers of a gate that has not ended", "[replication][views]") {
  const replica_id gone = name(3);
  const auto shorter = without(chain_of(3), {&gone, 1}, true);
  const auto admitted = with_learner(*shorter, at_home(name(4)), false);
  REQUIRE(admitted);
  const auto longer = with_tail(*admitted, name(4), false);
  REQUIRE(longer);
  CHECK(longer->replicas.back().id == name(4));
  CHECK(longer->learners.empty());
  CHECK(has_gate(*longer));
  const auto opened = with_tail(*admitted, name(4), true);
  CHECK_FALSE(has_gate(*opened));
}

TEST_CASE("a node that is in the chain is not admitted once more under another name", "[replication][views]") {
  CHECK_FALSE(with_learner(chain_of(2), at_home(name(2, 7)), true));
  CHECK_FALSE(with_tail(chain_of(2), name(3), true));
}

TEST_CASE("views with endless leases have no gates", "[replication][views]") {
  view v = chain_of(1);
  v.readers.push_back(name(2));
  v.leases = lease_mode::endless;
  CHECK_FALSE(has_gate(v));
  v.leases = lease_mode::none;
  CHECK_FALSE(has_gate(v));
}

// --- R6 ---

TEST_CASE("a lease counts from the question, not from the answer", "[replication][views]") {
  lease held;
  held.asked(1, start, 100ms);
  held.granted(1, 100ms, start + 90ms);
  CHECK(held.until() == start + 100ms);
}

TEST_CASE("a lease that ended and is given again has been held since then", "[replication][views]") {
  lease held;
  held.asked(1, start, 100ms);
  held.granted(1, 100ms, start + 1ms);
  held.asked(2, start + 50ms, 100ms);
  held.granted(2, 100ms, start + 60ms);
  CHECK(held.held_since() == start + 1ms);
  held.asked(3, start + 200ms, 100ms);
  held.granted(3, 100ms, start + 201ms);
  CHECK(held.held_since() == start + 201ms);
}

TEST_CASE("a late yes to an early question counts from the early question", "[replication][views]") {
  lease held;
  held.asked(1, start, 100ms);
  held.asked(2, start + 40ms, 100ms);
  held.granted(1, 100ms, start + 60ms);
  CHECK(held.until() == start + 100ms);
  held.granted(2, 100ms, start + 70ms);
  CHECK(held.until() == start + 140ms);
}

TEST_CASE("a yes to a question of an earlier epoch counts for nothing", "[replication][views]") {
  lease held;
  held.asked(1, start, 100ms);
  held.drop();
  held.granted(1, 100ms, start + 1ms);
  CHECK(held.until() == time_point::min());
}

TEST_CASE("a lease is asked for again long before it ends", "[replication][views]") {
  lease held;
  held.asked(1, start, 90ms);
  CHECK(held.next_question() == start + 30ms);
}

// --- R8, R9 ---

TEST_CASE("a gate outlasts a lease on the slowest clock, counted on the fastest", "[replication][views]") {
  CHECK(gate_length(1s, 0) >= 1s);
  CHECK(gate_length(1s, 0) <= 1s + 2ms);
  // 1 s of a clock that loses a fifth takes 1.25 s, which are 1.5 s of one that gains a fifth.
  CHECK(gate_length(1s, 200'000) >= 1'500ms);
  CHECK(gate_length(1h, 500) >= 1h + 3'600ms);
}

TEST_CASE("a tail neither commits nor tells its watermark before it opens", "[replication][views]") {
  opening gate;
  gate.begin(false, start + 10ms);
  CHECK_FALSE(gate.commits());
  CHECK_FALSE(gate.exposes());
  CHECK_FALSE(gate.is_due(start + 9ms));
  REQUIRE(gate.is_due(start + 10ms));
  gate.open();
  CHECK(gate.commits());
  CHECK(gate.exposes());
}

TEST_CASE("a tail that had the right before may tell its watermark while its gate lasts", "[replication][views]") {
  opening gate;
  gate.begin(true, start + 10ms);
  CHECK_FALSE(gate.commits());
  CHECK(gate.exposes());
  CHECK(gate.keeps_right());
}

TEST_CASE("the gate of a frozen tail does not end before it thaws", "[replication][views]") {
  opening gate;
  gate.begin(false, start + 10ms);
  gate.freeze(7, start);
  CHECK(gate.frozen_last() == 7);
  CHECK_FALSE(gate.is_due(start + 20ms));
  gate.thaw();
  CHECK(gate.is_due(start + 20ms));
}

TEST_CASE("a tail that was frozen has no right in the next epoch", "[replication][views]") {
  opening gate;
  gate.begin(true, start);
  gate.open();
  CHECK(gate.keeps_right());
  gate.freeze(1, start);
  CHECK_FALSE(gate.commits());
  CHECK_FALSE(gate.exposes());
  CHECK_FALSE(gate.keeps_right());
}

TEST_CASE("voters that are quiet end a gate early", "[replication][views]") {
  opening gate;
  gate.begin(false, start + 10s);
  gate.hurry(start + 1ms);
  CHECK(gate.is_due(start + 1ms));
}

// --- repair ---

TEST_CASE("whoever failed is dropped, but nobody drops itself", "[replication][views]") {
  const repair policy{3, 1s, 1min};
  const chain_health seen{.self = name(1), .failed = {name(1), name(2)}, .candidates = {}, .tail_opened = true};
  const auto next = policy.next_step(chain_of(3), seen, start);
  REQUIRE(next);
  CHECK(next->replicas == std::vector{at_home(name(1)), at_home(name(3))});
}

TEST_CASE("a node that asks is admitted as long as the chain is short", "[replication][views]") {
  const repair policy{3, 1s, 1min};
  const chain_health seen{.self = name(2), .failed = {}, .candidates = {at_home(name(5))}, .tail_opened = true};
  const auto next = policy.next_step(chain_of(2), seen, start);
  REQUIRE(next);
  CHECK(next->learners == std::vector{at_home(name(5))});
  CHECK_FALSE(policy.next_step(chain_of(3), seen, start));
}

TEST_CASE("a node that comes and goes is kept out longer each time", "[replication][views]") {
  repair policy{2, 1s, 10s};
  const view with = chain_of(2);
  const view alone = chain_of(1);
  const node_id unsteady = name(2).node;
  policy.followed(with, alone, start);
  CHECK_FALSE(policy.kept_out_until(unsteady, start));
  policy.followed(with, alone, start + 1s);
  CHECK(policy.kept_out_until(unsteady, start + 1s) == start + 3s);
  for (int times = 0; times < 10; ++times) policy.followed(with, alone, start + 2s);
  CHECK(policy.kept_out_until(unsteady, start + 2s) == start + 12s);
  CHECK_FALSE(policy.kept_out_until(unsteady, start + 12s));
}
