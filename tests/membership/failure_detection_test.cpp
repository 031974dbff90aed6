#include "membership/recorder.hpp"

using namespace bench;
using membership::member_state;

TEST_CASE("a member that answers is not suspected", "[membership][probe]") {
  table t;
  const peer p = make_peer(1);
  t.meet(p);
  for (int i = 0; i < 20; ++i) t.answer(t.next_ping());
  CHECK(t.state_of(p) == member_state::alive);
  CHECK(t.core.counted().probes_indirect == 0);
}

TEST_CASE("a member that does not answer is asked through three others and over TCP, then suspected",
          "[membership][probe]") {
  table t;
  for (std::uint64_t i = 1; i <= 6; ++i) t.meet(make_peer(i));
  const auto ping = t.next_ping();
  t.out.clear();
  t.pass(500ms);
  CHECK(t.out.all<membership::ping_request>().size() == 3);
  REQUIRE(t.out.opened.size() == 1);
  CHECK(t.out.opened.front().second == ping.to);
  t.pass(499ms);
  CHECK(t.out.count<membership::suspected>() == 0);
  t.pass(1ms);
  CHECK(t.out.count<membership::suspected>() == 1);
}

TEST_CASE("who has refuted meanwhile is not accused once more by the same probe", "[membership][probe]") {
  table t;
  peer p = make_peer(1);
  t.meet(p);
  t.answer(t.next_ping());
  t.next_ping();
  t.out.clear();
  t.pass(membership::config::lan().probe_timeout);
  REQUIRE(t.out.opened.size() == 1);
  const auto refused = connection::stream(t.out.opened.front().first, p.at);
  t.core.link(refused, link_state::down, t.now, t.out);
  while (t.state_of(p) == member_state::alive) t.pass(10ms);
  CHECK(t.core.counted().probes_unanswered == 0);
  p.incarnation = 1;
  t.receive(p.at, membership::gossip{}, {p.claim()});
  const auto before = t.core.counted().probes_unanswered;
  while (t.core.counted().probes_unanswered == before) t.pass(10ms);
  CHECK(t.state_of(p) == member_state::alive);
  CHECK(t.core.counted().suspicions == 1);
}

TEST_CASE("an answer that a helper passes on counts", "[membership][probe]") {
  table t;
  for (std::uint64_t i = 1; i <= 3; ++i) t.meet(make_peer(i));
  const auto ping = t.next_ping();
  const auto sequence = std::get<membership::ping>(ping.message.body).sequence;
  t.out.clear();
  t.pass(600ms);
  const auto asked = t.out.all<membership::ping_request>();
  REQUIRE_FALSE(asked.empty());
  t.receive(asked.front().to, membership::ack{sequence, {}});
  t.pass(600ms);
  CHECK(t.out.count<membership::suspected>() == 0);
}

TEST_CASE("an answer over TCP counts", "[membership][probe]") {
  table t;
  t.meet(make_peer(1));
  const auto ping = t.next_ping();
  t.pass(600ms);
  REQUIRE(t.out.opened.size() == 1);
  const auto stream = connection::stream(t.out.opened.front().first, ping.to);
  t.core.link(stream, link_state::up, t.now, t.out);
  REQUIRE(t.out.frames.size() == 1);
  std::vector<std::byte> frame;
  membership::write_frame(frame, detail::cluster_tag("default"), true,
                          membership::ack{std::get<membership::ping>(ping.message.body).sequence, {}});
  t.core.receive(stream, frame, t.now, t.out);
  t.pass(600ms);
  CHECK(t.out.count<membership::suspected>() == 0);
}

TEST_CASE("answers with another number or from another address count for nothing", "[membership][probe]") {
  table t;
  t.meet(make_peer(1));
  const auto ping = t.next_ping();
  const auto sequence = std::get<membership::ping>(ping.message.body).sequence;
  t.receive(ping.to, membership::ack{sequence + 1, {}});
  t.receive(endpoint::v4(10, 9, 9, 9, 1), membership::ack{sequence, {}});
  t.pass(1100ms);
  CHECK(t.out.count<membership::suspected>() == 1);
}

