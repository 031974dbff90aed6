#include "membership/suspicion.hpp"

#include "catch.hpp"
#include "membership/gossip.hpp"

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
