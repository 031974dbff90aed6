#include "membership/user_events.hpp"

#include "membership/recorder.hpp"

using namespace bench;

namespace {

membership::event_record numbered(const peer& from, std::uint64_t sequence, std::uint64_t previous,
                                  std::string topic = "t") {
  return {.origin = membership::shorten(from.id),
          .boot = from.boot,
          .sequence = sequence,
          .previous = previous,
          .lamport = sequence,
          .topic = std::move(topic),
          .payload = bytes{std::to_string(sequence)}};
}

std::string heard(const recorder& out) {
  std::string all;
  for (const auto& e : out.events) {
    if (const auto* u = std::get_if<membership::user_event>(&e)) all += std::string{u->payload.text()} + " ";
    if (const auto* g = std::get_if<membership::gap>(&e)) {
      all += "gap(" + std::to_string(g->first) + "+" + std::to_string(g->count) + ") ";
    }
  }
  return all;
}

}  // namespace

TEST_CASE("an event that arrives again is not delivered again", "[membership][events]") {
  table t;
  const peer p = make_peer(1);
  t.meet(p);
  for (int i = 0; i < 3; ++i) t.receive(p.at, membership::gossip{}, {}, {numbered(p, 1, 0)});
  CHECK(heard(t.out) == "1 ");
  CHECK(t.core.counted().events_duplicate == 2);
}

TEST_CASE("events of one topic wait for those before them, events of another topic do not", "[membership][events]") {
  table t;
  const peer p = make_peer(1);
  t.meet(p);
  t.receive(p.at, membership::gossip{}, {}, {numbered(p, 3, 1, "a"), numbered(p, 2, 0, "b")});
  CHECK(heard(t.out) == "2 ");
  t.receive(p.at, membership::gossip{}, {}, {numbered(p, 1, 0, "a")});
  CHECK(heard(t.out) == "2 1 3 ");
}

TEST_CASE("a missing event is asked for soon, and skipped with a gap after the wait", "[membership][events]") {
  table t;
  const peer p = make_peer(1);
  t.meet(p);
  t.receive(p.at, membership::gossip{}, {}, {numbered(p, 3, 2)});
  t.pass(100ms);
  CHECK(t.out.all<membership::event_summary>().size() >= 1);
  CHECK(heard(t.out).empty());
  t.pass(2s);
  CHECK(heard(t.out) == "gap(1+2) 3 ");
}

TEST_CASE("more than 256 events behind a missing one skip it", "[membership][events]") {
  table t;
  const peer p = make_peer(1);
  t.meet(p);
  for (std::uint64_t i = 2; i <= 256; ++i) t.receive(p.at, membership::gossip{}, {}, {numbered(p, i, i - 1)});
  CHECK(t.out.count<membership::user_event>() == 0);
  t.receive(p.at, membership::gossip{}, {}, {numbered(p, 257, 256)});
  CHECK(t.out.count<membership::gap>() == 1);
  CHECK(t.out.count<membership::user_event>() == 256);
}

TEST_CASE("events of nobody known, or of an earlier life, are dropped", "[membership][events]") {
  table t;
  peer p = make_peer(1);
  p.boot = 7;
  t.receive(p.at, membership::gossip{}, {}, {numbered(p, 1, 0)});
  t.meet(p);
  peer earlier = p;
  earlier.boot = 6;
  t.receive(p.at, membership::gossip{}, {}, {numbered(earlier, 1, 0)});
  CHECK(heard(t.out).empty());
  CHECK(t.core.counted().dropped_unknown_origin == 2);
}

TEST_CASE("equal payloads at equal Lamport times from two origins are two events", "[membership][events]") {
  table t;
  const peer p = make_peer(1);
  const peer q = make_peer(2);
  t.meet(p);
  t.meet(q);
  t.receive(p.at, membership::gossip{}, {}, {numbered(p, 1, 0)});
  t.receive(q.at, membership::gossip{}, {}, {numbered(q, 1, 0)});
  CHECK(heard(t.out) == "1 1 ");
}

TEST_CASE("a forged Lamport time is delivered and does not move the clock", "[membership][events]") {
  table t;
  const peer p = make_peer(1);
  t.meet(p);
  auto forged = numbered(p, 1, 0);
  forged.lamport = ~std::uint64_t{0};
  t.receive(p.at, membership::gossip{}, {}, {forged});
  CHECK(heard(t.out) == "1 ");
  t.out.clear();
  REQUIRE_FALSE(t.core.broadcast("t", "own", t.now, t.out));
  t.pass(20ms);  // the next push
  const auto sent = t.out.all<membership::gossip>();
  REQUIRE_FALSE(sent.empty());
  bool found = false;
  for (const auto& e : sent.front().message.items.events) {
    if (e.payload == bytes{"own"}) {
      found = true;
      CHECK(e.lamport < 10);
    }
  }
  CHECK(found);
}

TEST_CASE("a forged event number does not make later ones look old", "[membership][events]") {
  table t;
  const peer p = make_peer(1);
  t.meet(p);
  t.receive(p.at, membership::gossip{}, {}, {numbered(p, ~std::uint64_t{0}, 5)});
  t.receive(p.at, membership::gossip{}, {}, {numbered(p, 1, 0)});
  CHECK(heard(t.out) == "1 ");
  CHECK(t.core.counted().refused_forged == 1);
}

TEST_CASE("a broadcast is pushed at once, up to what a datagram holds", "[membership][events]") {
  table t;
  t.meet(make_peer(1));
  t.pass(500ms);
  t.out.clear();
  const std::size_t most = membership::payload_size_max(membership::config::lan(), "t");
  REQUIRE_FALSE(t.core.broadcast("t", std::string(most, 'x'), t.now, t.out));
  REQUIRE(t.out.all<membership::gossip>().size() == 1);
  CHECK(t.out.all<membership::gossip>().front().size <= 1'400);
  CHECK(t.out.all<membership::gossip>().front().message.items.events.size() == 1);
  CHECK(t.core.broadcast("t", std::string(most + 1, 'x'), t.now, t.out) == errc::too_large);
  CHECK(t.core.broadcast("", "x", t.now, t.out) == errc::invalid_argument);
  CHECK(t.core.broadcast(std::string(65, 't'), "x", t.now, t.out) == errc::invalid_argument);
}

TEST_CASE("too many events at once are refused, not lost", "[membership][events]") {
  membership::config config;
  config.broadcasts_max = 8;
  table t{config};
  t.meet(make_peer(1));
  std::size_t refused = 0;
  for (int i = 0; i < 20; ++i) {
    if (t.core.broadcast("t", "x", t.now, t.out) == errc::would_overflow) ++refused;
  }
  CHECK(refused > 0);
  t.pass(10s);
  CHECK_FALSE(t.core.broadcast("t", "x", t.now, t.out));
}

TEST_CASE("neither claims nor events can starve the other", "[membership][events][gossip]") {
  table t;
  for (std::uint64_t i = 1; i <= 100; ++i) t.meet(make_peer(i));
  const std::size_t most = membership::payload_size_max(membership::config::lan(), "t");
  for (int i = 0; i < 10; ++i) REQUIRE_FALSE(t.core.broadcast("t", std::string(most, 'x'), t.now, t.out));
  t.out.clear();
  t.pass(400ms);
  std::size_t claims = 0;
  std::size_t events = 0;
  for (const auto& d : t.out.all<membership::gossip>()) {
    claims += d.message.items.claims.size();
    events += d.message.items.events.size();
  }
  CHECK(claims > 0);
  CHECK(events > 0);
}
