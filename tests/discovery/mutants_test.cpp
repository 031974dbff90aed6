// Every mistake of mutant.hpp, planted one at a time, is found by the simulator within a bounded number of seeds.
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>

#include "catch.hpp"
#include "discovery/mutant.hpp"
#include "sim/discovery_world.hpp"

namespace artillery::discovery {
mutation planted = mutation::none;
}

using artillery::discovery::mutation;
using artillery::discovery::mutation_names;
using artillery::discovery::mutations;
using artillery::discovery::planted;

namespace {

std::string violation_of(std::uint64_t seed) {
  try {
    const auto result = artillery::sim::run_discovery_seed(seed);
    return result.violations.empty() ? std::string{} : result.violations.front();
  } catch (const std::exception& broken) {
    return std::string{"broken: "} + broken.what();
  }
}

/// The first seed that finds it, or 0.
std::uint64_t seeds_until_found(std::size_t mistake, std::uint64_t seeds_max) {
  planted = static_cast<mutation>(mistake);
  std::uint64_t found = 0;
  std::string what;
  for (std::uint64_t seed = 1; seed <= seeds_max && found == 0; ++seed) {
    what = violation_of(seed);
    if (!what.empty()) found = seed;
  }
  planted = mutation::none;
  UNSCOPED_INFO("found in seed " << found << ": " << what);
  if (std::getenv("ARTILLERY_SHOW_MUTANTS") != nullptr) {
    std::cout << mutation_names[mistake] << " found in seed " << found << ": " << what << "\n";
  }
  return found;
}

}  // namespace

TEST_CASE("without a planted mistake discovery's seeds are sound", "[discovery][mutants]") {
  REQUIRE(seeds_until_found(0, 100) == 0);
}

TEST_CASE("every mistake planted in discovery is found", "[discovery][mutants]") {
  constexpr std::uint64_t seeds_max = 10'000;
  const auto mistake = GENERATE(range(std::size_t{1}, mutations));
  CAPTURE(mutation_names[mistake]);
  CHECK(seeds_until_found(mistake, seeds_max) != 0);
}
