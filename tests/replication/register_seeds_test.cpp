// The register in its simulated world: every seed is sound, and the same seed gives the same run.
#include <numeric>

#include "catch.hpp"
#include "sim/register_world.hpp"

using artillery::sim::run_register_seed;

TEST_CASE("seeds of the register are sound", "[replication][register][seeds]") {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    const auto result = run_register_seed(seed);
    CAPTURE(seed);
    if (!result.violations.empty()) FAIL(result.violations.front());
  }
}

TEST_CASE("a seed of the register gives the same run twice", "[replication][register][seeds]") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    CHECK(run_register_seed(seed).trace_hash == run_register_seed(seed).trace_hash);
  }
}
