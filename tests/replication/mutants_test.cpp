// Every mistake of mutant.hpp, planted one at a time, is found by the simulator within a bounded number of seeds.
#include <cstdlib>
#include <iostream>
#include <string>

#include "base/assert.hpp"
#include "catch.hpp"
#include "replication/mutant.hpp"
#include "sim/chain_world.hpp"
#include "sim/view_world.hpp"

namespace artillery::replication {
mutation planted = mutation::none;
}

using artillery::replication::mutation;
using artillery::replication::planted;

namespace {

bool violated(mutation mistake, std::uint64_t seed, std::string& what) {
  try {
    const auto result = artillery::replication::concerns_views(mistake) ? artillery::sim::run_view_seed(seed)
                                                                        : artillery::sim::run_chain_seed(seed);
    if (!result.violations.empty()) what = result.violations.front();
    return !result.violations.empty();
  } catch (const artillery::detail::broken_invariant& broken) {
    what = std::string{"invariant "} + broken.what();
    return true;
  }
}

/// The number of seeds that it took, or 0.
std::uint64_t seeds_until_found(mutation mistake, std::uint64_t seeds_max) {
  planted = mistake;
  std::uint64_t found = 0;
  std::string what;
  for (std::uint64_t seed = 1; seed <= seeds_max && found == 0; ++seed) {
    if (violated(mistake, seed, what)) found = seed;
  }
  planted = mutation::none;
  UNSCOPED_INFO("found in seed " << found << ": " << what);
  if (std::getenv("ARTILLERY_SHOW_MUTANTS") != nullptr) {
    std::cout << artillery::replication::mutation_names[static_cast<std::size_t>(mistake)] << " found in seed " << found
              << ": " << what << "\n";
  }
  return found;
}

}  // namespace

TEST_CASE("without a planted mistake the same seeds are sound", "[replication][mutants]") {
  REQUIRE(seeds_until_found(mutation::none, 100) == 0);
}

TEST_CASE("every planted mistake is found", "[replication][mutants]") {
  constexpr std::uint64_t seeds_max = 10'000;
  const auto mistake = static_cast<mutation>(GENERATE(range(std::size_t{1}, artillery::replication::mutations)));
  CAPTURE(artillery::replication::mutation_names[static_cast<std::size_t>(mistake)]);
  CHECK(seeds_until_found(mistake, seeds_max) != 0);
}
