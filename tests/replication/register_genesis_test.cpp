// How a register is founded, and what becomes of two foundings that meet.
#include "catch.hpp"
#include "replication/small_register.hpp"

using namespace artillery;
using namespace artillery::replication;
using namespace std::chrono_literals;

TEST_CASE("every voter takes the first view and remembers of which genesis it is", "[replication][register]") {
  small_register table;
  const view first = table.view_of(1, {0, 1});
  table.found(0, first);
  table.deliver();
  const auto told = table.events<founding>(0);
  REQUIRE(told.size() == 1);
  CHECK(told[0].what == founding::outcome::founded);
  CHECK(told[0].first == first);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(table.disk(i).value == first);
    CHECK(table.disk(i).genesis == genesis_of(first));
  }
}

TEST_CASE("a register is not founded before all of its voters are there", "[replication][register]") {
  small_register table;
  table.cut(1);
  table.found(0, table.view_of(1, {0, 1}));
  table.pass(60s);
  CHECK(table.events<founding>(0).empty());
  const auto missing = table.proposer(0).missing();
  REQUIRE(missing.size() == 1);
  CHECK(missing[0].id.node == small_register::voter_node(1));
  CHECK_FALSE(table.disk(0).is_founded());
  table.mend(1);
  table.pass(1s);
  CHECK(table.events<founding>(0).size() == 1);
}

TEST_CASE("several may found with the same view", "[replication][register]") {
  small_register table;
  view first = table.view_of(1, {0, 1});
  table.found(0, first);
  std::swap(first.voters[0], first.voters[2]);
  table.found(1, first);
  table.pass(1s);
  table.found(1, first);  // and again, when it is done
  table.pass(1s);
  REQUIRE(table.events<founding>(0).size() == 1);
  REQUIRE(table.events<founding>(1).size() == 2);
  for (const auto& told : table.events<founding>(1)) CHECK(told.what == founding::outcome::founded);
}

TEST_CASE("a founding does not undo what was chosen since", "[replication][register]") {
  small_register table;
  table.found(0, table.view_of(1, {0, 1}));
  table.deliver();
  table.ask(0, authority_cas{1, 1, table.view_of(2, {0})});
  table.deliver();
  table.found(1, table.view_of(1, {0, 1}));
  table.deliver();
  CHECK(table.events<founding>(1).back().what == founding::outcome::founded);
  table.ask(1, authority_read{2});
  table.deliver();
  CHECK(table.answer<authority_view>(1)->newest.view.epoch == 2);
}

TEST_CASE("of two foundings that meet at most one is in force, and the other is told", "[replication][register]") {
  small_register table;
  table.found(0, table.view_of(1, {0, 1}));
  table.deliver();
  table.found(1, table.view_of(1, {1, 0}));
  table.deliver();
  const auto told = table.events<founding>(1);
  REQUIRE(told.size() == 1);
  CHECK(told[0].what == founding::outcome::other_genesis);
  CHECK(told[0].genesis == table.disk(0).genesis);
}

TEST_CASE("two foundings that split the voters are both told, and nothing is overwritten", "[replication][register]") {
  small_register table{3, 3};
  table.found(0, table.view_of(1, {0, 1}));
  while (!table.disk(0).is_founded()) REQUIRE(table.deliver_one());
  table.delay();
  table.restart_proposer(0, 50);
  // Voter 1 takes another first view, by the hand of somebody who met voter 0 before it was founded.
  register_request other;
  other.what = register_question::found;
  other.chain = small_register::chain;
  other.voter = 1;
  other.value = table.view_of(1, {1, 0});
  other.genesis = genesis_of(other.value);
  REQUIRE(table.say(1, other).at(0).verdict == voter_verdict::yes);
  table.found(1, table.view_of(1, {0, 1}));
  table.found(2, table.view_of(1, {1, 0}));
  table.pass(1s);
  CHECK(table.events<founding>(1).at(0).what == founding::outcome::other_genesis);
  CHECK(table.events<founding>(2).at(0).what == founding::outcome::other_genesis);
  CHECK(table.disk(0).genesis != table.disk(1).genesis);
  CHECK_FALSE(table.disk(2).is_founded());
}

