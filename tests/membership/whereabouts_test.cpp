#include "membership/recorder.hpp"

using namespace bench;
using membership::member_state;

namespace {

template <class Event>
const Event* last_of(const table& t) {
  const Event* last = nullptr;
  for (const auto& e : t.out.events) {
    if (const auto* one = std::get_if<Event>(&e)) last = one;
  }
  return last;
}

/// Answers the next probe of whoever is probed, saying that it came from `seen_at`.
void answer_seeing(table& t, const endpoint& seen_at) {
  const auto ping = t.next_ping();
  t.receive(ping.to,
            membership::ack{.sequence = std::get<membership::ping>(ping.message.body).sequence, .seen_at = seen_at});
}

}  // namespace

// ---- what address others see ----

TEST_CASE("nobody has said yet where this node is seen", "[membership][whereabouts]") {
  table t;
  CHECK(t.core.observed().none());
}

TEST_CASE("who answers without a word of it sees this node where it says that it is", "[membership][whereabouts]") {
  table t;
  t.meet(make_peer(1));
  t.answer(t.next_ping());
  CHECK(t.core.observed() == t.self_at);
}

TEST_CASE("behind a translation of addresses this node learns which one others see", "[membership][whereabouts]") {
  table t;
  const endpoint outside = endpoint::v4(203, 0, 113, 7, 40'000);
  t.meet(make_peer(1));
  answer_seeing(t, outside);
  CHECK(t.core.observed() == outside);
}

TEST_CASE("what most members see counts, whatever one says and how often", "[membership][whereabouts]") {
  table t;
  for (std::uint64_t i = 1; i <= 3; ++i) t.meet(make_peer(i));
  const endpoint outside = endpoint::v4(203, 0, 113, 7, 40'000);
  const endpoint made_up = endpoint::v4(198, 51, 100, 1, 1);
  for (int i = 0; i < 12; ++i) {
    const auto ping = t.next_ping();
    const bool liar = ping.to == make_peer(1).at;
    t.receive(ping.to, membership::ack{.sequence = std::get<membership::ping>(ping.message.body).sequence,
                                       .seen_at = liar ? made_up : outside});
  }
  CHECK(t.core.observed() == outside);
}

TEST_CASE("an answer that nobody waited for tells nothing", "[membership][whereabouts]") {
  table t;
  t.meet(make_peer(1));
  t.receive(make_peer(1).at, membership::ack{.sequence = 77, .seen_at = endpoint::v4(203, 0, 113, 7, 1)});
  CHECK(t.core.observed().none());
}

TEST_CASE("a ping is answered with where it came from, only when that is not where its sender says that it is",
          "[membership][whereabouts]") {
  table t;
  const peer p = make_peer(1);
  t.meet(p);
  const auto tag = membership::address_tag(t.core.self().id, t.core.self().boot);
  t.out.clear();
  t.receive(p.at, membership::ping{.sequence = 1, .addressee = tag, .sender = membership::shorten(p.id)});
  CHECK(std::get<membership::ack>(t.out.all<membership::ack>().back().message.body).seen_at.none());
  const endpoint outside = endpoint::v4(203, 0, 113, 7, 40'000);
  t.receive(outside, membership::ping{.sequence = 2, .addressee = tag, .sender = membership::shorten(p.id)});
  const auto answer = t.out.all<membership::ack>().back();
  CHECK(std::get<membership::ack>(answer.message.body).seen_at == outside);
  CHECK(answer.to == outside);
}

// ---- an address that changes ----

TEST_CASE("a node whose address changes tells all of it, and its own application", "[membership][whereabouts]") {
  table t;
  t.meet(make_peer(1));
  t.pass(5s);
  t.out.clear();
  const endpoint after = endpoint::v4(10, 0, 1, 1, 7946);
  REQUIRE_FALSE(t.core.move_to(after, t.now, t.out));
  REQUIRE(last_of<membership::moved>(t) != nullptr);
  CHECK(last_of<membership::moved>(t)->before == t.self_at);
  CHECK(last_of<membership::moved>(t)->after == after);
  REQUIRE_FALSE(t.out.datagrams.empty());
  const auto& said = t.out.datagrams.front().message.items.claims.front();
  CHECK(said.about == t.core.self().id);
  CHECK(said.incarnation == 1);
  CHECK(said.facts->at == after);
}

TEST_CASE("an address that is the same as before is no news", "[membership][whereabouts]") {
  table t;
  t.meet(make_peer(1));
  t.out.clear();
  CHECK_FALSE(t.core.move_to(t.self_at, t.now, t.out));
  CHECK(t.out.events.empty());
  CHECK(t.core.self().incarnation == 0);
}

TEST_CASE("a member that moved is updated, and probed where it is now", "[membership][whereabouts]") {
  table t;
  peer p = make_peer(1);
  t.meet(p);
  p.at = endpoint::v4(10, 0, 1, 1, 7946);
  p.incarnation = 1;
  t.receive(p.at, membership::gossip{}, {p.claim()});
  REQUIRE(last_of<membership::updated>(t) != nullptr);
  CHECK(last_of<membership::updated>(t)->member.at == p.at);
  CHECK(t.next_ping().to == p.at);
}

TEST_CASE("a member that moves while it is probed is not suspected for what its old address did not answer",
          "[membership][whereabouts]") {
  table t;
  peer p = make_peer(1);
  t.meet(p);
  t.next_ping();
  p.at = make_peer(2).at;
  p.incarnation = 1;
  t.receive(p.at, membership::gossip{}, {p.claim()});
  while (t.core.counted().probes_unanswered == 0) t.pass(10ms);
  CHECK(t.state_of(p) == member_state::alive);
}

TEST_CASE("a node that does not run, or has left, does not move", "[membership][whereabouts]") {
  table t;
  const endpoint after = endpoint::v4(10, 0, 1, 1, 7946);
  CHECK(t.core.move_to(endpoint{}, t.now, t.out) == errc::invalid_argument);
  REQUIRE_FALSE(t.core.leave(t.now, t.out));
  CHECK(t.core.move_to(after, t.now, t.out) == errc::has_left);
  CHECK(t.core.self().at == t.self_at);
}

// ---- pauses ----

TEST_CASE("a process that was stopped for long is told so, and compares its view at once",
          "[membership][whereabouts]") {
  table t;
  t.meet(make_peer(1));
  t.answer(t.next_ping());
  t.out.clear();
  t.now += 60s;
  t.core.expire(t.now, t.out);
  REQUIRE(last_of<membership::paused>(t) != nullptr);
  CHECK(last_of<membership::paused>(t)->length > 58s);
  t.pass(10ms);
  CHECK(t.out.opened.size() == 1);
  CHECK(t.out.count<membership::suspected>() == 0);
}

TEST_CASE("a timer that is a little late is no pause to tell of", "[membership][whereabouts]") {
  table t;
  t.meet(make_peer(1));
  t.answer(t.next_ping());
  t.out.clear();
  t.now += 1s + 400ms;
  t.core.expire(t.now, t.out);
  CHECK(t.out.count<membership::paused>() == 0);
}

TEST_CASE("a suspicion that a late confirmation ends at once is no pause", "[membership][whereabouts]") {
  table t;
  for (std::uint64_t i = 1; i <= 5; ++i) t.meet(make_peer(i));
  const peer p = make_peer(1);
  const auto accuse = [&](std::uint64_t accuser) {
    auto word = p.claim(member_state::suspect);
    word.accuser = membership::shorten(make_peer(accuser).id);
    t.receive(make_peer(accuser).at, membership::gossip{}, {word});
  };
  accuse(2);
  for (int i = 0; i < 15; ++i) t.answer(t.next_ping());  // above the least time of a suspicion, below the most
  REQUIRE(t.state_of(p) == member_state::suspect);
  accuse(3);
  accuse(4);
  const auto pauses = t.core.counted().pauses_noticed;
  t.pass(10ms);
  CHECK(t.state_of(p) == member_state::failed);
  CHECK(t.core.counted().pauses_noticed == pauses);
  CHECK(t.core.health() == 0);
}

TEST_CASE("a machine that slept tries its seeds and compares its view at once", "[membership][whereabouts]") {
  table t;
  const endpoint seed = endpoint::v4(10, 0, 0, 77, 7946);
  t.meet(make_peer(1));
  REQUIRE_FALSE(t.core.add_seed(seed, t.now, t.out));
  t.core.link(connection::stream(t.out.opened.back().first, seed), link_state::down, t.now, t.out);
  t.out.clear();
  t.now += 8h;
  t.core.expire(t.now, t.out);
  CHECK(t.out.count<membership::paused>() == 1);
  t.pass(10ms);
  CHECK(t.out.count<membership::paused>() == 1);
  std::vector<endpoint> opened;
  for (const auto& [number, to] : t.out.opened) opened.push_back(to);
  CHECK(std::count(opened.begin(), opened.end(), seed) == 1);
  CHECK(std::count(opened.begin(), opened.end(), make_peer(1).at) == 1);
}

// ---- why a member left ----

TEST_CASE("a member that leaves says why, and is reported with it", "[membership][leave]") {
  table goes;
  table stays;
  const peer other = make_peer(1);
  goes.meet(other);
  goes.out.clear();
  REQUIRE_FALSE(goes.core.leave(goes.now, goes.out, "upgrade"));
  REQUIRE_FALSE(goes.out.datagrams.empty());
  peer it{.id = {7, 7}, .boot = 1, .incarnation = 0, .at = endpoint::v4(10, 0, 0, 7, 7946)};
  stays.meet(it);
  auto word = it.claim(member_state::left);
  word.reason = goes.out.datagrams.front().message.items.claims.front().reason;
  stays.receive(it.at, membership::gossip{}, {word});
  REQUIRE(last_of<membership::left>(stays) != nullptr);
  CHECK(last_of<membership::left>(stays)->reason == "upgrade");
  // And it is passed on.
  stays.meet(make_peer(2));
  stays.pass(1s);
  bool passed_on = false;
  for (const auto& d : stays.out.datagrams) {
    for (const auto& c : d.message.items.claims) {
      passed_on |= c.about == it.id && c.state == member_state::left && c.reason == "upgrade";
    }
  }
  CHECK(passed_on);
}

TEST_CASE("a reason that is too long is refused, and the member stays", "[membership][leave]") {
  table t;
  CHECK(t.core.leave(t.now, t.out, std::string(65, 'x')) == errc::too_large);
  CHECK_FALSE(t.core.has_left());
  CHECK(t.core.self().state == member_state::alive);
  CHECK_FALSE(t.core.leave(t.now, t.out, std::string(64, 'x')));
}

TEST_CASE("a member that comes back does not keep its reason for having left", "[membership][leave]") {
  table t;
  peer p = make_peer(1);
  t.meet(p);
  auto word = p.claim(member_state::left);
  word.reason = "upgrade";
  t.receive(p.at, membership::gossip{}, {word});
  p.boot = 2;
  t.receive(p.at, membership::gossip{}, {p.claim()});
  t.receive(p.at, membership::gossip{}, {p.claim(member_state::left)});
  REQUIRE(t.out.count<membership::left>() == 2);
  CHECK(last_of<membership::left>(t)->reason.empty());
}
