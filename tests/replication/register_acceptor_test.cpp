// A voter of the register, rule by rule: what it promises, what it forgets never, to whom it says yes.
#include "catch.hpp"
#include "replication/small_register.hpp"

using namespace artillery;
using namespace artillery::replication;
using namespace std::chrono_literals;

namespace {

/// One voter that was founded with the view {0, 1}; questions are put to it by hand.
struct one_voter : small_register {
  one_voter() : small_register{3, 1} {
    first = view_of(1, {0, 1});
    found(0, first);
    deliver();
  }

  register_request question(register_question what) const {
    register_request q;
    q.what = what;
    q.number = 5;
    q.chain = chain;
    q.genesis = genesis_of(first);
    q.asker = replica(0);
    q.voter = 1;
    return q;
  }
  register_reply ask_for(const register_request& q) {
    const auto answers = say(0, q);
    REQUIRE(answers.size() == 1);
    CHECK(answers.front().number == q.number);
    CHECK(answers.front().what == q.what);
    return answers.front();
  }
  register_reply prepare(std::uint64_t round) {
    auto q = question(register_question::prepare);
    q.at = {round, {9, 9}, 1};
    return ask_for(q);
  }
  register_request acceptance(std::uint64_t round, const view& value) const {
    auto q = question(register_question::accept);
    q.at = {round, {9, 9}, 1};
    q.value = value;
    return q;
  }
  register_reply accept(std::uint64_t round, const view& value) { return ask_for(acceptance(round, value)); }
  register_reply renew(std::uint64_t epoch, const replica_id& who) {
    auto q = question(register_question::renew);
    q.epoch = epoch;
    q.asker = who;
    return ask_for(q);
  }
  register_reply report(std::uint64_t epoch, std::vector<replica_id> whom = {}) {
    auto q = question(register_question::report);
    q.epoch = epoch;
    q.whom = std::move(whom);
    return ask_for(q);
  }

  view first;
};

}  // namespace

TEST_CASE("a voter promises a ballot and tells what it accepted last", "[replication][register]") {
  one_voter voter;
  const auto answer = voter.prepare(4);
  CHECK(answer.verdict == voter_verdict::yes);
  CHECK(answer.at == ballot{});
  CHECK(answer.value == voter.first);
}

TEST_CASE("a voter keeps its promise: nothing lower is promised or accepted", "[replication][register]") {
  one_voter voter;
  static_cast<void>(voter.prepare(4));
  CHECK(voter.prepare(3).verdict == voter_verdict::no);
  const auto refusal = voter.accept(3, voter.view_of(2, {0}));
  CHECK(refusal.verdict == voter_verdict::no);
  CHECK(refusal.at.round == 4);
  CHECK(voter.voter(0).state().value == voter.first);
}

TEST_CASE("a voter accepts a view in the ballot that it promised, and the same again", "[replication][register]") {
  one_voter voter;
  static_cast<void>(voter.prepare(4));
  const view next = voter.view_of(2, {0});
  CHECK(voter.accept(4, next).verdict == voter_verdict::yes);
  CHECK(voter.accept(4, next).verdict == voter_verdict::yes);
  const auto answer = voter.prepare(5);
  CHECK(answer.at.round == 4);
  CHECK(answer.value == next);
}

TEST_CASE("a ballot carries one view", "[replication][register]") {
  one_voter voter;
  CHECK(voter.accept(4, voter.view_of(2, {0})).verdict == voter_verdict::yes);
  CHECK(voter.accept(4, voter.view_of(2, {1})).verdict == voter_verdict::unfit);
}

TEST_CASE("voters, lease and drift are fixed by the genesis", "[replication][register]") {
  one_voter voter;
  view other = voter.view_of(2, {0});
  SECTION("voters") {
    other.voters.pop_back();
  }
  SECTION("lease") {
    other.lease = 1s;
  }
  SECTION("drift") {
    other.drift_ppm = 7;
  }
  SECTION("mode") {
    other.leases = lease_mode::endless;
  }
  CHECK(voter.accept(4, other).verdict == voter_verdict::unfit);
}

