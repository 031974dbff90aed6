// Mistakes planted in the membership core are found by the explorer, by the check that is meant for them.
#include <cstdint>
#include <string>

#include "catch.hpp"
#include "membership/mutant.hpp"
#include "sim/explore_membership.hpp"
#include "sim/explore_search.hpp"

namespace artillery::membership {
mutation planted = mutation::none;
}

using namespace artillery;
using namespace std::chrono_literals;
using membership::mutation;
using membership::planted;

namespace {

struct trial {
  mutation mistake;
  sim::cluster_scope scope;
  const char* found_by;  // words of the check
};

/// Nobody helps with a probe, so one lost datagram makes a suspect of somebody who lives.
constexpr sim::cluster_scope unhelped_scope{.losses = 1, .helped = false, .window = 2s, .length = 10s};
/// What a member said before it crashed comes once more, when the others hold it for dead.
constexpr sim::cluster_scope echo_scope{.crashes = 1, .echoes = 1, .changes = 1, .window = 200ms, .length = 15s};
constexpr sim::cluster_scope crash_scope{.crashes = 1, .window = 2s, .length = 20s};

sim::explore_report report_of(mutation mistake, const sim::cluster_scope& scope) {
  planted = mistake;
  sim::explore_report report = sim::explore(sim::cluster_setup{scope}, {.states_max = 300'000, .shortest = false});
  planted = mutation::none;
  return report;
}

}  // namespace

TEST_CASE("planted mistakes are found in a small cluster, by the check that is meant for them",
          "[sim][explore][mutants]") {
  const auto each =
      GENERATE(trial{mutation::no_suspicion, unhelped_scope, "failed with no cause"},
               trial{mutation::no_refutation, unhelped_scope, "failed with no cause"},
               trial{mutation::weak_refutation, unhelped_scope, "failed with no cause"},
               trial{mutation::no_tombstones, echo_scope, "come back at incarnation"},
               trial{mutation::equal_incarnation_wins, echo_scope, "never reports the crashed one failed"},
               trial{mutation::probes_one_only, crash_scope, "never reports the crashed one failed"},
               trial{mutation::renews_suspicions, crash_scope, "never reports the crashed one failed"},
               trial{mutation::endless_suspicion, crash_scope, "does not move on"});
  const sim::explore_report report = report_of(each.mistake, each.scope);
  INFO(membership::mutation_names[static_cast<std::size_t>(each.mistake)]);
  REQUIRE(report.found);
  INFO(report.found->what);
  CHECK(report.found->what.find(each.found_by) != std::string::npos);
}

TEST_CASE("the same small clusters are sound without a planted mistake", "[sim][explore][mutants]") {
  for (const sim::cluster_scope& scope : {unhelped_scope, echo_scope, crash_scope}) {
    const sim::explore_report report = report_of(mutation::none, scope);
    CHECK(!report.found);
    CHECK(report.complete);
  }
}