TEST_CASE("a proposer learns genesis and lives from a majority of voters", "[replication][register]") {
  small_register table;
  table.found(0, table.view_of(1, {0, 1}));
  table.deliver();
  table.cut(0);
  table.ask(1, authority_renew{5, 1});
  table.pass(100ms);
  CHECK(table.answer<authority_renewed>(1)->yes);
  CHECK(table.proposer(1).genesis() == table.disk(1).genesis);
}

TEST_CASE("a proposer that met voters before the founding meets them again", "[replication][register]") {
  small_register table{2, 2};
  table.ask(1, authority_read{5});
  table.pass(100ms);
  table.found(0, table.view_of(1, {0, 1}));
  table.pass(1s);
  REQUIRE(table.answer<authority_view>(1));
  CHECK(table.answer<authority_view>(1)->newest.view.epoch == 1);
}

TEST_CASE("a founding that is repeated while a voter is away ends by the majority that took the first view",
          "[replication][register]") {
  small_register table;
  table.found(0, table.view_of(1, {0, 1}));
  table.deliver();
  table.cut(2);
  table.found(1, table.view_of(1, {0, 1}));
  table.pass(100ms);
  REQUIRE(table.events<founding>(1).size() == 1);
  CHECK(table.events<founding>(1)[0].what == founding::outcome::founded);
}

TEST_CASE("a voter that was away when the others took the first view takes it later", "[replication][register]") {
  small_register table;
  table.found(0, table.view_of(1, {0, 1}));
  while (!table.disk(1).is_founded()) REQUIRE(table.deliver_one());
  table.cut(2);
  table.pass(10s);
  REQUIRE(table.events<founding>(0).size() == 1);  // by the majority that has it
  CHECK_FALSE(table.disk(2).is_founded());
  table.mend(2);
  table.ask(0, authority_renew{5, 1});
  table.pass(1s);
  CHECK(table.disk(2).is_founded());
}

TEST_CASE("a voter that lost its disk after the founding is named, and the others go on", "[replication][register]") {
  small_register table;
  table.found(0, table.view_of(1, {0, 1}));
  table.deliver();
  table.lose_disk(1, 2);
  table.ask(0, authority_cas{5, 1, table.view_of(2, {0})});
  table.pass(1s);
  CHECK(table.answer<authority_cas_done>(0)->what == authority_cas_done::outcome::chosen);
  const auto alarms = table.events<voter_alarm>(0);
  REQUIRE(alarms.size() == 1);
  CHECK(alarms[0].what == voter_alarm::kind::lost);
  CHECK(alarms[0].voter == replica_id{small_register::voter_node(1), 2});
  SECTION("and founding again does not bring it back") {
    table.found(1, table.view_of(1, {0, 1}));
    table.pass(1s);
    CHECK(table.events<founding>(1).at(0).what == founding::outcome::founded);
    CHECK_FALSE(table.disk(1).is_founded());
  }
}

TEST_CASE("a voter that lost its disk before the founding is met anew", "[replication][register]") {
  small_register table;
  table.cut(2);
  table.found(0, table.view_of(1, {0, 1}));
  table.pass(1s);
  table.lose_disk(1, 2);
  table.mend(2);
  table.pass(1s);
  REQUIRE(table.events<founding>(0).size() == 1);
  CHECK(table.events<founding>(0)[0].first.voters[1].id.incarnation == 2);
}

TEST_CASE("a view that is not a first one is not founded with", "[replication][register]") {
  small_register table;
  table.found(0, table.view_of(2, {0, 1}));
  table.deliver();
  CHECK(table.events<founding>(0).at(0).what == founding::outcome::unfit);
  CHECK_FALSE(table.disk(0).is_founded());
}

TEST_CASE("voters that were founded with others than are configured are not asked", "[replication][register]") {
  small_register table{4, 1};
  view first = table.view_of(1, {0, 1});
  first.voters.pop_back();
  register_request found;
  found.what = register_question::found;
  found.chain = small_register::chain;
  found.voter = 1;
  found.value = first;
  found.genesis = genesis_of(first);
  for (std::size_t i = 0; i < 3; ++i) REQUIRE(table.say(i, found).at(0).verdict == voter_verdict::yes);
  table.ask(0, authority_read{1});
  table.pass(1s);
  CHECK_FALSE(table.answer<authority_view>(0));
  const auto alarms = table.events<voter_alarm>(0);
  REQUIRE(alarms.size() == 3);
  CHECK(alarms[0].what == voter_alarm::kind::voters_disagree);
}
