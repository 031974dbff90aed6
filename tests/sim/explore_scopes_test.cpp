// The small set-ups of the real cores that are explored to the end within seconds.
#include "sim/explore_scopes.hpp"
#include "catch.hpp"

using namespace artillery;

TEST_CASE("every run of the quick set-ups is sound", "[sim][explore]") {
  for (const sim::explore_scope& scope : sim::explore_scopes()) {
    if (!scope.quick) continue;
    const sim::explore_report report = scope.run(0);
    INFO(scope.name);
    if (report.found) {
      for (const std::string& line : report.found->trace) UNSCOPED_INFO(line);
      UNSCOPED_INFO(report.found->what);
    }
    CHECK(!report.found);
    CHECK(report.complete);
    CHECK(report.ends > 0);
    CHECK(report.states > 500);
  }
}
