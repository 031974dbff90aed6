// Splits of any length heal without help, soon, and without a storm of events.
#include <algorithm>

#include "catch.hpp"
#include "sim/membership_world.hpp"

using namespace artillery;
using namespace std::chrono_literals;

namespace {

/// Members that are given a seed only once: who was forgotten is not found again by it.
membership::config without_help() {
  membership::config config;
  config.seed_retry_max = 1'000h;
  return config;
}

struct told_to_all {
  explicit told_to_all(sim::membership_world& world) : seen{world.checkers().seen()} {}
  sim::membership_checkers::totals seen;
};

}  // namespace

TEST_CASE("after a split of any length there is one cluster again, soon and without a storm",
          "[membership][heal][sim]") {
  const auto [split, seed] = GENERATE(Catch::Generators::table<duration, std::uint64_t>(
      {{1s, 1}, {1s, 2}, {60s, 3}, {60s, 4}, {1h, 5}, {1h, 6}, {25h, 7}}));
  constexpr std::uint64_t members = 8;
  sim::membership_world world{seed, without_help()};
  world.add({});
  for (std::uint64_t i = 1; i < members; ++i) world.add({0});
  REQUIRE(world.run_until_converged(5s));
  world.run_for(10s);
  const told_to_all before{world};
  world.world().partition({0, 1, 2});
  world.run_for(split);
  world.world().heal();
  const time_point healed = world.world().now();
  CHECK(world.run_until_converged(120s));
  CAPTURE(split / 1s, (world.world().now() - healed) / 1ms);
  world.run_for(60s);
  CHECK(world.converged());
  const told_to_all after{world};
  // Each of 3 loses sight of 5, each of 5 of 3, once and no more, and sees them once again.
  CHECK(after.seen.failed - before.seen.failed <= 30);
  CHECK(after.seen.joined - before.seen.joined <= 30);
  CHECK(after.seen.suspected - before.seen.suspected <= 2 * members * members);
  CHECK(world.checkers().violations() == std::vector<std::string>{});
}

TEST_CASE("a member that is cut off alone comes back the same way", "[membership][heal][sim]") {
  const auto [split, seed] = GENERATE(Catch::Generators::table<duration, std::uint64_t>({{60s, 1}, {1h, 2}, {25h, 3}}));
  sim::membership_world world{seed, without_help()};
  world.add({});
  for (int i = 1; i < 8; ++i) world.add({0});
  REQUIRE(world.run_until_converged(5s));
  world.world().isolate(3);
  world.run_for(split);
  world.world().heal();
  CHECK(world.run_until_converged(120s));
  CHECK(world.checkers().violations() == std::vector<std::string>{});
}
