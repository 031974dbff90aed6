#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "replication/mutant.hpp"

namespace artillery::replication {

/// Mistakes that are easy to make with the register, as those of mutant.hpp are with the chain. A list of its own,
/// since it is the register's own simulation that has to find them.
enum class register_mutation : std::uint8_t {
  none,
  answers_before_persisted,     ///< R13: a voter answers what its disk does not hold yet
  forgets_promise_on_restart,   ///< R13: a voter that comes back promised nothing beyond what it accepted
  votes_without_its_disk,       ///< R13: a voter that lost its disk is taken for the one that it was
  votes_after_failed_write,     ///< R13: a voter goes on though its disk refused
  accepts_below_promise,        ///< the promise binds nobody
  ignores_accepted_values,      ///< a proposer proposes what it wants, whatever the promises tell
  ignores_ballots_of_values,    ///< of the values that promises tell it takes the last told, not that of the highest
  minority_counts,              ///< one voter less than a majority is enough
  answers_unfinished_read,      ///< a read answers what it saw, chosen or not
  short_read_fences,            ///< R9: a read that promises alone answered is taken to void what was proposed before
  read_joins_ballot_under_way,  ///< a read is answered by a ballot that began before it
  renews_older_epoch,           ///< R6: a voter says yes to an epoch that it has left
  renews_strangers,             ///< R6: a voter says yes to who is not in the view
  renews_by_minority,           ///< R6: one yes less than a majority is enough
  reply_to_earlier_question,    ///< R6: a yes to an earlier question counts for the one asked again
  restart_forgets_yes,          ///< R8: a voter's start counts as a yes to nobody
  reports_before_adoption,      ///< R8: reports count by epoch alone, also when asked for before it was chosen
  reports_by_minority,          ///< R8: one report less than a majority is enough
  yes_forgotten_on_accept,      ///< R8: a voter that goes on to another epoch forgets when it last said yes
  ballots_without_incarnation,  ///< a process that comes back uses the ballots of its earlier life again
  reports_of_any_ballot         ///< R8: reports are counted by epoch alone
};

inline constexpr std::size_t register_mutations = 22;
/// Three need an order of messages that no seed of thousands draws; tests/sim/explore_register_mutants_test.cpp finds
/// them.
[[nodiscard]] constexpr bool is_found_by_seeds(register_mutation which) noexcept {
  return which != register_mutation::ballots_without_incarnation && which != register_mutation::reports_of_any_ballot &&
         which != register_mutation::reports_before_adoption;
}

/// What these do is soon seen in a chain whose views the register decides, too: by leases that outlive gates (I6), or
/// by two views of one epoch.
[[nodiscard]] constexpr bool shows_in_a_chain(register_mutation which) noexcept {
  switch (which) {
    case register_mutation::ignores_accepted_values:
    case register_mutation::minority_counts:
    case register_mutation::renews_by_minority:
    case register_mutation::reports_by_minority:
    case register_mutation::yes_forgotten_on_accept: return true;
    default: return false;
  }
}

inline constexpr std::array<std::string_view, register_mutations> register_mutation_names{"none",
                                                                                          "answers_before_persisted",
                                                                                          "forgets_promise_on_restart",
                                                                                          "votes_without_its_disk",
                                                                                          "votes_after_failed_write",
                                                                                          "accepts_below_promise",
                                                                                          "ignores_accepted_values",
                                                                                          "ignores_ballots_of_values",
                                                                                          "minority_counts",
                                                                                          "answers_unfinished_read",
                                                                                          "short_read_fences",
                                                                                          "read_joins_ballot_under_way",
                                                                                          "renews_older_epoch",
                                                                                          "renews_strangers",
                                                                                          "renews_by_minority",
                                                                                          "reply_to_earlier_question",
                                                                                          "restart_forgets_yes",
                                                                                          "reports_before_adoption",
                                                                                          "reports_by_minority",
                                                                                          "yes_forgotten_on_accept",
                                                                                          "ballots_without_incarnation",
                                                                                          "reports_of_any_ballot"};

#ifdef ARTILLERY_MUTANTS
extern register_mutation register_planted;  // defined by the program that plants
[[nodiscard]] inline bool mutant(register_mutation which) noexcept {
  return register_planted == which;
}
#else
[[nodiscard]] constexpr bool mutant(register_mutation /*which*/) noexcept {
  return false;
}
#endif

}  // namespace artillery::replication
