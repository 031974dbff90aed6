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

TEST_CASE("where events never cease, one that was missed is asked for once digests have differed for the gap wait",
          "[membership][events]") {
  const auto questions_within = [](duration length) {
    table t;
    const peer talker = make_peer(1);
    const peer prober = make_peer(2);
    t.meet(talker);
    t.meet(prober);
    const time_point end = t.now + length;
    for (std::uint64_t number = 1; t.now < end; ++number) {
      t.receive(talker.at, membership::gossip{}, {}, {numbered(talker, number, number - 1)});
      // Its digest of events is of one more than ours.
      t.receive(prober.at, membership::ping{.sequence = 1,
                                            .addressee = membership::address_tag(t.core.self().id, 5),
                                            .sender = membership::shorten(prober.id),
                                            .digests = {.view = 0, .events = 0xffffffff}});
      t.pass(100ms);
    }
    const auto asked = t.out.all<membership::event_summary>();
    return std::count_if(asked.begin(), asked.end(),
                         [&](const sent_datagram& question) { return question.to == prober.at; });
  };
  const duration wait = membership::config::lan().gap_wait;
  CHECK(questions_within(wait - 500ms) == 0);
  CHECK(questions_within(wait + 500ms) == 1);
  CHECK(questions_within(wait * 3 + 500ms) == 3);
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

TEST_CASE("a broadcast is pushed at once, whole where a datagram holds it", "[membership][events]") {
  table t;
  t.meet(make_peer(1));
  t.pass(500ms);
  t.out.clear();
  const std::size_t most = membership::payload_size_max(membership::config::lan(), "t");
  REQUIRE_FALSE(t.core.broadcast("t", std::string(most, 'x'), t.now, t.out));
  REQUIRE(t.out.all<membership::gossip>().size() == 1);
  CHECK(t.out.all<membership::gossip>().front().size <= 1'400);
  CHECK(t.out.all<membership::gossip>().front().message.items.events.size() == 1);
  const std::size_t limit = membership::config::lan().event_size_max;
  CHECK(t.core.broadcast("t", std::string(limit + 1, 'x'), t.now, t.out) == errc::too_large);
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

TEST_CASE("an origin goes on above what others hold to be its number, whoever made it up", "[membership][events]") {
  table t;
  const peer p = make_peer(1);
  t.meet(p);
  peer me{.id = t.core.self().id, .boot = t.core.self().boot, .incarnation = 0, .at = t.self_at};
  const bool by_event = GENERATE(true, false);
  if (by_event) {
    t.receive(p.at, membership::gossip{}, {}, {numbered(me, 1'000, 0)});
  } else {
    t.receive(p.at, membership::event_summary{.answer = true,
                                              .complete = false,
                                              .sender = membership::shorten(p.id),
                                              .entries = {{membership::shorten(me.id), me.boot, 1'000, 0}}});
  }
  t.pass(100ms);
  t.out.clear();
  REQUIRE_FALSE(t.core.broadcast("t", "x", t.now, t.out));
  const auto sent = t.out.all<membership::gossip>();
  REQUIRE_FALSE(sent.empty());
  REQUIRE_FALSE(sent.front().message.items.events.empty());
  CHECK(sent.front().message.items.events.front().sequence == 1'001);
  t.receive(p.at, membership::gossip{}, {}, {numbered(me, 1'002 + membership::sequence_jump_max, 0)});
  CHECK(t.core.events_base(me.id) == 1'001);  // the others do not believe that either
}

TEST_CASE("who talks without end is refused before its store outgrows its limits", "[membership][events]") {
  membership::config config;
  config.events_kept_max = 2;
  config.broadcasts_max = 32;
  table t{config};
  t.meet(make_peer(1));
  std::size_t refused = 0;
  for (int i = 0; i < 2'000; ++i) {
    t.pass(1ms);
    if (t.core.broadcast("t", std::string(100, 'x'), t.now, t.out)) ++refused;
    t.core.check_invariants();
  }
  CHECK(refused > 0);
  CHECK(refused < 2'000);
}

TEST_CASE("an accepted broadcast is sent though others' events crowd the store", "[membership][events]") {
  membership::config config;
  config.events_kept_max = 4;
  table t{config};
  const peer p = make_peer(1);
  t.meet(p);
  t.pass(500ms);
  t.out.clear();
  for (int i = 0; i < 8; ++i) REQUIRE_FALSE(t.core.broadcast("t", "own", t.now, t.out));
  for (std::uint64_t i = 1; i <= 100; ++i) t.receive(p.at, membership::gossip{}, {}, {numbered(p, i, i - 1)});
  t.core.check_invariants();
  t.pass(5s);
  std::vector<std::uint64_t> sent;
  for (const auto& d : t.out.datagrams) {
    for (const auto& e : d.message.items.events) {
      if (e.origin == membership::shorten(t.core.self().id)) sent.push_back(e.sequence);
    }
  }
  for (std::uint64_t i = 1; i <= 8; ++i) CHECK(std::count(sent.begin(), sent.end(), i) >= 4);
  CHECK(t.core.held() <= config.events_kept_max + 1);  // and one ping that nobody answered
}

TEST_CASE("others' events do not use up the own allowance, and their queue is bounded", "[membership][events]") {
  membership::config config;
  config.broadcasts_max = 8;
  table t{config};
  const peer p = make_peer(1);
  t.meet(p);
  for (std::uint64_t i = 1; i <= 2'000; ++i) t.receive(p.at, membership::gossip{}, {}, {numbered(p, i, i - 1)});
  CHECK(t.core.counted().dropped_over_limit > 0);
  CHECK(t.out.count<membership::user_event>() == 2'000);
  CHECK_FALSE(t.core.broadcast("t", "x", t.now, t.out));
}

TEST_CASE("all holes known when the wait began are skipped together", "[membership][events]") {
  table t;
  const peer p = make_peer(1);
  t.meet(p);
  t.receive(p.at, membership::gossip{}, {},
            {numbered(p, 8, 7), numbered(p, 6, 5), numbered(p, 4, 3), numbered(p, 2, 1)});
  t.pass(100ms);
  t.receive(p.at, membership::gossip{}, {}, {numbered(p, 10, 9)});
  t.pass(2s);
  CHECK(heard(t.out) == "gap(1+1) 2 gap(3+1) 4 gap(5+1) 6 gap(7+1) 8 ");
  t.pass(2s);
  CHECK(heard(t.out) == "gap(1+1) 2 gap(3+1) 4 gap(5+1) 6 gap(7+1) 8 gap(9+1) 10 ");
}