TEST_CASE("nothing leaves a voter before its disk has it", "[replication][register]") {
  one_voter voter;
  voter.hold_disks();
  auto q = voter.question(register_question::prepare);
  q.at = {4, {9, 9}, 1};
  CHECK(voter.say(0, q).empty());
  CHECK(voter.writes_under_way() == 1);
  CHECK(voter.disk(0).promised == ballot{});
  SECTION("then it does") {
    voter.release_disks();
    REQUIRE(voter.replies().size() == 1);
    CHECK(voter.disk(0).promised.round == 4);
  }
  SECTION("also when the question comes again meanwhile") {
    CHECK(voter.say(0, q).empty());
    CHECK(voter.writes_under_way() == 1);
    voter.release_disks();
    CHECK(voter.replies().size() == 2);
  }
  SECTION("nor does a yes to a replica, which is given when it leaves") {
    auto renewal = voter.question(register_question::renew);
    renewal.epoch = 1;
    CHECK(voter.say(0, renewal).empty());
    voter.release_disks();
    REQUIRE(voter.replies().size() == 2);
    CHECK(voter.replies().back().what == register_question::renew);
    CHECK(voter.replies().back().verdict == voter_verdict::yes);
  }
}

TEST_CASE("a question that waits for the disk is answered by what the voter holds then", "[replication][register]") {
  one_voter voter;
  voter.hold_disks();
  CHECK(voter.say(0, voter.acceptance(4, voter.view_of(2, {0}))).empty());
  auto renewal = voter.question(register_question::renew);
  renewal.epoch = 1;
  CHECK(voter.say(0, renewal).empty());
  voter.release_disks();
  REQUIRE(voter.replies().size() == 2);
  CHECK(voter.replies().back().verdict == voter_verdict::no);
}

TEST_CASE("a voter whose disk refused is silent for good", "[replication][register]") {
  one_voter voter;
  voter.hold_disks();
  CHECK(voter.say(0, voter.acceptance(4, voter.view_of(2, {0}))).empty());
  voter.fail_write();
  voter.release_disks();
  CHECK(voter.voter(0).is_silent());
  CHECK(voter.say(0, voter.question(register_question::identify)).empty());
  voter.restart_voter(0);
  CHECK(voter.report(2).at == ballot{});
}

TEST_CASE("a voter that comes back keeps promise and view", "[replication][register]") {
  one_voter voter;
  static_cast<void>(voter.accept(4, voter.view_of(2, {0})));
  static_cast<void>(voter.prepare(6));
  voter.restart_voter(0);
  CHECK(voter.accept(5, voter.view_of(2, {1})).verdict == voter_verdict::no);
  CHECK(voter.prepare(7).value == voter.view_of(2, {0}));
}

TEST_CASE("a voter that lost its disk never votes again", "[replication][register]") {
  one_voter voter;
  voter.lose_disk(0, 2);
  auto q = voter.question(register_question::prepare);
  q.at = {4, {9, 9}, 1};
  CHECK(voter.ask_for(q).verdict == voter_verdict::other_voter);
  CHECK(voter.renew(1, small_register::replica(0)).verdict == voter_verdict::other_voter);
  auto again = voter.question(register_question::found);
  again.value = voter.first;
  CHECK(voter.ask_for(again).verdict == voter_verdict::other_voter);
  again.voter = 2;  // not even under its new name: the first view has the old one
  CHECK(voter.ask_for(again).verdict == voter_verdict::unfit);
}

TEST_CASE("questions of another chain are passed over, those of another genesis refused", "[replication][register]") {
  one_voter voter;
  auto q = voter.question(register_question::prepare);
  q.at = {4, {9, 9}, 1};
  q.genesis += 1;
  CHECK(voter.ask_for(q).verdict == voter_verdict::other_genesis);
  q.chain += 1;
  CHECK(voter.say(0, q).empty());
  CHECK(voter.voter(0).counters().other_chain == 1);
}

