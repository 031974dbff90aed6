// Reads, compare-and-swaps and polls of a proposer, with voters on a table.
#include "catch.hpp"
#include "replication/small_register.hpp"

using namespace artillery;
using namespace artillery::replication;
using namespace std::chrono_literals;
using outcome = authority_cas_done::outcome;

namespace {

/// Three voters that were founded with the view {0, 1, 2}, and proposers who know nothing yet.
struct founded_register : small_register {
  explicit founded_register(std::size_t voters = 3) : small_register{voters, 3} {
    first = view_of(1, {0, 1, 2});
    found(0, first);
    deliver();
  }

  /// What a read of proposer `of` answers, once all is delivered.
  std::optional<authority_view> read(std::size_t of) {
    ask(of, authority_read{++last_id});
    pass(300ms);
    auto said = answer<authority_view>(of);
    return said && said->id == last_id ? said : std::nullopt;
  }
  std::optional<authority_cas_done> swap(std::size_t of, std::uint64_t expected, const view& next) {
    ask(of, authority_cas{++last_id, expected, next});
    pass(300ms);
    auto said = answer<authority_cas_done>(of);
    return said && said->id == last_id ? said : std::nullopt;
  }
  std::optional<bool> renew(std::size_t of, std::uint64_t epoch) {
    ask(of, authority_renew{++last_id, epoch});
    pass(300ms);
    auto said = answer<authority_renewed>(of);
    return said && said->id == last_id ? std::optional{said->yes} : std::nullopt;
  }

  view first;
  question_id last_id = 0;
};

}  // namespace

TEST_CASE("a read of an untouched register answers the first view, from promises alone", "[replication][register]") {
  founded_register table;
  const auto read = table.read(1);
  REQUIRE(read);
  CHECK(read->newest.view == table.first);
  CHECK(read->newest.chosen_in == ballot{});
  CHECK(read->fences);
  CHECK(table.proposer(1).counters().short_reads == 1);
}

TEST_CASE("a swap makes the next view the one that everybody reads", "[replication][register]") {
  founded_register table;
  const view next = table.view_of(2, {0, 1});
  const auto swapped = table.swap(0, 1, next);
  REQUIRE(swapped);
  CHECK(swapped->what == outcome::chosen);
  REQUIRE(swapped->now);
  CHECK(swapped->now->view == next);
  CHECK(table.read(2)->newest == *swapped->now);
}

TEST_CASE("a swap that expected an older epoch is refused and told the view in force", "[replication][register]") {
  founded_register table;
  const view next = table.view_of(2, {0, 1});
  static_cast<void>(table.swap(0, 1, next));
  const auto late = table.swap(1, 1, table.view_of(2, {1, 2}));
  REQUIRE(late);
  CHECK(late->what == outcome::refused);
  CHECK(late->now->view == next);
}

TEST_CASE("a view that may not follow is not proposed", "[replication][register]") {
  founded_register table;
  view next = table.view_of(2, {0});
  SECTION("other voters") {
    next.voters.pop_back();
  }
  SECTION("an epoch left out") {
    next.epoch = 3;
  }
  const auto refused = table.swap(0, 1, next);
  REQUIRE(refused);
  CHECK(refused->what == outcome::refused);
  CHECK(refused->now->view == table.first);
}

TEST_CASE("one voter of three may be away", "[replication][register]") {
  founded_register table;
  table.cut(1);
  const auto swapped = table.swap(0, 1, table.view_of(2, {0}));
  REQUIRE(swapped);
  CHECK(swapped->what == outcome::chosen);
  table.mend(1);
  table.cut(2);
  CHECK(table.read(1)->newest.view == table.view_of(2, {0}));
}

TEST_CASE("without a majority a swap comes to nothing that is known", "[replication][register]") {
  founded_register table;
  table.cut(1);
  table.cut(2);
  CHECK_FALSE(table.swap(0, 1, table.view_of(2, {0})));
  table.pass(5s);
  REQUIRE(table.answer<authority_cas_done>(0));
  CHECK(table.answer<authority_cas_done>(0)->what == outcome::unknown);
  CHECK_FALSE(table.read(1));
}