TEST_CASE("an answer that comes when its time is over ends no suspicion: only the suspect's own word does",
          "[membership][probe]") {
  table t;
  const peer p = make_peer(1);
  t.meet(p);
  const auto ping = t.next_ping();
  t.pass(1s);
  REQUIRE(t.state_of(p) == member_state::suspect);
  t.answer(ping);
  CHECK(t.state_of(p) == member_state::suspect);
  auto refuting = p;
  refuting.incarnation = 1;
  t.meet(refuting);
  CHECK(t.state_of(p) == member_state::alive);
}

TEST_CASE("the answer to a suspect's ping carries the suspicion", "[membership][suspicion]") {
  table t;
  const peer p = make_peer(1);
  t.meet(p);
  t.meet(make_peer(2));
  t.receive(make_peer(2).at, membership::gossip{}, {p.claim(member_state::suspect)});
  t.pass(3s);  // it is no news any more
  t.out.clear();
  t.receive(p.at, membership::ping{7, membership::address_tag(t.core.self().id, 5), membership::shorten(p.id), {}});
  const auto acks = t.out.all<membership::ack>();
  REQUIRE(acks.size() == 1);
  REQUIRE_FALSE(acks.front().message.items.claims.empty());
  CHECK(acks.front().message.items.claims.front().about == p.id);
  CHECK(acks.front().message.items.claims.front().state == member_state::suspect);
}

TEST_CASE("a suspect that stays silent is reported failed, once", "[membership][suspicion]") {
  table t;
  const peer p = make_peer(1);
  t.meet(p);
  t.pass(30s);
  CHECK(t.state_of(p) == member_state::failed);
  CHECK(t.out.count<membership::suspected>() == 1);
  CHECK(t.out.count<membership::failed>() == 1);
}

TEST_CASE("a suspect that refutes is reported recovered", "[membership][suspicion]") {
  table t;
  peer p = make_peer(1);
  t.meet(p);
  t.receive(make_peer(2).at, membership::gossip{}, {p.claim(member_state::suspect)});
  CHECK(t.state_of(p) == member_state::suspect);
  t.receive(p.at, membership::gossip{}, {p.claim()});
  CHECK(t.state_of(p) == member_state::suspect);  // the same incarnation refutes nothing
  p.incarnation = 1;
  t.receive(p.at, membership::gossip{}, {p.claim()});
  CHECK(t.state_of(p) == member_state::alive);
  CHECK(t.out.count<membership::recovered>() == 1);
}

TEST_CASE("the ping to a suspect carries the suspicion", "[membership][suspicion]") {
  table t;
  peer p = make_peer(1);
  t.meet(p);
  t.receive(make_peer(2).at, membership::gossip{}, {p.claim(member_state::suspect)});
  const auto ping = t.next_ping();
  REQUIRE_FALSE(ping.message.items.claims.empty());
  CHECK(ping.message.items.claims.front().about == p.id);
  CHECK(ping.message.items.claims.front().state == member_state::suspect);
}

TEST_CASE("a ping names its addressee's suspicion once, also when it is news", "[membership][suspicion]") {
  table t;
  const peer p = make_peer(1);
  t.meet(p);
  t.meet(make_peer(2));
  t.out.clear();
  const membership::view_summary repair{.step = membership::repair_step::claims,
                                        .sender = membership::shorten(make_peer(2).id),
                                        .first = 0,
                                        .last = ~std::uint64_t{0},
                                        .entries = {}};
  t.receive(make_peer(2).at, repair, {p.claim(member_state::failed)});
  const auto pings = t.out.all<membership::ping>();
  REQUIRE(pings.size() == 1);
  const auto& claims = pings.front().message.items.claims;
  CHECK(std::count_if(claims.begin(), claims.end(), [&](const auto& c) { return c.about == p.id; }) == 1);
}

