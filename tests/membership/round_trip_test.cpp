#include "membership/round_trip.hpp"

#include "membership/recorder.hpp"

using namespace bench;
using membership::member_state;
using membership::round_trip;

TEST_CASE("before a round trip was measured all of the patience is had", "[membership][round_trip]") {
  const round_trip unmeasured;
  CHECK(unmeasured.smoothed() == 0ms);
  CHECK(unmeasured.patience(500ms) == 500ms);
}

TEST_CASE("a steady round trip is believed, and patience stays above it", "[membership][round_trip]") {
  round_trip steady;
  for (int i = 0; i < 100; ++i) steady.measure(200ms);
  CHECK(steady.smoothed() > 199ms);
  CHECK(steady.smoothed() < 201ms);
  CHECK(steady.patience(500ms) >= 200ms);
  CHECK(steady.patience(500ms) < 210ms);
}

TEST_CASE("patience is between a fifth of the configured and all of it", "[membership][round_trip]") {
  round_trip quick;
  quick.measure(1us);
  CHECK(quick.patience(500ms) == 100ms);
  round_trip slow;
  slow.measure(3h);
  CHECK(slow.patience(500ms) == 500ms);
}

TEST_CASE("a round trip that varies is given more time than one that does not", "[membership][round_trip]") {
  round_trip steady;
  round_trip varying;
  for (int i = 0; i < 50; ++i) {
    steady.measure(150ms);
    varying.measure(i % 2 == 0 ? 100ms : 200ms);
  }
  CHECK(varying.patience(1s) > steady.patience(1s));
}

TEST_CASE("a round trip that grows is followed within some answers", "[membership][round_trip]") {
  round_trip growing;
  for (int i = 0; i < 50; ++i) growing.measure(1ms);
  for (int i = 0; i < 30; ++i) growing.measure(300ms);
  CHECK(growing.smoothed() > 250ms);
  CHECK(growing.patience(2s) > 300ms);
}

TEST_CASE("a member tells how long each other one takes to answer", "[membership][round_trip]") {
  table t;
  t.meet(make_peer(1));
  CHECK(t.core.members().back().round_trip == 0ms);
  const auto ping = t.next_ping();
  t.now += 30ms;
  const auto before = t.core.revision();
  t.answer(ping);
  CHECK(t.core.members().back().round_trip == 30ms);
  CHECK(t.core.revision() == before);
  CHECK(t.core.round_trips() == 1);
}

TEST_CASE("an answer that comes twice, or for others, measures nothing", "[membership][round_trip]") {
  table t;
  t.meet(make_peer(1));
  const auto ping = t.next_ping();
  const auto sequence = std::get<membership::ping>(ping.message.body).sequence;
  t.receive(endpoint::v4(10, 9, 9, 9, 1), membership::ack{sequence, {}});
  t.receive(ping.to, membership::ack{sequence + 1, {}});
  CHECK(t.core.round_trips() == 0);
  t.answer(ping);
  t.now += 10ms;
  t.answer(ping);
  CHECK(t.core.round_trips() == 1);
}

TEST_CASE("of a member that always answered at once others are asked after a fifth of the timeout",
          "[membership][round_trip]") {
  table t;
  for (std::uint64_t i = 1; i <= 4; ++i) t.meet(make_peer(i));
  for (int i = 0; i < 8; ++i) t.answer(t.next_ping());  // each is measured
  static_cast<void>(t.next_ping());
  t.out.clear();
  t.pass(99ms);
  CHECK(t.out.all<membership::ping_request>().empty());
  t.pass(1ms);
  CHECK(t.out.all<membership::ping_request>().size() == 3);
}

TEST_CASE("an answer that is late, but within the interval, makes the next one's time longer",
          "[membership][round_trip]") {
  table t;
  t.meet(make_peer(1));
  for (int i = 0; i < 4; ++i) t.answer(t.next_ping());
  const auto ping = t.next_ping();
  t.pass(400ms);
  t.answer(ping);
  static_cast<void>(t.next_ping());
  t.out.clear();
  t.pass(199ms);
  CHECK(t.out.opened.empty());  // the try over TCP goes with the question to others
}

namespace {

/// Of four members, all measured, one that answers a probe by nothing, up to the moment when others and TCP are tried.
sent_datagram unanswered_probe(table& t) {
  for (std::uint64_t i = 1; i <= 4; ++i) t.meet(make_peer(i));
  for (int i = 0; i < 8; ++i) t.answer(t.next_ping());
  auto ping = t.next_ping();
  t.out.clear();
  t.pass(100ms);
  REQUIRE(t.out.opened.size() == 1);
  return ping;
}

void refuse(table& t, const sent_datagram& ping) {
  t.core.link(connection::stream(t.out.opened.front().first, ping.to), link_state::down, t.now, t.out);
}

}  // namespace

TEST_CASE("a member whose port is closed is suspected once its helpers had their time", "[membership][probe]") {
  table t;
  const auto ping = unanswered_probe(t);
  refuse(t, ping);
  t.pass(199ms);
  CHECK(t.out.count<membership::suspected>() == 0);
  t.pass(1ms);
  CHECK(t.out.count<membership::suspected>() == 1);
  t.pass(700ms);
  CHECK(t.out.count<membership::suspected>() == 1);
}

TEST_CASE("who refutes an early suspicion is not suspected again at the interval's end", "[membership][probe]") {
  table t;
  const auto ping = unanswered_probe(t);
  refuse(t, ping);
  t.pass(250ms);
  REQUIRE(t.out.count<membership::suspected>() == 1);
  for (std::uint64_t i = 1; i <= 4; ++i) {
    peer p = make_peer(i);
    if (p.at != ping.to) continue;
    p.incarnation = 1;
    t.receive(p.at, membership::gossip{}, {p.claim()});
  }
  REQUIRE(t.out.count<membership::recovered>() == 1);
  t.pass(700ms);
  CHECK(t.out.count<membership::suspected>() == 1);
}

TEST_CASE("a closed port alone is no reason to suspect: a helper that gets an answer is believed",
          "[membership][probe]") {
  table t;
  const auto ping = unanswered_probe(t);
  refuse(t, ping);
  const auto helper = t.out.all<membership::ping_request>().front().to;
  t.receive(helper, membership::ack{std::get<membership::ping>(ping.message.body).sequence, {}});
  t.pass(250ms);
  CHECK(t.out.count<membership::suspected>() == 0);
}

TEST_CASE("a stream that breaks after it was there says nothing: the whole interval is waited", "[membership][probe]") {
  table t;
  const auto ping = unanswered_probe(t);
  t.core.link(connection::stream(t.out.opened.front().first, ping.to), link_state::up, t.now, t.out);
  refuse(t, ping);
  t.pass(500ms);
  CHECK(t.out.count<membership::suspected>() == 0);
  t.pass(400ms);
  CHECK(t.out.count<membership::suspected>() == 1);
}
