// Mistakes of mutant.hpp that concern changing views, planted one at a time, are found in small chains whose view
// changes: in set-ups of which `./dev sim explore` tries every run, here those near an unhurried one.
#include <cstdint>
#include <string>

#include "catch.hpp"
#include "replication/mutant.hpp"
#include "replication/register_mutant.hpp"
#include "sim/explore_search.hpp"
#include "sim/explore_views.hpp"

namespace artillery::replication {
mutation planted = mutation::none;
register_mutation register_planted = register_mutation::none;
}  // namespace artillery::replication

using namespace artillery;
using replication::lease_mode;
using replication::mutation;
using replication::planted;

namespace {

/// A set-up in which the mistake can show, and how far from a run without haste it does.
struct trial {
  mutation mistake;
  sim::views_scope scope;
  std::uint32_t deviations_max = 4;
};

/// Of two replicas one is told that the other has failed.
constexpr sim::views_scope drop(lease_mode leases, std::uint8_t writes, std::uint8_t reads, bool renews = false) {
  return {.writes = writes,
          .reads = reads,
          .leases = leases,
          .renews = renews,
          .comes_back = false,
          .budget = {.doubts = 1}};
}

/// Two replicas have just heard that a third node is to be fed.
constexpr sim::views_scope append(sim::views_budget budget, bool fences = true) {
  return {.spares = 1, .writes = 1, .reads = 0, .fences = fences, .begins_in = 2, .budget = budget};
}

sim::explore_report report_of(const trial& one) {
  return sim::explore(sim::views_setup{one.scope},
                      {.states_max = 300'000, .deviations_max = one.deviations_max, .shortest = false});
}

}  // namespace

TEST_CASE("planted mistakes with views are found in small chains whose view changes",
          "[sim][explore][views][mutants]") {
  const auto each =
      GENERATE(trial{mutation::no_gate, drop(lease_mode::timed, 0, 0)},
               trial{mutation::commits_before_opening, drop(lease_mode::timed, 1, 2)},
               trial{mutation::exposes_before_opening, drop(lease_mode::timed, 1, 2)},
               trial{mutation::opens_without_committing, drop(lease_mode::timed, 1, 2)},
               trial{mutation::early_before_adoption, drop(lease_mode::timed, 0, 0, true), 6},
               trial{mutation::no_lease_check, drop(lease_mode::timed, 1, 1)},
               trial{mutation::adopts_unchosen, drop(lease_mode::none, 0, 0)},
               trial{mutation::commits_while_frozen, append({})}, trial{mutation::learner_not_caught_up, append({})},
               trial{mutation::thaws_unfenced, append({.give_ups = 1}, false), 5},
               trial{mutation::checkpoint_counts_early, append({})});
  INFO(replication::mutation_names[static_cast<std::size_t>(each.mistake)]);
  planted = each.mistake;
  const sim::explore_report report = report_of(each);
  planted = mutation::none;
  REQUIRE(report.found);
  UNSCOPED_INFO(report.found->what);
  // The same set-up is sound without it, so what was found is the mistake.
  const sim::explore_report sound = report_of(each);
  CHECK(!sound.found);
}
