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

/// What a member may send in a busy time: its share of the probes, and each piece of news as often as news is told, at
/// worst in a datagram of its own. Who has told all asks whether the others have it, and is answered.
struct news_bound {
  std::uint64_t datagrams = 0;
  std::uint64_t bytes = 0;
};

news_bound bound_of_news(const sim::scale_figures& seen) {
  namespace membership = artillery::membership;
  constexpr std::uint64_t ping_and_ack = 37 + 25;
  constexpr std::uint64_t questions = 5;  // of pings and acks beside the news itself
  const std::uint64_t news = seen.events_sent + 2 * seen.leaves;
  const std::uint64_t told = membership::transmissions_max(membership::config::lan().retransmit_mult, seen.members);
  const std::uint64_t size =
      artillery::detail::datagram_header_size + membership::event_overhead_max + sim::scale_news::event_size;
  const auto seconds = static_cast<std::uint64_t>(seen.busy / 1s) + 1;
  return {.datagrams = 2 * seconds + news * (told + questions),
          .bytes = ping_and_ack * seconds + news * (told * size + questions * ping_and_ack)};
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

TEST_CASE("what a member sends while there is news grows with the logarithm of the members alone",
          "[sim][scale][busy]") {
  const std::size_t members = GENERATE(8u, 64u, 512u, 1'000u);
  sim::membership_scale cluster{1,
                                {.members = members, .idle = 20s, .busy = 20s, .single_deaths = 0, .joint_deaths = 0}};
  const sim::scale_figures seen = cluster.run([](artillery::duration, const char*) {});
  REQUIRE(seen.is_whole);
  REQUIRE(seen.events_sent == 40);
  REQUIRE(seen.leaves == 2);
  // One at a time is away, and misses what is said meanwhile; what its earlier life was told it may be told again.
  CHECK(seen.events_delivered >= seen.events_sent * (members - 2));
  CHECK(seen.events_delivered <= seen.events_sent * (members - 1) + 2 * seen.leaves);

  const auto per_member = [&](std::uint64_t of_all) { return of_all / members; };
  const news_bound most = bound_of_news(seen);
  CAPTURE(members, seen.busy / 1ms, seen.busy_load.datagrams, seen.busy_load.datagram_bytes, most.datagrams,
          most.bytes);
  CHECK(per_member(seen.busy_load.datagrams) <= most.datagrams);
  CHECK(per_member(seen.busy_load.datagram_bytes) <= most.bytes);
  CHECK(per_member(seen.busy_load.datagrams) >= seen.events_sent);  // it was told at all
  // Who comes back is told of everybody, and tells everybody of itself: shared by all it is as much at any size.
  constexpr std::uint64_t claim_size_max = 300;
  const auto seconds = static_cast<std::uint64_t>(seen.busy / 1s);
  CHECK(per_member(seen.busy_load.frame_bytes) <= 4 * seconds + 2 * seen.leaves * claim_size_max);
  CHECK(seen.idle_load.datagrams <= 2 * members * 21);
  CHECK(seen.false_reports == 0);
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
