#include <cstdint>
#include <map>
#include <string>

#include "catch.hpp"
#include "sim/discovery_world.hpp"

namespace sim = artillery::sim;

namespace {

std::map<std::string, std::uint64_t> run(std::uint64_t first, std::uint64_t seeds, const sim::run_options& options) {
  std::map<std::string, std::uint64_t> sum;
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    const sim::run_result result = sim::run_discovery_seed(seed, options);
    CAPTURE(seed);
    REQUIRE(result.violations == std::vector<std::string>{});
    for (const auto& [name, value] : result.counters) sum[name] += value;
  }
  return sum;
}

}  // namespace

TEST_CASE("through loss, crashes, pauses and partitions hosts are told only what is true", "[discovery][seeds]") {
  const auto reached = run(1, 100, {});
  // An easy run must not pass for a hard one.
  CHECK(reached.at("operations") > 3'000);
  CHECK(reached.at("datagrams_lost") > 5'000);
  CHECK(reached.at("crashes") > 50);
  CHECK(reached.at("restarts") > 30);
  CHECK(reached.at("clock_steps") > 5);
  CHECK(reached.at("pauses") > 50);
  CHECK(reached.at("updated") > 100);
  CHECK(reached.at("lost_by_goodbye") > 200);
  CHECK(reached.at("lost_by_expiry") > 100);
  CHECK(reached.at("lost_by_restart") > 5);
  CHECK(reached.at("seeks_answered") > 100);
  CHECK(reached.at("seeks_timed_out") > 10);
  CHECK(reached.at("quiet_seeds") > 5);
}

TEST_CASE("on a quiet link everything is seen within fifty milliseconds", "[discovery][seeds]") {
  sim::run_options quiet;
  quiet.families = 0;
  const auto reached = run(1, 40, quiet);
  CHECK(reached.at("found") > 500);
  CHECK(reached.at("lost_by_goodbye") > 100);
  CHECK(reached.at("lost_by_expiry") == 0);
  CHECK(reached.at("quiet_seeds") == 40);
}

TEST_CASE("one seed gives one run", "[discovery][seeds]") {
  for (std::uint64_t seed : {1U, 7U, 4711U}) {
    const auto first = sim::run_discovery_seed(seed);
    const auto second = sim::run_discovery_seed(seed);
    CHECK(first.trace_hash == second.trace_hash);
    CHECK(first.counters == second.counters);
  }
}

TEST_CASE("a run without some of its choices, or smaller, is a sound run too", "[discovery][sim]") {
  sim::run_options options;
  const auto whole = sim::run_discovery_seed(5);
  REQUIRE(whole.choices > 4);
  for (std::uint64_t number = 0; number < whole.choices; number += 2) options.without.push_back(number);
  const auto half = sim::run_discovery_seed(5, options);
  CHECK(half.violations.empty());
  CHECK(half.choices == whole.choices);
  CHECK(half.trace_hash != whole.trace_hash);

  options.nodes = 2;
  options.time = std::chrono::seconds{5};
  options.operations = 1;
  const auto small = sim::run_discovery_seed(5, options);
  CHECK(small.violations.empty());
  CHECK(small.choices == whole.choices);
}
