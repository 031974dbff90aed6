// What the paper claims and this library relies on, one test each: Lifeguard (Dadgar, Phillips & Currey, 2017).
#include <cmath>

#include "membership/recorder.hpp"
#include "sim/membership_world.hpp"

using namespace bench;
using membership::member_state;

namespace {

constexpr std::uint32_t unwell = 5;

/// A node with some others, which thinks itself unwell.
void sicken(table& t, std::uint32_t score) {
  // Each accusation that it refutes makes it worse.
  for (std::uint32_t i = 0; i < score; ++i) {
    membership::claim accusation{.about = t.core.self().id,
                                 .boot = t.core.self().boot,
                                 .incarnation = t.core.self().incarnation,
                                 .state = member_state::suspect,
                                 .accuser = {9},
                                 .facts = nullptr};
    t.receive(make_peer(1).at, membership::gossip{}, {accusation});
  }
  REQUIRE(t.core.health() == score);
}

/// Time passes, and everybody answers; how often `about` was told of in gossip meanwhile.
std::size_t live(table& t, duration length, const peer& about) {
  std::size_t said = 0;
  for (const time_point end = t.now + length; t.now < end;) {
    t.pass(5ms);
    for (const auto& ping : t.out.all<membership::ping>()) t.answer(ping);
    for (const auto& sent : t.out.all<membership::gossip>()) {
      const auto& claims = sent.message.items.claims;
      said += static_cast<std::size_t>(
          std::count_if(claims.begin(), claims.end(), [&](const membership::claim& c) { return c.about == about.id; }));
    }
    t.out.clear();
  }
  return said;
}

void meet_all(table& t, std::uint64_t count) {
  for (std::uint64_t i = 1; i <= count; ++i) t.meet(make_peer(i));
}

}  // namespace

TEST_CASE("Lifeguard IV.A: the probe interval is the base interval times (LHM + 1)", "[membership][paper]") {
  table t;
  meet_all(t, 4);
  sicken(t, unwell);
  t.next_ping();
  const time_point first = t.now;
  t.next_ping();
  CHECK(t.now - first == 1s * (unwell + 1));
}

TEST_CASE("Lifeguard IV.A: the probe timeout is the base timeout times (LHM + 1)", "[membership][paper]") {
  table t;
  meet_all(t, 4);
  sicken(t, 1);
  t.next_ping();
  t.pass(999ms);
  CHECK(t.out.all<membership::ping_request>().empty());
  t.pass(1ms);
  CHECK(t.out.all<membership::ping_request>().size() == 3);
}

TEST_CASE("Lifeguard IV.A: a successful probe makes it better by one, and never less than 0", "[membership][paper]") {
  table t;
  meet_all(t, 4);
  sicken(t, 2);
  for (const std::uint32_t left : {1U, 0U, 0U}) {
    t.answer(t.next_ping());
    CHECK(t.core.health() == left);
  }
}

TEST_CASE("Lifeguard IV.A: a failed probe makes it worse by one", "[membership][paper]") {
  table t;
  t.meet(make_peer(1));  // nobody can help, or fail to
  t.next_ping();
  t.pass(2s);
  CHECK(t.core.health() == 1);
}

TEST_CASE("Lifeguard IV.A: having to refute a suspicion makes it worse by one", "[membership][paper]") {
  table t;
  t.meet(make_peer(1));
  sicken(t, 1);
  CHECK(t.core.counted().refutations == 1);
}

TEST_CASE("Lifeguard IV.A: each nack that does not come makes it worse", "[membership][paper]") {
  const auto health_with_nacks = [](std::size_t nacks) {
    table t;
    meet_all(t, 6);
    const auto ping = t.next_ping();
    t.pass(600ms);
    const auto asked = t.out.all<membership::ping_request>();
    REQUIRE(asked.size() == 3);
    for (std::size_t i = 0; i < nacks; ++i) {
      t.receive(asked[i].to, membership::nack{std::get<membership::ping>(ping.message.body).sequence});
    }
    t.pass(400ms);
    return t.core.health();
  };
  CHECK(health_with_nacks(0) > health_with_nacks(1));
  CHECK(health_with_nacks(1) > health_with_nacks(2));
  CHECK(health_with_nacks(3) == 0);  // the target is to blame
}

TEST_CASE("Lifeguard IV.A: the LHM saturates at S", "[membership][paper]") {
  table t;
  meet_all(t, 4);
  sicken(t, 8);
  t.next_ping();
  t.pass(60s);
  CHECK(t.core.health() == 8);
}

TEST_CASE("Lifeguard IV.A: a helper sends its nack at 80 % of what the prober waits", "[membership][paper]") {
  table t;
  meet_all(t, 2);
  t.out.clear();
  t.receive(make_peer(1).at, membership::ping_request{.sequence = 3,
                                                      .target = membership::shorten(make_peer(2).id),
                                                      .addressee = membership::address_tag(make_peer(2).id, 1),
                                                      .left_ms = 500});
  t.pass(399ms);
  CHECK(t.out.all<membership::nack>().empty());
  t.pass(2ms);
  CHECK(t.out.all<membership::nack>().size() == 1);
}

