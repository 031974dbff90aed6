// What the study counts is so. The study itself is `./dev sim study`.
#include "sim/membership_study.hpp"

#include <algorithm>

#include "catch.hpp"

namespace sim = artillery::sim;
using namespace std::chrono_literals;

namespace {

sim::study_figures watch(std::size_t slow, std::uint32_t loss) {
  sim::membership_study one{1, {.members = 16, .slow = slow, .loss = loss, .stream_loss = loss, .length = 10min}};
  return one.run();
}

}  // namespace

TEST_CASE("a cluster in which nothing is wrong but deaths tells of these alone, and all of them", "[sim][study]") {
  const sim::study_figures seen = watch(0, 0);
  CHECK(seen.false_deaths_of_healthy == 0);
  CHECK(seen.false_deaths_of_slow == 0);
  CHECK(seen.false_reports == 0);
  REQUIRE(seen.deaths.size() > 10);
  for (const sim::scale_detection& one : seen.deaths) {
    CHECK(one.complete);
    CHECK(one.first >= 5s);  // a probe's second, and the least of a suspicion of 16
    CHECK(one.last < 20s);
  }
}

TEST_CASE("members that are slow are held for dead now and then, healthy ones beside them are not", "[sim][study]") {
  const sim::study_figures seen = watch(4, 0);
  CHECK(seen.false_deaths_of_slow > 0);
  CHECK(seen.false_deaths_of_healthy == 0);
  CHECK(seen.false_reports >= seen.false_deaths_of_slow);
}

TEST_CASE("where nearly everything is lost healthy members are held for dead", "[sim][study]") {
  CHECK(watch(0, 600).false_deaths_of_healthy > 0);
}

TEST_CASE("a study of the same seed is the same run with the same figures", "[sim][study]") {
  const sim::study_figures first = watch(2, 100);
  const sim::study_figures second = watch(2, 100);
  CHECK(first.trace_hash == second.trace_hash);
  CHECK(first.false_reports == second.false_reports);
}
