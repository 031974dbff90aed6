#include "catch.hpp"
#include "sim/membership_world.hpp"

using namespace artillery;
using namespace std::chrono_literals;

namespace {

/// Two members send twenty events, then a third joins.
struct late_joiner {
  explicit late_joiner(std::size_t replayed) : world{1, settings(replayed)} {
    world.add({});
    world.add({0});
    REQUIRE(world.run_until_converged(10s));
    for (int i = 0; i < 10; ++i) {
      world.broadcast(0, "early");
      world.broadcast(1, "early");
      world.run_for(300ms);
    }
    world.add({0});
    REQUIRE(world.run_until_converged(10s));
    world.run_for(5s);
  }
  static membership::config settings(std::size_t replayed) {
    membership::config config;
    config.events_replayed = replayed;
    return config;
  }
  const std::vector<std::uint64_t>& told(sim::host of, const std::string& topic) {
    return world.checkers().events_seen(world.process(2), world.process(of), topic);
  }

  sim::membership_world world;
};

}  // namespace

TEST_CASE("a member that joins is told nothing from before its time", "[membership][replay]") {
  late_joiner late{0};
  CHECK(late.told(0, "early").empty());
  CHECK(late.told(1, "early").empty());
}

TEST_CASE("where events are replayed, a member that joins is told the last of them, once and in order",
          "[membership][replay]") {
  late_joiner late{6};
  CHECK(late.told(0, "early").size() + late.told(1, "early").size() == 6);
  for (const sim::host of : {0U, 1U}) {
    CAPTURE(of);
    REQUIRE_FALSE(late.told(of, "early").empty());
    CHECK(late.told(of, "early").back() == 10);
  }
  // What comes later comes to it as to anybody.
  late.world.broadcast(0, "late");
  late.world.run_for(2s);
  CHECK(late.told(0, "late") == std::vector<std::uint64_t>{1});
  CHECK(late.world.checkers().seen().gaps == 0);
  CHECK(late.world.checkers().violations().empty());
}
