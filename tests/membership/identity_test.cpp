#include "membership/recorder.hpp"

using namespace bench;
using membership::member_state;

namespace {

/// The last claim that the core made of itself.
std::optional<membership::claim> own_word(table& t) {
  std::optional<membership::claim> last;
  t.pass(20ms);
  for (const auto& d : t.out.datagrams) {
    for (const auto& c : d.message.items.claims) {
      if (c.about == t.core.self().id) last = c;
    }
  }
  return last;
}

membership::claim accusation(const table& t, std::uint64_t incarnation, member_state state) {
  return {.about = t.core.self().id,
          .boot = t.core.self().boot,
          .incarnation = incarnation,
          .state = state,
          .accuser = {9},
          .facts = nullptr};
}

}  // namespace

TEST_CASE("an accused member answers with a higher incarnation than its accuser's", "[membership][identity]") {
  table t;
  t.meet(make_peer(1));
  const auto state = GENERATE(member_state::suspect, member_state::failed, member_state::left);
  t.receive(make_peer(1).at, membership::gossip{}, {accusation(t, 41, state)});
  const auto word = own_word(t);
  REQUIRE(word);
  CHECK(word->incarnation == 42);
  CHECK(word->state == member_state::alive);
}

TEST_CASE("an incarnation that is too far ahead is refused", "[membership][identity]") {
  table t;
  peer p = make_peer(1);
  t.meet(p);
  t.receive(p.at, membership::gossip{}, {accusation(t, (std::uint64_t{1} << 32U) + 1, member_state::failed)});
  CHECK(t.core.self().incarnation == 0);
  p.incarnation = (std::uint64_t{1} << 32U) + 1;
  t.receive(p.at, membership::gossip{}, {p.claim(member_state::failed)});
  CHECK(t.state_of(make_peer(1)) == member_state::alive);
  CHECK(t.core.counted().refused_forged == 2);
}

TEST_CASE("a restart under the same id is accepted at once, whatever was believed of the life before",
          "[membership][identity]") {
  table t;
  peer p = make_peer(1);
  t.meet(p);
  peer dead = p;
  dead.incarnation = 1'000;
  const bool was_dead = GENERATE(true, false);
  if (was_dead) t.receive(make_peer(2).at, membership::gossip{}, {dead.claim(member_state::failed)});
  t.out.events.clear();
  p.boot = 2;
  t.meet(p);
  CHECK(t.state_of(p) == member_state::alive);
  CHECK(t.out.count<membership::failed>() == (was_dead ? 0U : 1U));
  CHECK(t.out.count<membership::joined>() == 1);
  p.boot = 1;
  p.incarnation = 2'000;
  t.receive(p.at, membership::gossip{}, {p.claim(member_state::failed)});  // late news of the life before
  CHECK(t.state_of(p) == member_state::alive);
}

TEST_CASE("a ping meant for another is answered by name, and that other is then known to be gone",
          "[membership][identity]") {
  table t;
  const peer p = make_peer(1);
  t.meet(p);
  t.out.clear();
  t.receive(p.at, membership::ping{.sequence = 3, .addressee = 12345, .sender = {}, .digests = {}});
  const auto answers = t.out.all<membership::stranger>();
  REQUIRE(answers.size() == 1);
  REQUIRE(answers.front().message.items.claims.size() == 1);
  CHECK(answers.front().message.items.claims.front().about == t.core.self().id);

  peer heir = make_peer(2);
  heir.at = p.at;
  const auto ping = t.next_ping();
  t.receive(p.at, membership::stranger{std::get<membership::ping>(ping.message.body).sequence}, {heir.claim()});
  CHECK(t.state_of(p) == member_state::failed);
  CHECK(t.state_of(heir) == member_state::alive);
}

TEST_CASE("a newcomer at a known address makes the old owner be asked at once", "[membership][identity]") {
  table t;
  const peer p = make_peer(1);
  t.meet(p);
  t.out.clear();
  peer heir = make_peer(2);
  heir.at = p.at;
  t.meet(heir);
  const auto pings = t.out.all<membership::ping>();
  REQUIRE(pings.size() == 1);
  CHECK(std::get<membership::ping>(pings.front().message.body).addressee == membership::address_tag(p.id, p.boot));
  t.receive(p.at, membership::stranger{std::get<membership::ping>(pings.front().message.body).sequence});
  CHECK(t.state_of(p) == member_state::failed);
}

TEST_CASE("old news brings nobody back", "[membership][identity]") {
  table t;
  peer p = make_peer(1);
  p.incarnation = 5;
  t.meet(p);
  t.receive(make_peer(2).at, membership::gossip{}, {p.claim(member_state::failed)});
  t.out.events.clear();
  t.meet(p);
  p.incarnation = 4;
  t.meet(p);
  CHECK(t.out.events.empty());
  p.incarnation = 6;  // its own refutation does
  t.meet(p);
  CHECK(t.out.count<membership::joined>() == 1);
}

TEST_CASE("at equal incarnation left beats failed beats suspect beats alive", "[membership][identity]") {
  using membership::standing;
  CHECK(standing{1, 1, member_state::alive} < standing{1, 1, member_state::suspect});
  CHECK(standing{1, 1, member_state::suspect} < standing{1, 1, member_state::failed});
  CHECK(standing{1, 1, member_state::failed} < standing{1, 1, member_state::left});
  CHECK(standing{1, 1, member_state::left} < standing{1, 2, member_state::alive});
  CHECK(standing{1, 9, member_state::left} < standing{2, 0, member_state::alive});
}

TEST_CASE("hearsay of a death without facts says nothing of a stranger", "[membership][identity]") {
  table t;
  t.receive(make_peer(1).at, membership::gossip{}, {make_peer(2).claim(member_state::failed)});
  CHECK(t.core.table().size() == 0);
}
