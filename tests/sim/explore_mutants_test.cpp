// Mistakes of mutant.hpp, planted one at a time, are found in a small chain, each with a run of a few dozen choices.
#include <cstdint>
#include <string>

#include "catch.hpp"
#include "replication/mutant.hpp"
#include "replication/register_mutant.hpp"
#include "sim/explore_chain.hpp"
#include "sim/explore_search.hpp"

namespace artillery::replication {
mutation planted = mutation::none;
register_mutation register_planted = register_mutation::none;
}  // namespace artillery::replication

using namespace artillery;
using replication::condition;
using replication::mutation;
using replication::planted;

namespace {

replication::write put(const char* value, condition when = {}) {
  return replication::write::put(sim::explore_object, value, when);
}

/// A set-up in which the mistake can show, as small as can be.
sim::chain_scope scope_for(mutation mistake) {
  sim::chain_scope scope{.replicas = 2, .writes = {put("a")}, .reads = 2, .budget = {}};
  switch (mistake) {
    case mutation::no_seq_check:
    case mutation::no_resend:
      scope.reads = 0;
      scope.budget.cuts = 1;
      break;
    case mutation::no_fence:
      scope.reads = 0;
      scope.budget.replica_crashes = 1;
      scope.budget.restarts = 1;
      scope.budget.retries = 4;
      break;
    case mutation::dedup_off:
    case mutation::dedup_committed_only:
      scope.reads = 0;
      scope.budget.cuts = 1;
      break;
    case mutation::cas_on_stale_state:
      scope.reads = 0;
      scope.writes = {put("a"), put("b", condition::absent())};
      break;
    case mutation::failed_condition_not_recorded:
      scope.reads = 0;
      scope.writes = {put("a"), put("b", condition::absent())};
      break;
    case mutation::commit_before_tail: scope.reads = 0; break;
    case mutation::commit_in_the_middle:
      scope.replicas = 3;
      scope.reads = 0;
      break;
    case mutation::drops_version_early: scope.writes = {put("a"), put("b")}; break;
    case mutation::joins_sent_query: scope.reads = 3; break;
    default: break;
  }
  return scope;
}

sim::explore_report report_of(mutation mistake) {
  planted = mistake;
  const sim::explore_report report = sim::explore(sim::chain_setup{scope_for(mistake)}, {.states_max = 5'000'000});
  planted = mutation::none;
  return report;
}

}  // namespace

TEST_CASE("planted mistakes are found in a small chain, with a short run", "[sim][explore][mutants]") {
  const auto mistake =
      GENERATE(mutation::no_seq_check, mutation::no_resend, mutation::no_fence, mutation::commit_before_tail,
               mutation::commit_in_the_middle, mutation::joins_sent_query, mutation::skips_dirty_check,
               mutation::answers_clean_when_dirty, mutation::answers_newest_after_query, mutation::dedup_off,
               mutation::dedup_committed_only, mutation::failed_condition_not_recorded, mutation::cas_on_stale_state,
               mutation::drops_version_early);
  const sim::explore_report report = report_of(mistake);
  INFO(replication::mutation_names[static_cast<std::size_t>(mistake)]);
  REQUIRE(report.found);
  std::string trace = report.found->what;
  for (const std::string& line : report.found->trace) trace += "\n  " + line;
  UNSCOPED_INFO(trace);
  CHECK(report.found->trace.size() <= 24);
  // The same set-up is sound without it, so what was found is the mistake.
  planted = mutation::none;
  CHECK(!sim::explore(sim::chain_setup{scope_for(mistake)}, {.states_max = 100'000}).found);
}
