#include "membership/suspicion.hpp"

#include <map>

#include "catch.hpp"
#include "membership/gossip.hpp"
#include "membership/probe.hpp"

using namespace artillery;
using namespace artillery::membership;
using namespace std::chrono_literals;

TEST_CASE("the suspicion timeout grows with the logarithm of the members", "[membership][suspicion]") {
  CHECK(suspicion_timeout_min(4, 2, 1s) == 4s);
  CHECK(suspicion_timeout_min(4, 10, 1s) == 4s);
  CHECK(suspicion_timeout_min(4, 100, 1s) == 8s);
  CHECK(suspicion_timeout_min(4, 1'000, 1s) == 12s);
}

TEST_CASE("each confirmation shrinks a suspicion's timeout, the first the most", "[membership][suspicion]") {
  const auto none = suspicion_timeout(4s, 24s, 0, 2);
  const auto one = suspicion_timeout(4s, 24s, 1, 2);
  const auto both = suspicion_timeout(4s, 24s, 2, 2);
  CHECK(none == 24s);
  CHECK(both == 4s);
  CHECK(none - one > one - both);
}

TEST_CASE("a suspicion that nobody can confirm starts at its least", "[membership][suspicion]") {
  CHECK(suspicion_timeout(4s, 24s, 0, 0) == 4s);
}

TEST_CASE("the same accuser confirms a suspicion once", "[membership][suspicion]") {
  suspicions all;
  suspicion s{.about = {1, 1}, .started = time_point{1h}, .least = 4s, .most = 24s, .needed = 2};
  s.accusers[0] = {10};
  all.start(s);
  CHECK_FALSE(all.confirm({1, 1}, {10}));
  CHECK(all.confirm({1, 1}, {11}));
  CHECK_FALSE(all.confirm({1, 1}, {11}));
  CHECK(all.confirm({1, 1}, {12}));
  CHECK_FALSE(all.confirm({1, 1}, {13}));
  CHECK(all.find({1, 1})->deadline() == time_point{1h} + 4s);
}

TEST_CASE("local health has a floor and a ceiling, and scales time", "[membership][awareness]") {
  awareness health{8};
  health.better();
  CHECK(health.scale(1s) == 1s);
  health.worse(20);
  CHECK(health.scale(1s) == 9s);
  health.better();
  CHECK(health.score() == 7);
}

TEST_CASE("what was said least goes first, and the newest among equals", "[membership][gossip]") {
  transmit_queue<std::uint64_t> queue;
  const auto order = [&](std::size_t take) {
    std::vector<std::uint64_t> seen;
    queue.offer([&](std::uint64_t key) {
      if (seen.size() == take) return false;
      seen.push_back(key);
      return true;
    });
    queue.said(1, 2);
    return seen;
  };
  queue.push(1);
  queue.push(2);
  queue.push(3);
  CHECK(order(2) == std::vector<std::uint64_t>{3, 2});
  CHECK(order(2) == std::vector<std::uint64_t>{1, 3});
  CHECK(order(3) == std::vector<std::uint64_t>{2, 1});  // 3 was said twice: enough
  CHECK(queue.empty());
}

TEST_CASE("news is told a number of times that grows with the logarithm of the members", "[membership][gossip]") {
  CHECK(transmissions_max(4, 2) == 4);
  CHECK(transmissions_max(4, 9) == 4);
  CHECK(transmissions_max(4, 10) == 8);
  CHECK(transmissions_max(4, 1'000) == 16);
}

TEST_CASE("the longest suspicion that a sound configuration allows does not overflow", "[membership][suspicion]") {
  const auto least = membership::suspicion_timeout_min(100, 16'384, std::chrono::hours{1});
  const auto most = least * 100;
  CHECK(least > std::chrono::hours{400});
  CHECK(membership::suspicion_timeout(least, most, 1, 2) > least);
  CHECK(membership::suspicion_timeout(least, most, 1, 2) < most);
}

TEST_CASE("a member that comes back within a round is probed once per round", "[membership][probe]") {
  membership::member_table members{1};
  membership::probe_ring ring;
  detail::random random{3};
  for (std::uint64_t i = 1; i <= 4; ++i) {
    const node_id id{i, i};
    membership::member_row& row =
        members.insert(id, {1, 0, membership::member_state::alive}, std::make_shared<const membership::facts>(), {});
    for (int times = 0; times < 3; ++times) ring.add(row, random);
  }
  std::map<node_id, int> probed;
  for (int i = 0; i < 40; ++i) ++probed[ring.next(members, random)->key];
  for (const auto& [id, times] : probed) CHECK(times == 10);
}

TEST_CASE("a member that is forgotten loses its place in the round, and the others keep theirs",
          "[membership][probe]") {
  membership::member_table members{1};
  membership::probe_ring ring;
  detail::random random{3};
  for (std::uint64_t i = 1; i <= 4; ++i) {
    ring.add(members.insert({i, i}, {1, 0, membership::member_state::alive},
                            std::make_shared<const membership::facts>(), {}),
             random);
  }
  const node_id first = ring.next(members, random)->key;
  membership::member_row& gone = *members.find(first);
  members.set_standing(gone, {1, 0, membership::member_state::failed}, {});
  ring.remove(gone);
  members.erase(first);
  std::map<node_id, int> probed;
  for (int i = 0; i < 3; ++i) ++probed[ring.next(members, random)->key];
  CHECK(probed.size() == 3);
  CHECK(!probed.contains(first));
}

TEST_CASE("draws of members leave out those that are not eligible, and give each of the others its chance",
          "[membership][gossip]") {
  membership::member_table members{1};
  detail::random random{5};
  using membership::member_state;
  for (std::uint64_t i = 1; i <= 8; ++i) {
    const member_state state = i == 2 || i == 5 ? member_state::failed
                               : i == 7         ? member_state::suspect
                                                : member_state::alive;
    members.insert({i, i}, {1, 0, state}, std::make_shared<const membership::facts>(), {});
  }
  std::map<std::uint64_t, int> present;
  std::map<std::uint64_t, int> alive;
  for (int i = 0; i < 1'200; ++i) {
    for (const auto* row : members.draw_present(3, random)) ++present[row->key.low];
    for (const auto* row : members.draw_alive(2, {8, 8}, random)) ++alive[row->key.low];
  }
  REQUIRE(present.size() == 6);  // 600 each
  for (const auto& [member, times] : present) CHECK(std::abs(times - 600) < 120);
  REQUIRE(alive.size() == 4);  // 1, 3, 4 and 6; 600 each
  for (const auto& [member, times] : alive) CHECK(std::abs(times - 600) < 120);
  CHECK(members.draw_present(9, random).size() == 6);
  CHECK(members.gone_rows().size() == 2);
}

TEST_CASE("of several members at one address the first is found, and the next when that one is gone",
          "[membership][identity]") {
  membership::member_table members{1};
  const auto at = std::make_shared<membership::facts>();
  at->at = endpoint::v4(10, 0, 0, 1, 7946);
  const auto elsewhere = std::make_shared<membership::facts>();
  elsewhere->at = endpoint::v4(10, 0, 0, 2, 7946);
  for (std::uint64_t i = 1; i <= 3; ++i) members.insert({i, i}, {1, 0, membership::member_state::alive}, at, {});
  CHECK(members.present_at(at->at)->key == node_id{1, 1});
  members.set_standing(*members.find(node_id{1, 1}), {1, 0, membership::member_state::failed}, {});
  CHECK(members.present_at(at->at)->key == node_id{2, 2});
  members.set_facts(*members.find(node_id{2, 2}), elsewhere);
  CHECK(members.present_at(at->at)->key == node_id{3, 3});
  CHECK(members.present_at(elsewhere->at)->key == node_id{2, 2});
  members.set_standing(*members.find(node_id{3, 3}), {1, 0, membership::member_state::left}, {});
  CHECK(members.present_at(at->at) == nullptr);
}

TEST_CASE("the transmit queue stops looking when nothing fits", "[membership][gossip]") {
  membership::transmit_queue<std::uint64_t> queue;
  for (std::uint64_t i = 0; i < 100'000; ++i) queue.push(i);
  int asked = 0;
  queue.offer([&](std::uint64_t) {
    ++asked;
    return false;
  });
  CHECK(asked == static_cast<int>(membership::refusals_max));
  queue.offer([&](std::uint64_t key) { return key >= 99'998; });
  queue.said(3, 4);
  CHECK(queue.size() == 100'000);
  queue.offer([&](std::uint64_t key) {
    CHECK(key < 99'998);  // what was said less comes first
    return false;
  });
  queue.said(1, 3);  // a lower limit drops what was said more often
  CHECK(queue.size() == 99'998);
}
