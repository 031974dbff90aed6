// A few hundred seeds of the simulated chain; `./dev sim chain` runs as many as one likes.
#include <map>
#include <string>

#include "catch.hpp"
#include "sim/chain_world.hpp"

namespace {

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
  CHECK(sums.at("operations") > 8'000);
  CHECK(sums.at("dirty reads") > 300);
  CHECK(sums.at("local reads") > 1'000);
  CHECK(sums.at("retries") > 500);
  CHECK(sums.at("duplicate writes") > 50);
  CHECK(sums.at("failed conditions") > 300);
  CHECK(sums.at("reads interrupted between steps") > 20);
  CHECK(sums.at("client crashes") > 10);
  CHECK(sums.at("replica crashes") > 20);
  CHECK(sums.at("pauses") > 50);
  CHECK(sums.at("streams broken") > 500);
  CHECK(sums.at("records resent") > 50);
  CHECK(sums.at("orders searched") > 100);
  CHECK(sums.at("searches given up") * 10 < sums.at("orders searched"));
}

TEST_CASE("strong reads of clean objects send no message", "[replication][seeds]") {
  const auto sums = run_seeds(10'001, 60);
  CHECK(sums.at("needless questions") * 20 <= sums.at("needless questions") + sums.at("local reads"));
}

TEST_CASE("a seed gives the same run twice", "[replication][seeds]") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CHECK(artillery::sim::run_chain_seed(seed).trace_hash == artillery::sim::run_chain_seed(seed).trace_hash);
  }
}
