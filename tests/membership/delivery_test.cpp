// Every user event reaches every member, whatever the network loses.
#include "catch.hpp"
#include "sim/membership_world.hpp"

using namespace artillery;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t events_sent = 1'000;

void check_lossless(std::size_t members, std::uint32_t loss_percent) {
  sim::link_faults faults;
  faults.loss = loss_percent * 10;  // in thousandths
  sim::membership_world world{members + loss_percent, membership::config::lan(), {}};
  world.add({});
  for (std::size_t i = 1; i < members; ++i) world.add({0});
  REQUIRE(world.run_until_converged(20s));
  world.world().set_faults(faults);
  for (std::uint64_t i = 0; i < events_sent; ++i) {
    world.broadcast(static_cast<sim::host>(i % members), "news");
    world.run_for(20ms);
  }
  world.run_for(30s);
  std::uint64_t missed = 0;
  for (const sim::host at : world.members()) {
    for (const sim::host origin : world.members()) {
      if (at == origin) continue;
      const std::uint64_t sent = world.sent_on(world.process(origin), "news");
      missed += sent - world.checkers().events_seen(world.process(at), world.process(origin), "news").size();
    }
  }
  CHECK(missed == 0);
  CHECK(world.checkers().seen().user_events == events_sent * (members - 1));
  CHECK(world.checkers().seen().gaps == 0);
  CHECK(world.checkers().violations() == std::vector<std::string>{});
}

}  // namespace

TEST_CASE("a thousand events reach each of 8 members, and each of 32", "[membership][events][sim]") {
  check_lossless(GENERATE(8U, 32U), 0);
}

TEST_CASE("a thousand events reach all where every tenth datagram is lost", "[membership][events][sim]") {
  check_lossless(GENERATE(8U, 32U), 10);
}
