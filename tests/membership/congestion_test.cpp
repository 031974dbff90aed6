#include "catch.hpp"
#include "membership/byte_budget.hpp"
#include "sim/membership_world.hpp"

using namespace artillery;
using namespace std::chrono_literals;

namespace {

constexpr sim::host talker = 0;

std::size_t user_events_at(sim::membership_world& world, sim::host to) {
  return world.checkers().events_seen(world.process(to), world.process(talker), "storm").size();
}

/// A cluster in which one member wants to say something every tenth of a millisecond, and says what was refused later.
struct storm {
  storm(membership::config config, const sim::link_faults& faults) : world{1, std::move(config), faults} {
    for (std::size_t i = 0; i < nodes; ++i) world.add(i == 0 ? std::vector<sim::host>{} : std::vector<sim::host>{0});
    REQUIRE(world.run_until_converged(10s));
    world.checkers().expect_no_suspicions(true);
  }
  /// Tries to say `wanted` events as fast as that, and goes on until all were said, or time is up.
  void rage(std::uint64_t wanted, duration limit) {
    const std::size_t process = world.process(talker);
    const time_point begin = world.world().now();
    for (std::uint64_t tries = 0; world.sent_on(process, "storm") < wanted && world.world().now() < begin + limit;) {
      const std::uint64_t before = world.sent_on(process, "storm");
      world.broadcast(talker, "storm");
      refused += world.sent_on(process, "storm") == before ? 1U : 0U;
      if (++tries % 10 == 0) world.run_for(1ms);
    }
    took = world.world().now() - begin;
  }

  static constexpr std::size_t nodes = 8;
  sim::membership_world world;
  std::uint64_t refused = 0;
  duration took{};
};

void check_all_heard(storm& s, std::uint64_t wanted) {
  REQUIRE(s.world.sent_on(s.world.process(talker), "storm") == wanted);
  s.world.run_for(20s);
  for (sim::host h = 1; h < storm::nodes; ++h) {
    CAPTURE(h);
    CHECK(user_events_at(s.world, h) == wanted);
  }
  CHECK(s.world.checkers().seen().gaps == 0);
  CHECK(s.world.converged());
  CHECK(s.world.checkers().violations() == std::vector<std::string>{});
}

}  // namespace

TEST_CASE("ten thousand events a second from one member are slowed down, and none is lost",
          "[membership][congestion]") {
  storm s{membership::config::lan(), {}};
  s.rage(10'000, 5min);
  CHECK(s.refused > 0);
  CHECK(s.took > 1s);
  check_all_heard(s, 10'000);
}

TEST_CASE("a storm under the least cap of bytes goes on slowly, and membership stays right",
          "[membership][congestion]") {
  membership::config config;
  config.bytes_per_second_max = 16 * (config.gossip_fanout + 1) * config.datagram_max;
  REQUIRE(config.validate().empty());
  storm s{config, {}};
  s.rage(3'000, 10min);
  CHECK(s.refused > 0);
  check_all_heard(s, 3'000);
  std::uint64_t delayed = 0;
  for (sim::host h = 0; h < storm::nodes; ++h) delayed += s.world.core(h)->counted().gossips_delayed;
  CHECK(delayed > 0);
  CHECK(s.world.checkers().seen().second_bytes_max <= config.bytes_per_second_max * 11 / 10);

  // A death in the midst of such a storm is told all the same.
  s.world.checkers().expect_no_suspicions(false);
  s.world.crash(7);
  s.rage(6'000, 30s);
  for (sim::host h = 0; h < 7; ++h) {
    CAPTURE(h);
    CHECK(s.world.checkers().reported_failed(s.world.process(h), s.world.id(7)));
  }
}

TEST_CASE("where everybody talks as fast as it can nobody sends more than the cap, and all is heard",
          "[membership][congestion]") {
  membership::config config;
  config.bytes_per_second_max = 16 * (config.gossip_fanout + 1) * config.datagram_max;
  storm s{config, {}};
  for (int i = 0; i < 5'000; ++i) {
    for (sim::host h = 0; h < storm::nodes; ++h) s.world.broadcast(h, "storm");
    s.world.run_for(1ms);
  }
  s.world.run_for(1min);
  for (sim::host from = 0; from < storm::nodes; ++from) {
    const std::uint64_t said = s.world.sent_on(s.world.process(from), "storm");
    CHECK(said > 0);
    CHECK(said < 5'000);  // the others were refused
    for (sim::host to = 0; to < storm::nodes; ++to) {
      CAPTURE(from, to);
      if (from == to) continue;
      CHECK(s.world.checkers().events_seen(s.world.process(to), s.world.process(from), "storm").size() == said);
    }
  }
  CHECK(s.world.checkers().seen().second_bytes_max <= config.bytes_per_second_max * 11 / 10);
  CHECK(s.world.checkers().seen().gaps == 0);
  CHECK(s.world.converged());
  CHECK(s.world.checkers().violations() == std::vector<std::string>{});
}

TEST_CASE("a budget of bytes fills evenly, and events leave a quarter of it to claims", "[membership][congestion]") {
  membership::byte_budget budget{80'000};  // 10,000 at a time, and 70,000 a second
  time_point now{1h};
  budget.refill(now);
  CHECK(budget.allows_claims(10'000));
  CHECK_FALSE(budget.allows_claims(10'001));
  CHECK(budget.allows_events(7'500));
  CHECK_FALSE(budget.allows_events(7'501));
  budget.spend(9'000);
  CHECK(budget.allows_claims(1'000));
  CHECK_FALSE(budget.allows_events(0));
  now += 100ms;
  budget.refill(now);
  CHECK(budget.allows_claims(8'000));
  CHECK_FALSE(budget.allows_claims(8'001));
  // What is sent in any case is made up for, to a bound.
  budget.spend(1'000'000);
  now += 1s;
  budget.refill(now);
  CHECK(budget.allows_claims(10'000));
  budget.refill(time_point{});  // a clock that stands still gives nothing
  CHECK_FALSE(budget.allows_claims(10'001));
}
