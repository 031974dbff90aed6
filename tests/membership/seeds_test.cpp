#include "catch.hpp"
#include "sim/membership_run.hpp"

using namespace artillery;

TEST_CASE("three hundred clusters keep every promise under drawn faults", "[membership][sim]") {
  std::uint64_t events = 0;
  std::uint64_t crashes = 0;
  std::uint64_t delivered = 0;
  std::uint64_t recovered = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    const auto result = sim::run_membership_seed(seed);
    INFO("seed " << seed << ": " << (result.violations.empty() ? std::string{} : result.violations.front()));
    REQUIRE(result.violations.empty());
    for (const auto& [name, value] : result.counters) {
      if (name == "events") events += value;
      if (name == "crashes") crashes += value;
      if (name == "events_delivered") delivered += value;
      if (name == "recovered") recovered += value;
    }
  }
  // An easy run must not pass for a hard one.
  CHECK(events > 300'000);
  CHECK(crashes > 400);
  CHECK(delivered > 10'000);
  CHECK(recovered > 500);
}

TEST_CASE("the same seed gives the same run", "[membership][sim]") {
  for (std::uint64_t seed : {1U, 7U, 99U}) {
    const auto first = sim::run_membership_seed(seed);
    const auto second = sim::run_membership_seed(seed);
    CHECK(first.trace_hash == second.trace_hash);
    CHECK(first.counters == second.counters);
  }
}