TEST_CASE("a voter says yes to the members of the epoch that it accepted last, and to nobody else",
          "[replication][register][lease]") {
  one_voter voter;
  CHECK(voter.renew(1, small_register::replica(1)).verdict == voter_verdict::yes);
  CHECK(voter.renew(2, small_register::replica(1)).verdict == voter_verdict::no);
  CHECK(voter.renew(1, small_register::replica(2)).verdict == voter_verdict::no);
  CHECK(voter.renew(1, {small_register::replica(1).node, 2}).verdict == voter_verdict::no);
  static_cast<void>(voter.accept(4, voter.view_of(2, {0})));
  CHECK(voter.renew(1, small_register::replica(0)).verdict == voter_verdict::no);
  CHECK(voter.renew(2, small_register::replica(1)).verdict == voter_verdict::no);
  CHECK(voter.renew(2, small_register::replica(0)).verdict == voter_verdict::yes);
}

TEST_CASE("a voter reports how long ago it last said yes to an earlier epoch", "[replication][register][gate]") {
  one_voter voter;
  voter.now += 10s;
  static_cast<void>(voter.renew(1, small_register::replica(1)));
  static_cast<void>(voter.accept(4, voter.view_of(2, {0})));
  voter.now += 3s;
  static_cast<void>(voter.renew(2, small_register::replica(0)));
  voter.now += 1s;
  CHECK(voter.report(2).quiet == 4s);
  CHECK(voter.report(2).at.round == 4);
  CHECK(voter.report(3).quiet == 1s);
}

TEST_CASE("a voter tells apart to whom it said yes", "[replication][register][gate]") {
  one_voter voter;
  const replica_id kept = small_register::replica(0);
  const replica_id dropped = small_register::replica(1);
  static_cast<void>(voter.renew(1, dropped));
  voter.now += 3s;
  static_cast<void>(voter.renew(1, kept));
  static_cast<void>(voter.accept(4, voter.view_of(2, {0})));
  voter.now += 1s;
  CHECK(voter.report(2, {dropped}).quiet == 4s);
  CHECK(voter.report(2, {kept}).quiet == 1s);
  CHECK(voter.report(2, {dropped, kept}).quiet == 1s);
  CHECK(voter.report(2).quiet == 1s);
  voter.restart_voter(0);  // what was said before is not known any more
  voter.now += 1s;
  CHECK(voter.report(2, {dropped}).quiet == 1s);
}

TEST_CASE("a voter's start counts as a yes to everybody", "[replication][register][gate]") {
  one_voter voter;
  voter.now += 10s;
  CHECK(voter.report(2).quiet == 10s);
  voter.restart_voter(0);
  voter.now += 1s;
  CHECK(voter.report(2).quiet == 1s);
}

TEST_CASE("yeses to many epochs are remembered as a few, none earlier than it was", "[replication][register][gate]") {
  one_voter voter;
  constexpr std::uint64_t epochs = 99;
  for (std::uint64_t epoch = 1; epoch <= epochs; ++epoch) {
    static_cast<void>(voter.renew(epoch, small_register::replica(0)));
    voter.now += 1s;
    static_cast<void>(voter.accept(epoch, voter.view_of(epoch + 1, {0})));
  }
  CHECK(voter.report(epochs + 1).quiet == 1s);
  CHECK(voter.report(epochs).quiet == 2s);
  CHECK(voter.report(3).quiet < 98s);
  CHECK(voter.report(3, {small_register::replica(1)}).quiet < 98s);
}

TEST_CASE("what is no question is counted and dropped", "[replication][register]") {
  one_voter voter;
  std::vector<std::byte> reply;
  encode(reply, small_register::cluster(), register_reply{});
  network_effects* nowhere = nullptr;
  voter.voter(0).receive(connection::datagram({}), reply, voter.now, *nowhere);
  voter.voter(0).receive(connection::datagram({}), as_bytes("nonsense"), voter.now, *nowhere);
  CHECK(voter.voter(0).counters().malformed == 2);
}

TEST_CASE("a voter lets only so many questions wait for its disk", "[replication][register]") {
  one_voter voter;
  voter.hold_disks();
  static_cast<void>(voter.say(0, voter.acceptance(4, voter.view_of(2, {0}))));
  for (std::size_t i = 0; i < 2 * acceptor::waiting_max; ++i) {
    static_cast<void>(voter.say(0, voter.question(register_question::identify)));
  }
  CHECK(voter.voter(0).waiting() == acceptor::waiting_max);
  CHECK(voter.voter(0).counters().overflows == acceptor::waiting_max + 1);
}
