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

TEST_CASE("a boot that is too far ahead is refused, of members, strangers and this node", "[membership][identity]") {
  table t;
  const peer p = make_peer(1);
  t.meet(p);
  peer forged = p;
  forged.boot = t.core.self().boot + membership::boot_jump_max + 1;
  t.receive(p.at, membership::gossip{}, {forged.claim(member_state::failed), forged.claim()});
  CHECK(t.state_of(p) == member_state::alive);
  forged.id = {77, 77};
  t.meet(forged);
  CHECK(t.core.table().find(forged.id) == nullptr);
  forged.id = t.core.self().id;
  t.meet(forged);
  CHECK(t.core.self().boot == 5);
  CHECK(t.core.counted().refused_forged == 4);
}

TEST_CASE("whatever is believed of a member, its answer is believed too", "[membership][identity]") {
  table accused;
  const auto [boot, incarnation] = GENERATE(Catch::Generators::table<std::uint64_t, std::uint64_t>(
      {{5, membership::incarnation_max},
       {5, membership::incarnation_max - 1},
       {5 + membership::boot_jump_max, 7},
       {5 + membership::boot_jump_max, 0},
       {4 + membership::boot_jump_max, membership::incarnation_max}}));
  const bool other_heard_it = GENERATE(true, false);
  membership::core observer{membership::config::lan(), {.id = {0xBBBB, 1}, .boot = 5}, detail::random{8}};
  recorder seen;
  observer.start(make_peer(7).at, begin, seen);
  const auto tell = [&](const membership::claim& what) {
    std::vector<std::byte> buffer;
    membership::datagram_writer writer{buffer, detail::cluster_tag("default"), 1'400};
    writer.begin(membership::gossip{});
    REQUIRE(writer.add(what));
    observer.receive(connection::datagram(make_peer(9).at), writer.seal(), begin, seen);
  };
  peer victim{.id = accused.core.self().id, .boot = 5, .incarnation = 0, .at = accused.self_at};
  tell(victim.claim());
  victim.boot = boot;
  victim.incarnation = incarnation;
  if (other_heard_it) tell(victim.claim(member_state::failed));
  accused.meet(make_peer(1));
  accused.out.clear();
  accused.receive(make_peer(1).at, membership::gossip{}, {victim.claim(member_state::failed)});
  const auto word = own_word(accused);
  REQUIRE(word);
  tell(*word);
  const auto* row = observer.table().find(victim.id);
  REQUIRE(row != nullptr);
  CHECK(row->standing.state == member_state::alive);
  CHECK(row->standing.boot == accused.core.self().boot);
}

TEST_CASE("who is met at the highest incarnation is believed", "[membership][identity]") {
  table t;
  peer p = make_peer(1);
  p.incarnation = membership::incarnation_max;
  t.meet(p);
  CHECK(t.state_of(p) == member_state::alive);
}

TEST_CASE("a member that must take a later boot shows it and goes on with its events", "[membership][identity]") {
  table t;
  const peer p = make_peer(1);
  t.meet(p);
  REQUIRE_FALSE(t.core.broadcast("t", "1", t.now, t.out));
  t.pass(100ms);
  REQUIRE_FALSE(t.core.broadcast("t", "2", t.now, t.out));
  const auto revision = t.core.revision();
  peer double_of_us{.id = t.core.self().id, .boot = 9, .incarnation = 0, .at = p.at};
  t.out.clear();
  t.meet(double_of_us);
  CHECK(t.core.self().boot == 10);
  CHECK(t.core.revision() > revision);
  const auto word = own_word(t);
  REQUIRE(word);
  CHECK(word->boot == 10);
  CHECK(word->facts->events_sent == 2);
  for (const auto& d : t.out.all<membership::gossip>()) {
    for (const auto& e : d.message.items.events) CHECK(e.boot == 10);
  }
}

TEST_CASE("new tags that come together with a suspicion are told", "[membership][identity]") {
  table t;
  peer p = make_peer(1);
  t.meet(p);
  t.out.clear();
  // As in a push-pull: a suspicion of a later incarnation, with the facts of it.
  p.incarnation = 1;
  auto suspicion = p.claim(member_state::suspect);
  auto facts = *p.claim().facts;
  facts.tags = {{"role", "new"}};
  suspicion.facts = std::make_shared<const membership::facts>(facts);
  t.receive(p.at, membership::gossip{}, {suspicion});
  CHECK(t.out.count<membership::suspected>() == 1);
  CHECK(t.out.count<membership::updated>() == 1);
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

TEST_CASE("of two claims that contradict each other at one incarnation the first is believed, whoever says it",
          "[membership][identity]") {
  table t;
  const peer p = make_peer(1);
  t.meet(p);
  peer forged = p;
  forged.at = make_peer(66).at;
  t.receive(make_peer(66).at, membership::gossip{}, {forged.claim()});
  t.receive(make_peer(66).at, membership::announce{}, {forged.claim()});
  REQUIRE(t.core.table().find(p.id) != nullptr);
  CHECK(t.core.table().find(p.id)->facts->at == p.at);
  CHECK(t.out.count<membership::updated>() == 0);
  CHECK(t.out.count<membership::conflict>() == 1);  // somebody has the id of another, or says so
}

TEST_CASE("hearsay of a death without facts says nothing of a stranger", "[membership][identity]") {
  table t;
  t.receive(make_peer(1).at, membership::gossip{}, {make_peer(2).claim(member_state::failed)});
  CHECK(t.core.table().size() == 0);
}

TEST_CASE("two members of one name are told of when the second is met, and both go on", "[membership][identity]") {
  table t;
  const auto named = [](std::uint64_t number, std::uint64_t boot, const std::string& name) {
    peer p = make_peer(number);
    p.boot = boot;
    membership::claim said = p.claim();
    said.facts = std::make_shared<const membership::facts>(membership::facts{.name = name, .at = p.at, .tags = {}});
    return said;
  };
  const auto meet = [&](const membership::claim& said) { t.receive(said.facts->at, membership::gossip{}, {said}); };
  const auto last_conflict = [&] { return std::get<membership::conflict>(t.out.events.back()); };
  meet(named(1, 7, "db"));
  meet(named(2, 9, "web"));
  CHECK(t.out.count<membership::conflict>() == 0);
  meet(named(3, 4, "db"));
  REQUIRE(t.out.count<membership::conflict>() == 1);
  CHECK(last_conflict().first.id == make_peer(3).id);  // the older
  CHECK(last_conflict().second.id == make_peer(1).id);
  CHECK(t.core.present() == 3);
  // Nor does it matter that the other name is this node's own.
  meet(named(4, 9, t.core.self().name));
  REQUIRE(t.out.count<membership::conflict>() == 2);
  CHECK(last_conflict().first.id == t.core.self().id);
  // Who has gone has no name any more.
  peer gone = make_peer(2);
  gone.boot = 9;
  t.receive(gone.at, membership::gossip{}, {gone.claim(membership::member_state::left)});
  meet(named(5, 9, "web"));
  CHECK(t.out.count<membership::conflict>() == 2);
}

TEST_CASE("another process under the own id, at another address, is told of", "[membership][identity]") {
  table t;
  peer twin{.id = t.core.self().id, .boot = t.core.self().boot + 10, .at = endpoint::v4(10, 0, 0, 77, 7946)};
  t.receive(twin.at, membership::gossip{}, {twin.claim()});
  REQUIRE(t.out.count<membership::conflict>() == 1);
  const auto told = std::get<membership::conflict>(t.out.events.back());
  CHECK(told.first.at == t.self_at);
  CHECK(told.second.at == twin.at);
}
