// Mistakes of register_mutant.hpp, planted one at a time, are found in a small register, each with a short run; one
// that needs leases, which the explorer does not ask for, in a run that is told step by step.
#include <cstdint>
#include <string>

#include "catch.hpp"
#include "replication/mutant.hpp"
#include "replication/register_mutant.hpp"
#include "replication/small_register.hpp"
#include "sim/explore_register.hpp"
#include "sim/explore_search.hpp"

namespace artillery::replication {
mutation planted = mutation::none;
register_mutation register_planted = register_mutation::none;
}  // namespace artillery::replication

using namespace artillery;
using replication::register_mutation;
using replication::register_planted;

namespace {

struct small_search {
  sim::register_scope scope;
  std::uint32_t deviations = sim::explore_limits::unlimited;
};

/// A set-up in which the mistake can show, as small as can be.
small_search search_for(register_mutation mistake) {
  using scope = sim::register_scope;
  switch (mistake) {
    case register_mutation::answers_before_persisted:
    case register_mutation::forgets_promise_on_restart:
      return {scope{.voters = 1, .swaps = {{true}, {true}}, .crashes = 1, .rounds = 3}};
    case register_mutation::ballots_without_incarnation:
      return {scope{.voters = 2, .swaps = {{true, true}}, .restarts = 1, .rounds = 2}};
    default: return {scope{.voters = 3, .swaps = {{true}, {true}}, .hastened = 1, .rounds = 3}, 4};
  }
}

sim::explore_report report_of(const small_search& small) {
  return sim::explore(
      sim::register_setup{small.scope},
      {.states_max = 1'000'000, .depth_max = 60, .deviations_max = small.deviations, .shortest = false});
}

/// What a proposer says to a voter of the table.
replication::register_request said(small_register& table, replication::register_question what, std::uint64_t round,
                                   const replication::view& value = {}) {
  replication::register_request question;
  question.what = what;
  question.number = round;
  question.chain = small_register::chain;
  question.genesis = table.proposer(0).genesis();
  question.voter = 1;
  question.at = {round, {2, 9}, 1};
  question.value = value;
  return question;
}

/// A voter that accepted epoch 2 in a ballot that came to nothing reports, and accepts epoch 1 afterwards. Whether both
/// are then true: the tail of epoch 2 opens, and who is not in it may read in epoch 1.
bool does_a_lease_outlive_an_early_end() {
  using namespace std::chrono_literals;
  using replication::register_question;
  small_register table;
  const replication::view first = table.view_of(1, {0, 1, 2});
  const replication::view second = table.view_of(2, {0, 1});
  table.found(0, first);
  table.ask(1, replication::authority_read{1});
  table.pass(100s);
  for (const std::size_t voter : {0U, 1U}) table.say(voter, said(table, register_question::prepare, 10));
  table.say(0, said(table, register_question::accept, 10, second));
  for (const std::size_t voter : {1U, 2U}) table.say(voter, said(table, register_question::prepare, 11));
  for (const std::size_t voter : {1U, 2U}) table.say(voter, said(table, register_question::accept, 11, first));
  // Who is to be left out asks, and the voter between answers.
  table.cut(0);
  table.cut(2);
  table.ask(1, replication::authority_renew{2, 1});
  table.deliver();
  table.pause(1);
  for (const std::size_t voter : {1U, 2U}) table.say(voter, said(table, register_question::prepare, 12));
  for (const std::size_t voter : {1U, 2U}) table.say(voter, said(table, register_question::accept, 12, second));
  table.mend(0);
  table.mend(2);
  table.ask(0, replication::authority_quiet{3, 2, {12, {2, 9}, 1}, small_register::lease, {}});
  table.pass(200ms);
  const auto quiet = table.answer<replication::authority_quieted>(0);
  // The acceptance of ballot 11 comes late.
  table.say(0, said(table, register_question::accept, 11, first));
  table.cut(2);
  table.resume(1);
  table.pass(500ms);
  const auto renewed = table.answer<replication::authority_renewed>(1);
  return quiet && quiet->yes && renewed && renewed->yes;
}

/// A proposer asks the voters how long they have been quiet as it proposes epoch 2, which one of them accepts. That one
/// accepts epoch 1 once more and says yes to it, as another does, before the third accepts epoch 2 of somebody else and
/// reports, too; only then is that chosen. Whether both are then true: the tail of epoch 2 opens by those reports, and
/// who is not in it may read in epoch 1.
bool does_a_lease_outlive_reports_from_before() {
  using namespace std::chrono_literals;
  using replication::register_question;
  small_register table;
  const replication::view first = table.view_of(1, {0, 1});
  const replication::view second = table.view_of(2, {0});
  table.found(0, first);
  table.ask(1, replication::authority_read{1});
  table.pass(100s);
  table.cut(2);
  table.ask(0, replication::authority_cas{2, 1, second});
  while (table.disk(0).value.epoch == 1 && table.deliver_one()) continue;
  table.cut(1);
  table.pass(50ms);  // it reports
  table.pause(0);
  for (const std::size_t voter : {1U, 2U}) table.say(voter, said(table, register_question::prepare, 100));
  table.say(0, said(table, register_question::accept, 100, first));
  table.mend(2);
  table.ask(1, replication::authority_renew{2, 1});
  table.pass(50ms);
  const auto renewed = table.answer<replication::authority_renewed>(1);
  table.cut(0);
  table.cut(2);
  for (const std::size_t voter : {1U, 2U}) table.say(voter, said(table, register_question::prepare, 200));
  table.say(1, said(table, register_question::accept, 200, second));
  table.mend(1);
  table.resume(0);
  table.pass(200ms);  // it reports, too
  table.say(2, said(table, register_question::accept, 200, second));
  for (const std::size_t voter : {0U, 2U}) table.mend(voter);
  table.pass(200ms);
  const auto swapped = table.answer<replication::authority_cas_done>(0);
  table.ask(0, replication::authority_quiet{3, 2, swapped.value().now.value().chosen_in, small_register::lease, {}});
  table.pass(200ms);
  const auto quiet = table.answer<replication::authority_quieted>(0);
  return quiet && quiet->yes && renewed && renewed->yes;
}

/// All voters start anew right after a view was chosen. Whether they then say that they have been quiet.
bool does_a_restart_end_a_gate() {
  using namespace std::chrono_literals;
  small_register table;
  table.found(0, table.view_of(1, {0, 1, 2}));
  table.deliver();
  table.ask(0, replication::authority_cas{1, 1, table.view_of(2, {0, 1})});
  table.pass(300ms);
  const auto swapped = table.answer<replication::authority_cas_done>(0);
  for (const std::size_t voter : {0U, 1U, 2U}) table.restart_voter(voter);
  table.ask(0, replication::authority_quiet{2, 2, swapped.value().now->chosen_in, small_register::lease, {}});
  table.pass(1s);
  const auto quiet = table.answer<replication::authority_quieted>(0);
  return quiet && quiet->yes;
}

}  // namespace

