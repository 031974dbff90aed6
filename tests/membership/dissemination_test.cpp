// How news travels, rule by rule: on what it rides, how often it is said, to whom, and what makes good what it missed.
#include "membership/recorder.hpp"

using namespace bench;
using membership::member_state;

namespace {

/// News waits for what it rides on: no tick of gossip comes in the time of a test.
membership::config without_gossip() {
  membership::config config;
  config.gossip_interval = 1min;
  config.retransmit_mult = 32;
  return config;
}

/// Lets time pass while some answer what they are pinged with, and streams lead nowhere. `look` is called after each
/// timer.
void pass_answered(
    table& t, duration length, const std::function<bool(const endpoint&)>& answers,
    const std::function<void()>& look = [] {}) {
  const time_point end = t.now + length;
  while (const auto due = t.core.next_deadline()) {
    if (*due > end) break;
    t.now = std::max(t.now, *due);
    const std::size_t before = t.out.datagrams.size();
    const std::size_t opened_before = t.out.opened.size();
    t.core.expire(t.now, t.out);
    const std::vector<sent_datagram> said{t.out.datagrams.begin() + static_cast<std::ptrdiff_t>(before),
                                          t.out.datagrams.end()};
    const auto opened = t.out.opened;
    for (std::size_t i = opened_before; i < opened.size(); ++i) {
      t.core.link(connection::stream(opened[i].first, opened[i].second), link_state::down, t.now, t.out);
    }
    for (const sent_datagram& one : said) {
      if (std::holds_alternative<membership::ping>(one.message.body) && answers(one.to)) t.answer(one);
    }
    look();
  }
  t.now = end;
}

bool everybody(const endpoint&) {
  return true;
}

std::vector<membership::claim> claims_about(const table& t, const peer& p) {
  std::vector<membership::claim> found;
  for (const sent_datagram& one : t.out.datagrams) {
    for (const membership::claim& c : one.message.items.claims) {
      if (c.about == p.id) found.push_back(c);
    }
  }
  return found;
}

void ask(table& t, const peer& from) {
  t.receive(from.at,
            membership::ping{7, membership::address_tag(t.core.self().id, 5), membership::shorten(from.id), {}});
}

}  // namespace

TEST_CASE("news rides on answers to pings, and on pings", "[membership][gossip]") {
  table t{without_gossip()};
  t.meet(make_peer(1));
  t.meet(make_peer(2));
  t.pass(100ms);  // the eager pushes
  t.out.clear();
  ask(t, make_peer(1));
  const auto acks = t.out.all<membership::ack>();
  REQUIRE(acks.size() == 1);
  CHECK(claims_about(t, make_peer(2)).size() == 1);
  CHECK_FALSE(t.next_ping().message.items.claims.empty());
}

TEST_CASE("a piece of news is said as often as it is due, and then no more", "[membership][gossip]") {
  table t;
  for (std::uint64_t i = 1; i <= 9; ++i) t.meet(make_peer(i));
  pass_answered(t, 10s, everybody);
  REQUIRE_FALSE(t.core.has_news());
  t.out.clear();
  auto changed = make_peer(4);
  changed.incarnation = 1;
  t.meet(changed);
  pass_answered(t, 10s, everybody);
  const membership::config config;
  const std::size_t due = membership::transmissions_max(config.retransmit_mult, 10);
  CHECK(claims_about(t, changed).size() >= due);
  CHECK(claims_about(t, changed).size() < due + config.gossip_fanout);
  CHECK_FALSE(t.core.has_news());
}

TEST_CASE("a newer claim about a member takes the place of the one that waits to be said", "[membership][gossip]") {
  table t{without_gossip()};
  auto p = make_peer(1);
  t.meet(p);
  t.meet(make_peer(2));
  p.incarnation = 3;
  t.meet(p);
  t.pass(100ms);
  t.out.clear();
  ask(t, make_peer(2));
  const auto said = claims_about(t, p);
  REQUIRE(said.size() == 1);
  CHECK(said.front().incarnation == 3);
}

TEST_CASE("who failed not long ago is gossiped to, and then no more", "[membership][gossip]") {
  table t;
  const peer living = make_peer(1);
  const peer dead = make_peer(2);
  t.meet(living);
  t.meet(dead);
  t.receive(living.at, membership::gossip{}, {dead.claim(member_state::failed)});
  const auto gossip_to_dead_while_there_is_news = [&](int seconds) {
    t.out.clear();
    for (int i = 0; i < seconds; ++i) {
      REQUIRE_FALSE(t.core.broadcast("t", "x", t.now, t.out));
      pass_answered(t, 1s, [&](const endpoint& at) { return at == living.at; });
    }
    const auto all = t.out.all<membership::gossip>();
    return std::count_if(all.begin(), all.end(), [&](const sent_datagram& d) { return d.to == dead.at; });
  };
  CHECK(gossip_to_dead_while_there_is_news(25) > 0);
  t.pass(5s);
  CHECK(gossip_to_dead_while_there_is_news(25) == 0);
}