TEST_CASE("what is lost on the way is said again", "[replication][register]") {
  founded_register table;
  table.ask(0, authority_cas{1, 1, table.view_of(2, {0})});
  table.delay();  // and never delivered
  table.pass(1s);
  REQUIRE(table.answer<authority_cas_done>(0));
  CHECK(table.answer<authority_cas_done>(0)->what == outcome::chosen);
}

TEST_CASE("a read finishes what a swap left half done", "[replication][register]") {
  founded_register table;
  static_cast<void>(table.read(0));
  const view next = table.view_of(2, {0});
  table.ask(0, authority_cas{50, 1, next});
  for (int i = 0; i < 5; ++i) table.deliver_one();  // two promises are back and the acceptances under way
  while (table.voter(0).state().value.epoch == 1 && table.deliver_one()) {
  }
  table.delay();
  table.pause(0);
  REQUIRE(table.voter(0).state().value == next);
  REQUIRE(table.voter(1).state().value == table.first);
  SECTION("if a voter that has it is heard") {
    table.cut(2);
    const auto read = table.read(1);
    REQUIRE(read);
    CHECK(read->newest.view == next);
    CHECK(table.voter(1).state().value == next);
  }
  SECTION("and otherwise fences it: it is never chosen afterwards") {
    table.cut(0);
    const auto read = table.read(1);
    REQUIRE(read);
    CHECK(read->newest.view == table.first);
    table.deliver_late();
    CHECK(table.voter(1).state().value == table.first);
    CHECK(table.voter(2).state().value == table.first);
  }
}

TEST_CASE("a read voids what its own process proposed before, also where nobody is heard who has it",
          "[replication][register]") {
  founded_register table;
  static_cast<void>(table.read(0));
  static_cast<void>(table.read(1));
  table.ask(0, authority_cas{50, 1, table.view_of(2, {0})});
  while (table.voter(0).state().value.epoch == 1) REQUIRE((table.deliver_one() || (table.pass(1ms), true)));
  table.delay();
  table.proposer(0).forget(50);
  table.cut(0);
  const auto read = table.read(0);
  REQUIRE(read);
  CHECK(read->fences);
  CHECK(read->newest.view == table.first);
  table.mend(0);
  table.cut(1);
  CHECK(table.read(1)->newest.view == table.first);
}

TEST_CASE("a proposer that lost a race learns who won", "[replication][register]") {
  founded_register table;
  const view ours = table.view_of(2, {0});
  const view theirs = table.view_of(2, {1});
  table.ask(0, authority_cas{50, 1, ours});
  table.ask(1, authority_cas{51, 1, theirs});
  table.pass(5s);
  const auto first = table.answer<authority_cas_done>(0);
  const auto second = table.answer<authority_cas_done>(1);
  REQUIRE((first && second));
  CHECK((first->what == outcome::chosen) != (second->what == outcome::chosen));
  CHECK(first->now->view == second->now->view);
}

TEST_CASE("a proposer that asks seldom is heard beside others that ask all the time", "[replication][register]") {
  founded_register table;
  static_cast<void>(table.read(0));
  table.pass(1s);
  table.ask(2, authority_read{1000});
  // The others go on so fast that a ballot of its own is always late when it comes.
  for (question_id id = 1; id < 1000 && !table.answer<authority_view>(2); ++id) {
    for (const std::size_t other : {0U, 1U}) table.ask(other, authority_read{id});
    table.pass(2ms);
  }
  CHECK(table.answer<authority_view>(2));
}

TEST_CASE("a swap that another proposer finished counts as one's own", "[replication][register]") {
  founded_register table;
  static_cast<void>(table.read(0));
  const view next = table.view_of(2, {0});
  table.ask(0, authority_cas{50, 1, next});
  while (table.voter(0).state().value.epoch == 1 && table.deliver_one()) {
  }
  table.delay();
  table.pause(0);
  table.cut(2);
  CHECK(table.read(1)->newest.view == next);
  table.mend(2);
  table.resume(0);
  table.pass(3s);
  REQUIRE(table.answer<authority_cas_done>(0));
  CHECK(table.answer<authority_cas_done>(0)->what == outcome::chosen);
}

