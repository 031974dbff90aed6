#include "catch.hpp"
#include "sim/membership_run.hpp"

using namespace artillery;

// A hundred only, since this runs under the sanitizers, too; `./dev sim membership` runs as many as one likes.
TEST_CASE("a hundred clusters keep every promise under drawn faults", "[membership][seeds]") {
  std::uint64_t events = 0;
  std::uint64_t crashes = 0;
  std::uint64_t delivered = 0;
  std::uint64_t recovered = 0;
  std::uint64_t forgeries = 0;
  std::uint64_t deaths_detected = 0;
  std::uint64_t cluster_seconds = 0;
  std::uint64_t node_seconds = 0;
  std::uint64_t false_positives = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const auto result = sim::run_membership_seed(seed);
    INFO("seed " << seed << ": " << (result.violations.empty() ? std::string{} : result.violations.front()));
    REQUIRE(result.violations.empty());
    for (const auto& [name, value] : result.counters) {
      if (name == "events") events += value;
      if (name == "crashes") crashes += value;
      if (name == "events_delivered") delivered += value;
      if (name == "recovered") recovered += value;
      if (name == "forgeries") forgeries += value;
      if (name == "deaths_detected") deaths_detected += value;
      if (name == "cluster_seconds") cluster_seconds += value;
      if (name == "node_seconds") node_seconds += value;
      if (name == "false_positives") false_positives += value;
    }
  }
  // An easy run must not pass for a hard one.
  CHECK(events > 300'000);
  CHECK(crashes > 300);
  CHECK(delivered > 10'000);
  CHECK(recovered > 500);
  CHECK(forgeries > 100);
  CHECK(deaths_detected > 100);
  CHECK(cluster_seconds > 4 * 3'600);
  // Reports that somebody failed who lives, most of them of who was cut off just then: not one in eight member-minutes.
  CHECK(false_positives * 8 * 60 < node_seconds);
}

TEST_CASE("what a seed draws stays the same when a family of faults or a choice is left out", "[membership][seeds]") {
  const sim::run_options all;
  const auto whole = sim::run_membership_seed(7, all);
  REQUIRE(whole.choices > 2);
  auto none = all;
  for (std::uint64_t i = 0; i < whole.choices; ++i) none.without.push_back(i);
  const auto bare = sim::run_membership_seed(7, none);
  CHECK(bare.choices == whole.choices);
  CHECK(bare.trace_hash != whole.trace_hash);
  auto faultless = all;
  faultless.families = 0;
  const auto quiet = sim::run_membership_seed(7, faultless);
  CHECK(quiet.choices == whole.choices);
  for (const auto& [name, value] : quiet.counters) {
    if (name == "pauses" || name == "partitions" || name == "datagrams_lost" || name == "false_positives") {
      INFO(name);
      CHECK((name == "datagrams_lost" || value == 0));
    }
  }
  auto large = all;
  large.nodes = 40;
  large.time = std::chrono::seconds{10};
  large.operations = 1;
  CHECK(sim::run_membership_seed(7, large).violations.empty());
}

TEST_CASE("the same seed gives the same run", "[membership][seeds]") {
  for (std::uint64_t seed : {1U, 7U, 99U}) {
    const auto first = sim::run_membership_seed(seed);
    const auto second = sim::run_membership_seed(seed);
    CHECK(first.trace_hash == second.trace_hash);
    CHECK(first.counters == second.counters);
  }
}