TEST_CASE("planted mistakes are found in a small register, with a short run", "[sim][explore][register][mutants]") {
  const auto mistake =
      GENERATE(register_mutation::answers_before_persisted, register_mutation::forgets_promise_on_restart,
               register_mutation::accepts_below_promise, register_mutation::ignores_accepted_values,
               register_mutation::minority_counts, register_mutation::answers_unfinished_read,
               register_mutation::ballots_without_incarnation);
  INFO(replication::register_mutation_names[static_cast<std::size_t>(mistake)]);
  const small_search small = search_for(mistake);
  register_planted = mistake;
  const sim::explore_report report = report_of(small);
  register_planted = register_mutation::none;
  REQUIRE(report.found);
  std::string trace = report.found->what;
  for (const std::string& line : report.found->trace) trace += "\n  " + line;
  UNSCOPED_INFO(trace);
  // The same set-up is sound without it, so what was found is the mistake.
  CHECK(!sim::explore(sim::register_setup{small.scope}, {.states_max = 50'000, .deviations_max = small.deviations})
             .found);
}

TEST_CASE("reports of voters that accepted another ballot end a gate too early", "[sim][register][mutants]") {
  register_planted = register_mutation::none;
  CHECK_FALSE(does_a_lease_outlive_an_early_end());
  register_planted = register_mutation::reports_of_any_ballot;
  CHECK(does_a_lease_outlive_an_early_end());
  register_planted = register_mutation::none;
}

TEST_CASE("reports from before a view was chosen end its gate too early", "[sim][register][mutants]") {
  register_planted = register_mutation::none;
  CHECK_FALSE(does_a_lease_outlive_reports_from_before());
  register_planted = register_mutation::reports_before_adoption;
  CHECK(does_a_lease_outlive_reports_from_before());
  register_planted = register_mutation::none;
}

TEST_CASE("a voter that forgets its start ends a gate too early", "[sim][register][mutants]") {
  register_planted = register_mutation::none;
  CHECK_FALSE(does_a_restart_end_a_gate());
  register_planted = register_mutation::restart_forgets_yes;
  CHECK(does_a_restart_end_a_gate());
  register_planted = register_mutation::none;
}