TEST_CASE("a proposal that may have been chosen and followed is never called refused", "[replication][register]") {
  founded_register table;
  static_cast<void>(table.read(0));
  const view next = table.view_of(2, {0});
  table.ask(0, authority_cas{50, 1, next});
  while (table.voter(0).state().value.epoch == 1 && table.deliver_one()) {
  }
  table.delay();
  table.pause(0);
  table.cut(2);
  CHECK(table.read(1)->newest.view == next);
  CHECK(table.swap(1, 2, table.view_of(3, {1}))->what == outcome::chosen);
  table.mend(2);
  table.resume(0);
  table.pass(3s);
  CHECK(table.answer<authority_cas_done>(0)->what == outcome::unknown);
}

TEST_CASE("questions are taken in turn, and reads that stand together answered together", "[replication][register]") {
  founded_register table;
  static_cast<void>(table.read(0));
  const std::uint64_t before = table.proposer(0).counters().ballots;
  table.ask(0, authority_read{60});
  table.ask(0, authority_read{61});  // after the ballot of 60 began
  table.ask(0, authority_cas{62, 1, table.view_of(2, {0})});
  table.ask(0, authority_read{63});
  table.deliver();
  CHECK(table.proposer(0).counters().ballots == before + 4);
  CHECK(table.answer<authority_view>(0)->newest.view.epoch == 2);
  table.ask(0, authority_cas{64, 2, table.view_of(3, {0})});
  table.ask(0, authority_read{65});
  table.ask(0, authority_read{66});
  table.deliver();
  CHECK(table.proposer(0).counters().ballots == before + 6);
}

TEST_CASE("a question that nobody waits for any more is not pursued", "[replication][register]") {
  founded_register table;
  table.ask(1, authority_read{50});
  table.proposer(1).forget(50);
  table.pass(1s);
  CHECK_FALSE(table.answer<authority_view>(1));
  CHECK_FALSE(table.proposer(1).next_deadline());
}

TEST_CASE("only so many questions wait", "[replication][register]") {
  founded_register table;
  for (question_id id = 1; id <= 2 * proposer::questions_max; ++id) table.ask(1, authority_read{id});
  CHECK(table.proposer(1).counters().dropped == proposer::questions_max);
  for (question_id id = 1; id <= 2 * epoch_polls::polls_max; ++id) table.ask(1, authority_renew{1000 + id, 1});
  table.pass(1s);
  CHECK(table.answer<authority_renewed>(1)->yes);
}

TEST_CASE("two lives of a proposer have no ballot in common", "[replication][register]") {
  founded_register table;
  static_cast<void>(table.swap(0, 1, table.view_of(2, {0})));
  const ballot before = table.voter(0).state().promised;
  table.lose_disk(2, 2);  // so that nobody but the others keeps it
  table.restart_proposer(0, 99);
  const auto read = table.read(0);
  REQUIRE(read);
  CHECK(read->newest.view.epoch == 2);
  CHECK(table.voter(0).state().promised.incarnation != before.incarnation);
}

TEST_CASE("a member renews while its epoch is in force", "[replication][register][lease]") {
  founded_register table;
  CHECK(table.renew(1, 1) == true);
  static_cast<void>(table.swap(0, 1, table.view_of(2, {0})));
  CHECK(table.renew(1, 1) == false);
  CHECK(table.renew(1, 2) == false);
  CHECK(table.renew(0, 2) == true);
}

TEST_CASE("a renewal needs a majority of yeses to that very question", "[replication][register][lease]") {
  founded_register table;
  static_cast<void>(table.renew(1, 1));
  table.cut(1);
  table.ask(1, authority_renew{50, 1});
  table.deliver_one();  // voter 0 has said yes, and its answer is under way
  table.delay();
  table.cut(2);
  table.ask(1, authority_renew{51, 1});
  table.deliver();  // voter 0 says yes to this one, too
  table.mend(1);
  table.mend(2);
  table.deliver_late();
  CHECK(table.answer<authority_renewed>(1)->id == 50);
  table.pass(100ms);
  CHECK(table.answer<authority_renewed>(1)->id == 51);
}

