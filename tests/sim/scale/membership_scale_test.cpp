// What must not grow with the cluster, but for logarithms. The whole study is `./dev sim scale`.
#include "sim/membership_scale.hpp"

#include <algorithm>

#include "catch.hpp"
#include "sim/membership_bounds.hpp"

namespace sim = artillery::sim;
using namespace std::chrono_literals;

namespace {

sim::scale_figures study(std::size_t members) {
  sim::membership_scale cluster{1, {.members = members, .single_deaths = 5}};
  return cluster.run([](artillery::duration, const char*) {});
}

}  // namespace

TEST_CASE("in a cluster of any size every death is reported by all others within the bound", "[sim][scale]") {
  const sim::scale_figures seen = study(GENERATE(8u, 16u, 32u, 64u));
  CAPTURE(seen.members);
  REQUIRE(seen.is_whole);
  REQUIRE(seen.single_deaths.size() == 5);
  REQUIRE(seen.joint_deaths.size() == std::min<std::size_t>(10, seen.members / 4));
  for (const auto* deaths : {&seen.single_deaths, &seen.joint_deaths}) {
    for (const sim::scale_detection& one : *deaths) {
      CHECK(one.complete);
      CHECK(one.last <= seen.last_bound);
    }
  }
  CHECK(seen.false_reports == 0);
}

TEST_CASE("the first report of a death comes when SWIM expects it, whatever the size", "[sim][scale]") {
  const sim::scale_figures seen = study(GENERATE(8u, 16u, 32u, 64u));
  CAPTURE(seen.members);
  artillery::duration sum{};
  for (const sim::scale_detection& one : seen.single_deaths) sum += one.first;
  // Of five deaths: the wait for a probe is drawn.
  CHECK(sum / 5 >= seen.first_expected - 3s);
  CHECK(sum / 5 <= seen.first_expected + 3s);
}

TEST_CASE("a member of a cluster with nothing to say sends a ping and an ack a second, whatever the size",
          "[sim][scale]") {
  const sim::scale_figures seen = study(GENERATE(8u, 16u, 32u, 64u));
  CAPTURE(seen.members);
  const auto due =
      sim::idle_load_bound(artillery::membership::config::lan(),
                           {.members = seen.members, .known = seen.members, .seeds_missing = 0}, seen.idle);
  const auto seconds = static_cast<std::uint64_t>(seen.idle / 1s);
  CHECK(seen.idle_load.datagrams >= 2 * seen.members * (seconds - 1));
  CHECK(seen.idle_load.datagrams <= due.datagrams);
  CHECK(seen.idle_load.datagram_bytes <= due.bytes);
  // None has more to answer than its neighbours: each goes through its own list in a round.
  CHECK(seen.idle_load.datagrams_of_busiest <= 3 * seconds);
}

TEST_CASE("five hundred members that start within a second all know each other soon, and again when all restart",
          "[sim][scale]") {
  sim::membership_scale cluster{7,
                                {.members = 500,
                                 .start_spacing = 2ms,
                                 .idle = 0s,
                                 .single_deaths = 0,
                                 .joint_deaths = 0,
                                 .patience = 2min,
                                 .restarts_all = true}};
  const sim::scale_figures seen = cluster.run([](artillery::duration, const char*) {});
  REQUIRE(seen.is_whole);
  CHECK(seen.joined <= 5s);
  // The old lives are still told of when the new ones come.
  REQUIRE(seen.restarted);
  CHECK(*seen.restarted <= 10s);
  CHECK(seen.false_reports == 0);
}

TEST_CASE("a study of the same seed is the same run", "[sim][scale]") {
  CHECK(study(16).trace_hash == study(16).trace_hash);
}
