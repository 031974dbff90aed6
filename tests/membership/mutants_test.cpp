// Every mistake of mutant.hpp, planted one at a time, is found by the simulator within a bounded number of seeds.
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>

#include "base/assert.hpp"
#include "catch.hpp"
#include "membership/mutant.hpp"
#include "sim/membership_run.hpp"

namespace artillery::membership {
mutation planted = mutation::none;
}

using artillery::membership::mutation;
using artillery::membership::mutation_names;
using artillery::membership::mutations;
using artillery::membership::planted;

namespace {

/// What the seed violated; empty when it is sound.
std::string violation_of(std::uint64_t seed) {
  try {
    const auto result = artillery::sim::run_membership_seed(seed);
    return result.violations.empty() ? std::string{} : result.violations.front();
  } catch (const artillery::detail::broken_invariant& broken) {
    return std::string{"invariant "} + broken.what();
  } catch (const std::exception& error) {
    return error.what();
  }
}

/// The number of seeds that it took, or 0.
std::uint64_t seeds_until_found(mutation mistake, std::uint64_t seeds_max) {
  planted = mistake;
  std::uint64_t found = 0;
  std::string what;
  for (std::uint64_t seed = 1; seed <= seeds_max && found == 0; ++seed) {
    what = violation_of(seed);
    if (!what.empty()) found = seed;
  }
  planted = mutation::none;
  UNSCOPED_INFO("found in seed " << found << ": " << what);
  if (std::getenv("ARTILLERY_SHOW_MUTANTS") != nullptr) {
    std::cout << mutation_names[static_cast<std::size_t>(mistake)] << " found in seed " << found << ": " << what
              << std::endl;
  }
  return found;
}

}  // namespace

TEST_CASE("without a planted mistake the same seeds are sound", "[membership][mutants]") {
  REQUIRE(seeds_until_found(mutation::none, 200) == 0);
}

TEST_CASE("every planted mistake is found", "[membership][mutants]") {
  constexpr std::uint64_t seeds_max = 2'000;
  const auto which = GENERATE(range(std::size_t{1}, mutations));
  CAPTURE(mutation_names[which]);
  CHECK(seeds_until_found(static_cast<mutation>(which), seeds_max) != 0);
}