TEST_CASE("of a renewal that gets no majority nothing is heard", "[replication][register][lease]") {
  founded_register table;
  static_cast<void>(table.renew(1, 1));
  table.cut(1);
  table.cut(2);
  table.ask(1, authority_renew{50, 1});
  table.pass(10s);
  CHECK(table.answer<authority_renewed>(1)->id != 50);
  CHECK_FALSE(table.proposer(1).next_deadline());
}

TEST_CASE("voters that chose an epoch are asked how long they were silent about earlier ones",
          "[replication][register][gate]") {
  founded_register table;
  table.pass(10s);
  static_cast<void>(table.renew(2, 1));
  const auto swapped = table.swap(0, 1, table.view_of(2, {0, 1}));
  const ballot chosen_in = swapped->now->chosen_in;
  table.ask(0, authority_quiet{50, 2, chosen_in, 2s, {}});
  table.pass(1s);
  CHECK_FALSE(table.answer<authority_quieted>(0));
  table.pass(2s);
  REQUIRE(table.answer<authority_quieted>(0));
  CHECK(table.answer<authority_quieted>(0)->yes);
}

TEST_CASE("who asks too early is told so in the end", "[replication][register][gate]") {
  founded_register table;
  static_cast<void>(table.renew(2, 1));
  const auto swapped = table.swap(0, 1, table.view_of(2, {0, 1}));
  table.ask(0, authority_quiet{50, 2, swapped->now->chosen_in, 20s, {}});
  table.pass(5s);
  REQUIRE(table.answer<authority_quieted>(0));
  CHECK_FALSE(table.answer<authority_quieted>(0)->yes);
}

TEST_CASE("a voter that has not accepted the ballot does not count, whatever it says",
          "[replication][register][gate]") {
  founded_register table;
  table.pass(100s);
  table.cut(2);
  const auto swapped = table.swap(0, 1, table.view_of(2, {0, 1}));
  table.mend(2);
  table.cut(1);
  table.ask(0, authority_quiet{50, 2, swapped->now->chosen_in, 2s, {}});
  table.pass(2s);
  CHECK_FALSE(table.answer<authority_quieted>(0));
  table.mend(1);
  table.pass(1s);
  REQUIRE(table.answer<authority_quieted>(0));
  CHECK(table.answer<authority_quieted>(0)->yes);
}

TEST_CASE("a voter that came back does not count until it was silent long enough", "[replication][register][gate]") {
  founded_register table;
  table.pass(100s);
  const auto swapped = table.swap(0, 1, table.view_of(2, {0, 1}));
  table.restart_voter(0);
  table.restart_voter(1);
  table.ask(0, authority_quiet{50, 2, swapped->now->chosen_in, 2s, {}});
  table.pass(1s);
  CHECK_FALSE(table.answer<authority_quieted>(0));
  table.pass(1500ms);
  REQUIRE(table.answer<authority_quieted>(0));
  CHECK(table.answer<authority_quieted>(0)->yes);
}

TEST_CASE("a proposer wants to know its voters", "[replication][register]") {
  proposer_config config;
  config.node = {1, 1};
  CHECK_FALSE(proposer::check(config));  // it may be told later
  CHECK(proposer::check(config.voters));
  config.genesis = 5;  // but who has a genesis knows its voters
  CHECK(proposer::check(config));
  config.genesis = 0;
  config.voters = {{{{1, 1}, 0}, endpoint::v4(10, 0, 0, 1, 1)}, {{{1, 2}, 0}, endpoint::v4(10, 0, 0, 2, 1)}};
  CHECK_FALSE(proposer::check(config));
  config.genesis = 5;  // then their incarnations are known, too
  CHECK(proposer::check(config));
  config.genesis = 0;
  config.voters[1].id.node = {1, 1};
  CHECK(proposer::check(config));
  config.voters[1] = {{{1, 2}, 0}, config.voters[0].at};
  CHECK(proposer::check(config));
}
