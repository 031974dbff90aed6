// What the paper claims and this library relies on, one test each: SWIM (Das, Gupta & Motivala, DSN 2002).
#include "membership/recorder.hpp"
#include "sim/membership_world.hpp"

using namespace bench;
using membership::member_state;

namespace {

/// A cluster that has settled.
sim::membership_world settled(std::uint64_t seed, std::size_t nodes, membership::config config = {}) {
  sim::membership_world world{seed, std::move(config)};
  world.add({});
  for (std::size_t i = 1; i < nodes; ++i) world.add({0});
  REQUIRE(world.run_until_converged(20s));
  world.run_for(10s);
  return world;
}

}  // namespace

TEST_CASE("SWIM 3.1: each member sends the same number of messages whatever the size of the group",
          "[membership][paper]") {
  const auto datagrams_per_node_and_second = [](std::size_t nodes) {
    auto world = std::make_unique<sim::membership_world>(11);
    world->add({});
    for (std::size_t i = 1; i < nodes; ++i) world->add({0});
    REQUIRE(world->run_until_converged(20s));
    world->run_for(20s);
    const auto before = world->world().counters().datagrams_sent;
    world->run_for(100s);
    return (world->world().counters().datagrams_sent - before) / nodes / 100;
  };
  CHECK(datagrams_per_node_and_second(4) <= 2);
  CHECK(datagrams_per_node_and_second(32) <= 2);
}

TEST_CASE("SWIM 3.1: every live member detects every crash", "[membership][paper]") {
  sim::membership_world world{GENERATE(range(1U, 11U))};
  world.add({});
  for (int i = 1; i < 8; ++i) world.add({0});
  REQUIRE(world.run_until_converged(20s));
  world.power_off(3);
  world.run_for(40s);
  for (sim::host h : world.members()) CHECK(world.checkers().reported_failed(world.process(h), world.id(3)));
}

TEST_CASE("SWIM 3.1: an indirect probe goes round a broken path", "[membership][paper]") {
  sim::membership_world world{21};
  for (int i = 0; i < 5; ++i) world.add(i == 0 ? std::vector<sim::host>{} : std::vector<sim::host>{0});
  REQUIRE(world.run_until_converged(20s));
  world.world().cut(1, 2);
  world.world().cut(2, 1);
  world.run_for(120s);
  CHECK(world.checkers().seen().failed == 0);
  CHECK(world.converged());
}

TEST_CASE("SWIM 4.2: a suspected member that is alive refutes in time", "[membership][paper]") {
  sim::membership_world world{5};
  world.add({});
  for (int i = 1; i < 6; ++i) world.add({0});
  REQUIRE(world.run_until_converged(20s));
  world.world().pause(2);
  world.run_for(5s);
  world.world().resume(2);
  world.run_for(20s);
  CHECK(world.checkers().seen().suspected > 0);
  CHECK(world.checkers().seen().recovered == world.checkers().seen().suspected);
  CHECK(world.checkers().seen().failed == 0);
}

TEST_CASE("SWIM 4.3: round robin probes every member within two rounds", "[membership][paper]") {
  table t;
  constexpr std::uint64_t members = 12;
  for (std::uint64_t i = 1; i <= members; ++i) t.meet(make_peer(i));
  std::vector<endpoint> probed;
  for (std::uint64_t i = 0; i < 2 * members; ++i) {
    const auto ping = t.next_ping();
    probed.push_back(ping.to);
    t.answer(ping);
  }
  for (std::uint64_t i = 1; i <= members; ++i) {
    CHECK(std::count(probed.begin(), probed.end(), make_peer(i).at) >= 1);
  }
}

TEST_CASE("SWIM 4.1: news reaches everybody in a number of rounds that grows with the logarithm of the group",
          "[membership][paper]") {
  auto world = settled(31, 32);
  world.broadcast(0, "t");
  world.run_for(50ms);
  std::size_t reached = 0;
  for (sim::host h : world.members()) {
    if (h != 0) reached += world.checkers().events_seen(world.process(h), world.process(0), "t").size();
  }
  CHECK(reached == 31);
}
