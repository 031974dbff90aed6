// A few hundred seeds of the simulated chain; `./dev sim chain` runs as many as one likes.
#include <map>
#include <string>

#include "catch.hpp"
#include "sim/chain_swarm.hpp"
#include "sim/chain_world.hpp"

namespace {

using artillery::sim::fault_event;

std::map<std::string, std::uint64_t> run_seeds(std::uint64_t first, std::uint64_t count) {
  std::map<std::string, std::uint64_t> sums;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    const auto result = artillery::sim::run_chain_seed(seed);
    INFO("seed " << seed);
    INFO((result.violations.empty() ? std::string{} : result.violations.front()));
    REQUIRE(result.violations.empty());
    for (const auto& [name, value] : result.counters) sums[name] += value;
  }
  return sums;
}

}  // namespace

TEST_CASE("a chain keeps its promises under drawn faults, and the faults are real ones", "[replication][seeds]") {
  const auto sums = run_seeds(1, 300);
  CHECK(sums.at("operations") > 100'000);
  CHECK(sums.at("dirty_reads") > 10'000);
  CHECK(sums.at("local_reads") > 50'000);
  CHECK(sums.at("local_reads_by_other_threads") > 10'000);
  CHECK(sums.at("tries_sent_on_to_the_core") > 5'000);
  CHECK(sums.at("reads_cancelled") > 200);
  CHECK(sums.at("reads_after_lease") > 1'000);
  CHECK(sums.at("retries") > 5'000);
  CHECK(sums.at("duplicate_writes") > 500);
  CHECK(sums.at("failed_conditions") > 3'000);
  CHECK(sums.at("client_crashes") > 50);
  CHECK(sums.at("replica_crashes") > 20);
  CHECK(sums.at("pauses") > 50);
  CHECK(sums.at("suspensions") > 40);
  CHECK(sums.at("clocks_drifting") > 100);
  CHECK(sums.at("streams_congested") > 300);
  CHECK(sums.at("frames_refused") > 30);
  for (std::size_t kind = 1; kind < fault_event::kinds; ++kind) {
    INFO(fault_event::kind_names[kind]);
    CHECK(sums.at("struck_by_" + std::string{fault_event::kind_names[kind]}) >= 5);
  }
  CHECK(sums.at("streams_broken") > 500);
  CHECK(sums.at("records_resent") > 50);
  CHECK(sums.at("orders_searched") > 100);
  CHECK(sums.at("searches_given_up") == 0);
}

TEST_CASE("strong reads of clean objects send no message", "[replication][seeds]") {
  const auto sums = run_seeds(10'001, 60);
  CHECK(sums.at("needless_questions") * 20 <= sums.at("needless_questions") + sums.at("local_reads"));
}

TEST_CASE("a seed gives the same run twice", "[replication][seeds]") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CHECK(artillery::sim::run_chain_seed(seed).trace_hash == artillery::sim::run_chain_seed(seed).trace_hash);
  }
}