TEST_CASE("who failed is pinged again and again, and every fourth time tried over TCP", "[membership][heal]") {
  table t;
  const peer living = make_peer(1);
  const peer dead = make_peer(2);
  t.meet(living);
  t.meet(dead);
  t.receive(living.at, membership::gossip{}, {dead.claim(member_state::failed)});
  t.out.clear();
  pass_answered(t, 101s, [&](const endpoint& at) { return at == living.at; });
  std::size_t pings = 0;
  for (const sent_datagram& one : t.out.all<membership::ping>()) {
    if (one.to != dead.at) continue;
    ++pings;
    // Who lives and hears of its own death answers it.
    REQUIRE(one.message.items.claims.size() == 1);
    CHECK(one.message.items.claims.front().state == member_state::failed);
  }
  // Of the twenty intervals the twelfth is for those who failed long ago.
  CHECK(pings == 19);
  CHECK(std::count_if(t.out.opened.begin(), t.out.opened.end(), [&](const auto& o) { return o.second == dead.at; }) ==
        4);
}

TEST_CASE("views are compared over TCP the more rarely the more members there are", "[membership][push_pull]") {
  const auto [members, wait] =
      GENERATE(Catch::Generators::table<std::uint64_t, duration>({{8, 30s}, {32, 30s}, {64, 60s}, {128, 90s}}));
  table t;
  for (std::uint64_t i = 1; i <= members; ++i) t.meet(make_peer(i));
  std::vector<time_point> compared;
  std::size_t opened = 0;
  pass_answered(t, 10min, everybody, [&] {
    if (t.out.opened.size() > opened) compared.push_back(t.now);
    opened = t.out.opened.size();
  });
  REQUIRE(compared.size() > 3);
  for (std::size_t i = 2; i < compared.size(); ++i) CHECK(compared[i] - compared[i - 1] == wait);
}

TEST_CASE("who left is forgotten when its tombstone is old, and who failed is still looked for",
          "[membership][identity]") {
  table t;
  const peer living = make_peer(1);
  const peer gone = make_peer(2);
  const peer dead = make_peer(3);
  for (const peer& p : {living, gone, dead}) t.meet(p);
  t.receive(living.at, membership::gossip{}, {gone.claim(member_state::left), dead.claim(member_state::failed)});
  const auto only_the_living = [&](const endpoint& at) { return at == living.at; };
  pass_answered(t, 9min, only_the_living);
  CHECK(t.core.table().find(gone.id) != nullptr);
  pass_answered(t, 4min, only_the_living);
  CHECK(t.core.table().find(gone.id) == nullptr);
  REQUIRE(t.core.table().find(dead.id) != nullptr);
  t.out.clear();
  pass_answered(t, 5min, only_the_living);
  const auto pings = t.out.all<membership::ping>();
  CHECK(std::any_of(pings.begin(), pings.end(), [&](const sent_datagram& d) { return d.to == dead.at; }));
}

TEST_CASE("an own event is later, by Lamport's clock, than all that were heard before it", "[membership][events]") {
  table t;
  const peer p = make_peer(1);
  t.meet(p);
  t.receive(p.at, membership::gossip{}, {},
            {{.origin = membership::shorten(p.id),
              .boot = 1,
              .sequence = 1,
              .previous = 0,
              .lamport = 41,
              .topic = "t",
              .payload = "x"}});
  t.out.clear();
  REQUIRE_FALSE(t.core.broadcast("t", "y", t.now, t.out));
  t.pass(50ms);
  std::vector<std::uint64_t> times;
  for (const sent_datagram& one : t.out.datagrams) {
    for (const auto& e : one.message.items.events) {
      if (e.payload.text() == "y") times.push_back(e.lamport);
    }
  }
  REQUIRE_FALSE(times.empty());
  for (const std::uint64_t time : times) CHECK(time == 42);
}

TEST_CASE("a seed that does not answer is asked again after ever longer waits, to a bound", "[membership][join]") {
  table t;
  REQUIRE_FALSE(t.core.add_seed(make_peer(1).at, t.now, t.out));
  std::vector<time_point> tries{t.now};
  std::size_t opened = t.out.opened.size();
  t.core.link(connection::stream(t.out.opened.front().first, make_peer(1).at), link_state::down, t.now, t.out);
  pass_answered(
      t, 3min, [](const endpoint&) { return false; },
      [&] {
        if (t.out.opened.size() > opened) tries.push_back(t.now);
        opened = t.out.opened.size();
      });
  const std::vector<duration> waits{1s, 2s, 4s, 8s, 16s, 30s, 30s};
  REQUIRE(tries.size() > waits.size());
  for (std::size_t i = 0; i < waits.size(); ++i) {
    CAPTURE(i);
    CHECK(tries[i + 1] - tries[i] >= waits[i]);
    CHECK(tries[i + 1] - tries[i] <= waits[i] * 5 / 4);
  }
}

TEST_CASE("who has left says so to whoever pings it", "[membership][leave]") {
  table t;
  REQUIRE_FALSE(t.core.leave(t.now, t.out));
  REQUIRE(t.core.has_left());
  t.out.clear();
  ask(t, make_peer(1));
  const auto acks = t.out.all<membership::ack>();
  REQUIRE(acks.size() == 1);
  REQUIRE(acks.front().message.items.claims.size() == 1);
  CHECK(acks.front().message.items.claims.front().about == t.core.self().id);
  CHECK(acks.front().message.items.claims.front().state == member_state::left);
}