TEST_CASE("Lifeguard IV.A: a slow node does not bury healthy ones", "[membership][paper]") {
  sim::membership_world world{GENERATE(range(1U, 6U))};
  world.add({});
  for (int i = 1; i < 12; ++i) world.add({0});
  REQUIRE(world.run_until_converged(20s));
  // One node hears everything late, later than the probe timeout.
  sim::link_faults late;
  late.delay_min = 700ms;
  for (sim::host h = 0; h < 12; ++h) {
    if (h != 4) world.world().set_faults(h, 4, late);
  }
  world.run_for(120s);
  for (sim::host h = 0; h < 12; ++h) {
    if (h != 4) CHECK_FALSE(world.checkers().reported_failed(world.process(4), world.id(h)));
  }
}

TEST_CASE("Lifeguard IV.B: confirmations shorten a suspicion", "[membership][paper]") {
  const auto time_to_fail = [](std::uint64_t accusers) {
    table t;
    const peer p = make_peer(1);
    for (std::uint64_t i = 1; i <= 9; ++i) t.meet(make_peer(i));
    for (std::uint64_t i = 0; i < accusers; ++i) {
      auto c = p.claim(member_state::suspect);
      c.accuser = {100 + i};
      t.receive(make_peer(2).at, membership::gossip{}, {c});
    }
    const time_point from = t.now;
    while (t.out.count<membership::failed>() == 0) {
      t.now = std::max(t.now, *t.core.next_deadline());
      t.core.expire(t.now, t.out);
      for (const auto& ping : t.out.all<membership::ping>()) {
        if (ping.to != p.at) t.answer(ping);
      }
      t.out.datagrams.clear();
    }
    return t.now - from;
  };
  CHECK(time_to_fail(3) == 4s);
  CHECK(time_to_fail(1) > time_to_fail(3));
}

TEST_CASE("Lifeguard IV.B: the timeout is max(Min, Max - (Max - Min) log(C + 1) / log(K + 1))", "[membership][paper]") {
  constexpr duration least = 4s;
  constexpr duration most = 24s;
  for (const std::uint8_t needed : {std::uint8_t{1}, std::uint8_t{2}}) {
    for (std::uint8_t had = 0; had <= needed; ++had) {
      const double share = std::log(had + 1.0) / std::log(needed + 1.0);
      const double expected = std::max(4.0, 24.0 - 20.0 * share);
      const duration is = membership::suspicion_timeout(least, most, had, needed);
      CHECK(std::abs(static_cast<double>(is / 1ms) / 1000.0 - expected) < 0.02);
    }
  }
}

TEST_CASE("Lifeguard IV.B: Min is alpha log10(n) intervals and Max is beta times that", "[membership][paper]") {
  CHECK(membership::suspicion_timeout_min(4, 10, 1s) == 4s);
  CHECK(membership::suspicion_timeout_min(4, 100, 1s) == 8s);
  table t;
  const peer p = make_peer(1);
  meet_all(t, 4);
  auto accusation = p.claim(member_state::suspect);
  accusation.accuser = {77};
  t.receive(make_peer(2).at, membership::gossip{}, {accusation});
  const time_point from = t.now;
  while (t.state_of(p) == member_state::suspect) live(t, 5ms, p);
  CHECK(t.now - from >= 4s);
  CHECK(t.now - from <= 6 * 4s + 1s);
}

TEST_CASE("Lifeguard IV.B: a suspicion from somebody new is told on, a repeated one is not", "[membership][paper]") {
  table t;
  const peer p = make_peer(1);
  meet_all(t, 8);
  const auto accuse = [&](std::uint64_t accuser) {
    auto c = p.claim(member_state::suspect);
    c.accuser = {accuser};
    t.receive(make_peer(2).at, membership::gossip{}, {c});
  };
  live(t, 5s, p);
  accuse(100);
  CHECK(live(t, 2s, p) > 0);
  accuse(100);
  CHECK(live(t, 1s, p) == 0);
  accuse(101);
  CHECK(live(t, 1s, p) > 0);
  CHECK(t.state_of(p) == member_state::suspect);
}

TEST_CASE("Lifeguard IV.C: the suspect is the first to hear of the suspicion", "[membership][paper]") {
  table t;
  const peer p = make_peer(1);
  t.meet(p);
  t.receive(make_peer(2).at, membership::gossip{}, {p.claim(member_state::suspect)});
  CHECK(t.next_ping().message.items.claims.front().about == p.id);
  // And whoever asks while it is under suspicion is told, too.
  t.out.clear();
  t.receive(p.at, membership::ping{.sequence = 1,
                                   .addressee = membership::address_tag(t.core.self().id, t.core.self().boot),
                                   .sender = membership::shorten(p.id),
                                   .digests = {}});
  CHECK(t.out.all<membership::ack>().front().message.items.claims.front().about == p.id);
}