TEST_CASE("who is left alone goes on pinging those who failed", "[membership][probe]") {
  table t;
  const peer p = make_peer(1);
  t.meet(p);
  t.receive(make_peer(2).at, membership::gossip{}, {p.claim(member_state::failed)});
  t.pass(membership::config::lan().reconnect_interval * static_cast<int>(membership::checks_max + 1));
  t.out.clear();
  t.pass(membership::config::lan().reconnect_interval * 2);
  CHECK_FALSE(t.out.all<membership::ping>().empty());
}

TEST_CASE("a helper pings, and says no when four fifths of the asker's patience are over", "[membership][probe]") {
  table t;
  const peer asker = make_peer(1);
  const peer target = make_peer(2);
  t.meet(asker);
  t.meet(target);
  t.out.clear();
  t.receive(asker.at, membership::ping_request{.sequence = 77,
                                               .target = membership::shorten(target.id),
                                               .addressee = membership::address_tag(target.id, target.boot),
                                               .left_ms = 100});
  const auto pings = t.out.all<membership::ping>();
  REQUIRE(pings.size() == 1);
  CHECK(pings.front().to == target.at);
  t.pass(79ms);
  CHECK(t.out.all<membership::nack>().empty());
  t.pass(1ms);
  REQUIRE(t.out.all<membership::nack>().size() == 1);
  CHECK(std::get<membership::nack>(t.out.all<membership::nack>().front().message.body).sequence == 77);
  t.answer(pings.front());  // late, and still passed on
  const auto acks = t.out.all<membership::ack>();
  REQUIRE(acks.size() == 1);
  CHECK(acks.front().to == asker.at);
  CHECK(std::get<membership::ack>(acks.front().message.body).sequence == 77);
}

TEST_CASE("helpers that say no are a sign of the target's death, silent ones of the own ill health",
          "[membership][awareness]") {
  const auto interval_after_a_miss = [](bool with_nacks) {
    table t;
    for (std::uint64_t i = 1; i <= 6; ++i) t.meet(make_peer(i));
    const auto ping = t.next_ping();
    t.pass(600ms);
    for (const auto& asked : t.out.all<membership::ping_request>()) {
      if (with_nacks) t.receive(asked.to, membership::nack{std::get<membership::ping>(ping.message.body).sequence});
    }
    t.next_ping();
    const time_point first = t.now;
    t.next_ping();
    return t.now - first;
  };
  CHECK(interval_after_a_miss(true) == 1s);
  CHECK(interval_after_a_miss(false) == 4s);
}

TEST_CASE("a process that was stopped suspects nobody for what it missed", "[membership][pause]") {
  table t;
  const peer p = make_peer(1);
  const peer q = make_peer(2);
  t.meet(p);
  t.meet(q);
  t.receive(q.at, membership::gossip{}, {p.claim(member_state::suspect)});
  t.next_ping();
  t.now += 60s;  // stopped, with a probe under way and a suspicion about to end
  const std::uint32_t health = t.core.health();
  t.core.expire(t.now, t.out);
  CHECK(t.core.counted().pauses_noticed == 1);
  CHECK(t.core.health() == health + 1);  // it doubts itself
  CHECK(t.out.count<membership::failed>() == 0);
  CHECK(t.state_of(q) == member_state::alive);
  CHECK(t.state_of(p) == member_state::suspect);
  t.pass(60s);
  CHECK(t.state_of(p) == member_state::failed);
}

TEST_CASE("nobody is probed and nothing is sent when there is nobody else", "[membership][probe]") {
  table t;
  t.pass(60s);
  CHECK(t.out.datagrams.empty());
}

TEST_CASE("an idle node sends one ping an interval and no gossip", "[membership][gossip]") {
  table t;
  t.meet(make_peer(1));
  for (int i = 0; i < 10; ++i) t.answer(t.next_ping());
  const auto before = t.core.counted();
  for (int i = 0; i < 20; ++i) t.answer(t.next_ping());
  CHECK(t.core.counted().datagrams_sent - before.datagrams_sent <= 20);
  CHECK(t.core.counted().gossips_sent == before.gossips_sent);
}
