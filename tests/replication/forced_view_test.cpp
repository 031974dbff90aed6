// The view with which a chain begins that takes the place of one of which no majority of voters is left.
#include "replication/forced_view.hpp"

#include "artillery/error.hpp"
#include "artillery/replication/quorum_authority.hpp"
#include "catch.hpp"

using namespace artillery;
using namespace artillery::replication;
using namespace std::chrono_literals;

namespace {

member replica(std::uint64_t id) {
  return {{node_id{0, id}, 100 + id}, endpoint::v4(127, 0, 0, 1, static_cast<std::uint16_t>(7000 + id))};
}

member voter(std::uint64_t id) {
  return {{node_id{0, id}, 900 + id}, endpoint::v4(127, 0, 0, 1, static_cast<std::uint16_t>(8000 + id))};
}

/// Replicas 1 and 2 are left; 3 may still hold a lease; 4 is being fed and 5 was taken out of service.
view lost_chain() {
  view lost = first_view(7, {replica(1), replica(2)}, 300ms);
  lost.epoch = 12;
  lost.readers.push_back(replica(3).id);
  lost.learners = {replica(4)};
  lost.voters = {voter(1), voter(2), voter(3)};
  lost.kept_out = {node_id{0, 5}};
  return lost;
}

view of_epoch(std::uint64_t epoch, std::vector<member> replicas) {
  view later = first_view(7, std::move(replicas), 300ms);
  later.epoch = epoch;
  return later;
}

constexpr std::uint64_t drawn = 0xabcde'00000000001;

}  // namespace

TEST_CASE("the chain that takes a lost one's place has one replica, one voter, and waits for all leases",
          "[replication][register][force]") {
  const view lost = lost_chain();
  const auto first = forced_view(lost, replica(2).id, voter(2), drawn);
  REQUIRE(first);
  CHECK_FALSE(check_view(*first));
  CHECK(first->replicas == std::vector{replica(2)});
  CHECK(first->voters == std::vector{voter(2)});
  CHECK(first->learners.empty());
  CHECK(first->readers == std::vector{replica(1).id, replica(2).id, replica(3).id});
  CHECK(first->kept_out == lost.kept_out);
  CHECK(first->chain == 7);
  CHECK(first->lease == 300ms);
  CHECK(first->leases == lease_mode::timed);
}

TEST_CASE("a forced chain's epochs are beyond those of the lost one, and of another that is forced by mistake",
          "[replication][register][force]") {
  const view lost = lost_chain();
  const auto first = forced_view(lost, replica(1).id, voter(1), drawn);
  const auto other = forced_view(lost, replica(2).id, voter(2), drawn << 1U);
  REQUIRE((first && other));
  CHECK(first->epoch > lost.epoch + (std::uint64_t{1} << 40U));
  CHECK(other->epoch - first->epoch >= std::uint64_t{1} << 24U);  // the steps of one never lead to those of the other
  CHECK(genesis_of(*first) != genesis_of(*other));
  // Once more, after steps of its own.
  view lost_again = *first;
  lost_again.epoch += 1000;
  const auto second = forced_view(lost_again, replica(1).id, voter(1), 0);
  REQUIRE(second);
  CHECK(second->epoch > lost_again.epoch);
  CHECK(second->epoch > other->epoch);
}

TEST_CASE("there is no end to epochs that a double cannot tell apart: none is made", "[replication][register][force]") {
  view lost = lost_chain();
  std::uint64_t highest = 0;
  int times = 0;
  while (const auto next = forced_view(lost, replica(1).id, voter(1), ~std::uint64_t{0})) {
    highest = next->epoch;
    lost.epoch = next->epoch;
    ++times;
  }
  CHECK(times == 511);
  CHECK(highest < std::uint64_t{1} << 53U);
}

TEST_CASE("nobody but a replica goes on alone, and only what the register can hold", "[replication][register][force]") {
  view lost = lost_chain();
  for (const std::uint64_t stranger : {3U, 4U, 5U})
    CHECK_FALSE(forced_view(lost, replica(stranger).id, voter(1), drawn));
  CHECK_FALSE(forced_view(lost, {node_id{0, 1}, 5}, voter(1), drawn));  // another life of a replica
  while (lost.readers.size() < view_replicas_max) lost.readers.push_back({node_id{1, lost.readers.size()}, 1});
  CHECK(forced_view(lost, replica(1).id, voter(1), drawn));
  lost.replicas.push_back(replica(6));
  CHECK_FALSE(forced_view(lost, replica(1).id, voter(1), drawn));
}

TEST_CASE("who was left out by a later view, chosen or not, may hold an old copy", "[replication][register][force]") {
  const view lost = lost_chain();
  const replica_id one = replica(1).id;
  const view none;
  CHECK(may_go_on(lost, one, none, none));
  CHECK(may_go_on(lost, one, lost, lost));
  CHECK(may_go_on(lost, one, of_epoch(13, {replica(1)}), of_epoch(13, {replica(1), replica(2)})));
  CHECK(may_go_on(lost, one, of_epoch(11, {replica(2)}), none));  // its voter missed that it came
  CHECK_FALSE(may_go_on(lost, one, of_epoch(13, {replica(2)}), none));
  CHECK_FALSE(may_go_on(lost, one, none, of_epoch(13, {replica(2)})));
  CHECK_FALSE(may_go_on(lost, replica(4).id, none, none));
}

TEST_CASE("another register is founded only where nobody answers for the lost one and the copy is not known to be old",
          "[replication][register][force]") {
  const view lost = lost_chain();
  voter_state vote;
  vote.chain = lost.chain;
  vote.self = voter(1).id;
  vote.genesis = 5;
  vote.value = lost;
  const acceptor here{1, vote, time_point{}};
  const view nothing_told;
  force_findings found{.read = errc::timed_out, .voter = &here, .genesis = 5, .told = &nothing_told};
  const auto objection = [&] { return objection_to_force(found, lost, replica(1).id); };
  CHECK_FALSE(objection());

  SECTION("a majority of the voters answers") {
    found.read = {};
    CHECK(objection() == errc::has_quorum);
  }
  SECTION("the question never went out") {
    found.read = errc::would_overflow;
    CHECK(objection() == errc::would_overflow);
  }
  SECTION("this node does not vote") {
    found.voter = nullptr;
    CHECK(objection() == errc::not_serving);
  }
  SECTION("the voter here is of another chain") {
    found.genesis = 6;
    CHECK(objection() == errc::other_genesis);
  }
  SECTION("a voter told of a later view without this replica") {
    const view later = of_epoch(lost.epoch + 1, {replica(2)});
    found.told = &later;
    CHECK(objection() == errc::stale_epoch);
  }
}

TEST_CASE("the voter of a forced chain begins with its first view, and promised nothing",
          "[replication][register][force]") {
  const auto first = forced_view(lost_chain(), replica(2).id, voter(2), drawn);
  REQUIRE(first);
  const voter_state vote = first_vote(*first);
  CHECK(vote.self == voter(2).id);
  CHECK(vote.genesis == genesis_of(*first));
  CHECK(vote.value == *first);
  CHECK(vote.promised == ballot{});
  CHECK(decode_voter(encode_voter(vote)).state == vote);
}
