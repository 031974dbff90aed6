// Seeds of a simulated chain whose view changes.
#include <map>
#include <string>

#include "catch.hpp"
#include "sim/view_world.hpp"

TEST_CASE("a chain heals itself and keeps its promises, whatever fails", "[replication][views][seeds]") {
  std::map<std::string, std::uint64_t> sums;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    const auto result = artillery::sim::run_view_seed(seed);
    INFO("seed " << seed);
    INFO((result.violations.empty() ? std::string{} : result.violations.front()));
    REQUIRE(result.violations.empty());
    for (const auto& [name, value] : result.counters) sums[name] += value;
  }
  CHECK(sums.at("view_changes") > 200);
  CHECK(sums.at("gates_waited") > 50);
  CHECK(sums.at("learners_promoted") > 40);
  CHECK(sums.at("checkpoints") > 20);
  CHECK(sums.at("reads_after_lease") > 100);
  CHECK(sums.at("replica_crashes") > 40);
}

TEST_CASE("a seed of a changing chain gives the same run twice", "[replication][views][seeds]") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    CHECK(artillery::sim::run_view_seed(seed).trace_hash == artillery::sim::run_view_seed(seed).trace_hash);
  }
}
