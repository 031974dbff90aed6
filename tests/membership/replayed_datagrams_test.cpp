// Somebody writes down every datagram of a cluster, and sends them all again later: to whom they were sent, and to
// others.
#include "catch.hpp"
#include "sim/membership_world.hpp"

using namespace artillery;
using namespace std::chrono_literals;

namespace {

struct recorded {
  sim::host to;
  endpoint from;
  bytes datagram;
};

/// All that may happen to a cluster, in a minute or two: events, tags, messages, a question, a death, a restart, a
/// leave.
std::vector<recorded> record_a_life(sim::membership_world& world) {
  std::vector<recorded> tape;
  world.world().watch([&](const sim::happening& what) {
    if (what.what != sim::happening::kind::datagram) return;
    tape.push_back({what.where, what.on.peer, bytes::copy(what.message)});
  });
  world.add({});
  for (int i = 1; i < 6; ++i) world.add({0});
  REQUIRE(world.run_until_converged(5s));
  for (sim::host h = 0; h < 6; ++h) world.broadcast(h, "said once");
  world.call(1, [](membership::core& core, time_point now, membership::core::effects_type& out) {
    REQUIRE_FALSE(core.set_tags({{"role", "db"}}, now, out));
  });
  for (const bool reliable : {true, false}) static_cast<void>(world.send(2, 3, reliable));
  static_cast<void>(world.query(3, {}, 2s));
  world.run_for(5s);
  world.crash(5);
  world.run_for(40s);
  REQUIRE(world.checkers().reported_failed(world.process(0), world.id(5)));
  world.restart(5, {0});
  world.leave(4);
  world.run_for(30s);
  world.crash(4);
  world.broadcast(0, "said once");
  REQUIRE(world.run_until_converged(10s));
  world.run_for(30s);
  world.world().watch({});
  return tape;
}

}  // namespace

TEST_CASE("whatever was said once and comes again tells nobody anything", "[membership][robust][sim]") {
  const std::uint64_t seed = GENERATE(1U, 2U, 3U);
  sim::membership_world world{seed};
  std::vector<recorded> tape = record_a_life(world);
  REQUIRE(tape.size() > 1'000);
  detail::random random{seed};
  random.shuffle(tape);
  const auto before = world.checkers().seen();
  const auto given = world.messages().seen().given;
  const auto heard = world.queries().seen().heard;
  std::size_t sent = 0;
  for (const recorded& one : tape) {
    for (const sim::host to : {one.to, static_cast<sim::host>(random.below(4))})
      world.inject(to, one.from, one.datagram);
    if (++sent % 20 == 0) world.run_for(100ms);
  }
  world.run_for(30s);
  const auto after = world.checkers().seen();
  CHECK(after.joined == before.joined);
  CHECK(after.suspected == before.suspected);
  CHECK(after.recovered == before.recovered);
  CHECK(after.failed == before.failed);
  CHECK(after.left == before.left);
  CHECK(after.updated == before.updated);
  CHECK(after.user_events == before.user_events);
  CHECK(after.gaps == before.gaps);
  CHECK(world.messages().seen().given == given);
  CHECK(world.queries().seen().heard == heard);
  CHECK(world.converged());
  CHECK(world.checkers().violations() == std::vector<std::string>{});
}
