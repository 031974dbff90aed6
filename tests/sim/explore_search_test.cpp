// The explorer itself, on set-ups so small that the answer is known.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/state_hash.hpp"
#include "catch.hpp"
#include "sim/explore_search.hpp"

using namespace artillery;

namespace {

/// Two processes that each read a number, add one, and write it back: sound only when neither comes between the other's
/// two steps.
struct two_counters {
  struct state {
    unsigned shared = 0;
    std::array<unsigned, 2> seen{};
    std::array<unsigned, 2> steps{};
  };
  bool locks = false;

  [[nodiscard]] state initial() const { return {}; }
  void choices(const state& at, std::vector<sim::explore_choice>& out) const {
    for (std::uint8_t process = 0; process < 2; ++process) {
      const bool barred = locks && at.steps[1U - process] == 1;
      if (at.steps[process] < 2 && !barred) out.push_back({sim::explore_choice::kind::step, process});
    }
  }
  [[nodiscard]] std::optional<std::string> apply(state& at, const sim::explore_choice& choice) const {
    if (at.steps[choice.place]++ == 0) {
      at.seen[choice.place] = at.shared;
    } else {
      at.shared = at.seen[choice.place] + 1;
    }
    return std::nullopt;
  }
  [[nodiscard]] std::optional<std::string> check_end(const state& at) const {
    return at.shared == 2 ? std::nullopt : std::optional<std::string>{"an addition is lost"};
  }
  [[nodiscard]] std::uint64_t hash(const state& at) const {
    detail::state_hash into;
    for (const unsigned each : {at.shared, at.seen[0], at.seen[1], at.steps[0], at.steps[1]}) into.add(each);
    return into.value();
  }
  [[nodiscard]] std::string describe(const state& at, const sim::explore_choice& choice) const {
    return std::to_string(choice.place) + (at.steps[choice.place] == 0 ? " reads" : " writes");
  }
};

}  // namespace

TEST_CASE("a mistake that needs one order of steps is found, with a shortest run that shows it", "[sim][explore]") {
  const auto report = sim::explore(two_counters{}, {});
  REQUIRE(report.found);
  CHECK(report.found->what == "an addition is lost");
  CHECK(report.found->trace.size() == 4);
  CHECK(!report.complete);
}

TEST_CASE("where there is no mistake, every state is seen once", "[sim][explore]") {
  const auto report = sim::explore(two_counters{.locks = true}, {});
  CHECK(!report.found);
  CHECK(report.complete);
  // Idle; one of two in the middle; one of two done; the other in the middle, in two ways; both done, in two ways.
  CHECK(report.states == 9);
  CHECK(report.transitions == 8);
  CHECK(report.ends == 2);
  CHECK(report.depth == 4);
  CHECK(report.choices[static_cast<std::size_t>(sim::explore_choice::kind::step)] == 8);
}

TEST_CASE("within a bound on deviations only schedules near the first one are tried", "[sim][explore]") {
  const auto plain = sim::explore(two_counters{}, {.deviations_max = 0});
  CHECK(!plain.found);
  CHECK(plain.transitions == 4);
  const auto near = sim::explore(two_counters{}, {.deviations_max = 1});
  REQUIRE(near.found);
  CHECK(near.found->trace.size() == 4);
}

TEST_CASE("an exploration that had to stop is not called complete", "[sim][explore]") {
  const auto report = sim::explore(two_counters{.locks = true}, {.states_max = 3});
  CHECK(!report.complete);
  CHECK(!report.found);
}

TEST_CASE("the table of states keeps what it was told while it grows", "[sim][explore]") {
  sim::explore_table table{true};
  for (std::uint64_t i = 0; i < 50'000; ++i) REQUIRE(table.visit(detail::mix64(i), 3));
  CHECK(table.size() == 50'000);
  for (std::uint64_t i = 0; i < 50'000; ++i) REQUIRE(!table.visit(detail::mix64(i), 3));
  CHECK(table.visit(detail::mix64(7), 4));
  CHECK(!table.visit(detail::mix64(7), 4));
  CHECK(table.visit(0, 1));
  CHECK(!table.visit(0, 1));
}
