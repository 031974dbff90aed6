// How samples become rows with targets.
#include "samples.hpp"

#include <algorithm>

#include "catch.hpp"

using peers::library;
using peers::measure;
using peers::sample;

namespace {

const bench::row* find(const std::vector<bench::row>& rows, const std::string& measure) {
  const auto found = std::find_if(
      rows.begin(), rows.end(), [&](const bench::row& one) { return one.measure.find(measure) != std::string::npos; });
  return found == rows.end() ? nullptr : &*found;
}

}  // namespace

TEST_CASE("the target of a measure may be the faster peer's median", "[bench][membership]") {
  std::vector<sample> samples;
  for (const double value : {9.0, 7.0, 8.0}) samples.push_back({measure::first_report, library::ours, 32, value});
  for (const double value : {8.5, 7.5, 9.5}) samples.push_back({measure::first_report, library::memberlist, 32, value});
  for (const double value : {7.8, 7.9, 7.7}) samples.push_back({measure::first_report, library::serf, 32, value});
  const auto rows = peers::rows_of(samples);
  const bench::row* median = find(rows, "first report, median");
  REQUIRE(median != nullptr);
  CHECK(median->ours == 8.0);
  CHECK(median->target == 7.8);
  CHECK_FALSE(median->met());
  const bench::row* worst = find(rows, "first report, worst");
  REQUIRE(worst != nullptr);
  CHECK(worst->ours == 9.0);
  CHECK(worst->met());
}

TEST_CASE("without peers a measure that is judged by theirs is told and not judged", "[bench][membership]") {
  const auto rows = peers::rows_of({{measure::views_full, library::ours, 8, 0.5}});
  REQUIRE(rows.size() == 1);
  CHECK_FALSE(rows[0].target.has_value());
  CHECK(rows[0].met());
  CHECK(bench::to_json(rows)[0]["target"].is_null());
}

TEST_CASE("each size has a row of its own, and one event that missed a node misses the target", "[bench][membership]") {
  const auto rows = peers::rows_of({{measure::missed, library::ours, 8, 0},
                                    {measure::missed, library::ours, 64, 1},
                                    {measure::missed, library::ours, 64, 0}});
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].met());
  CHECK_FALSE(rows[1].met());
}
