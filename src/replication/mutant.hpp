#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace artillery::replication {

/// Mistakes that are easy to make with the rules of the protocol, each planted at the line of its rule. The tests plant
/// one at a time and see that the simulator finds it; in every other build `mutant` is a constant false, so that
/// nothing of them is compiled.
enum class mutation : std::uint8_t {
  none,
  no_seq_check,                ///< R4: records of an older link are taken too, whatever their place
  no_resend,                   ///< R4: what was under way when a link broke is not sent again
  no_fence,                    ///< R3: a stranger (another incarnation) is taken for a member
  commit_before_tail,          ///< R5: the head answers before the tail has the record
  commit_in_the_middle,        ///< R5: a replica commits what it receives, whoever is behind it
  no_lease_check,              ///< R6: a lease does not end
  lease_from_answer,           ///< R6: a lease counts from its answer, not from the question
  joins_sent_query,            ///< R7: a read joins a question that was sent before it arrived
  clock_before_read,           ///< R7: the time of the turn, sampled before the read, stands for now
  tail_answers_without_lease,  ///< R7: the tail tells its watermark, lease or not
  token_ignored,               ///< a read is answered whatever its session token counts
  skips_dirty_check,           ///< R7: a dirty object is answered from memory
  answers_clean_when_dirty,    ///< R7: a dirty object is answered at the own commit, without the tail
  answers_newest_after_query,  ///< R7: the tail's watermark is asked for, and not heeded
  bound_from_newest_record,    ///< a bound in time counts from the newest record above the commit, not from the oldest
  dedup_off,                   ///< R10: the head does not look for the request in its table
  dedup_committed_only,        ///< R10: the head's table covers committed records only
  sessions_at_head_only,       ///< R10: the table of sessions is not kept by the other replicas
  failed_condition_not_recorded,  ///< R10: a failed condition is answered from the head's state, at once
  retry_is_new_request,           ///< R10: a client tries again under another number
  unknown_said_as_failed,         ///< R10: a client that gives up a write says that it did not happen
  resends_after_session,          ///< R10: a write that was tried in a session that ended is asked again in the next
  cas_on_stale_state,             ///< conditions are evaluated against committed state
  versions_by_seq,                ///< versions are compared by their place alone
  drops_version_early,            ///< R11: a commit drops all but the newest version, committed or not
  keeps_old_versions,             ///< R11: the store is not told what is committed
  no_window,                      ///< the head takes writes without a limit
  no_waiting_limit,               ///< any number of reads waits for the tail
  results_never_dropped,          ///< results are kept though their client no longer waits for them
  no_client_limit,                ///< any number of clients is let in
  keeps_older_reader,             ///< a member's links for questions pile up
  cancel_ignored,                 ///< a read that its caller ended is answered all the same
  no_gate,                        ///< R8: a new tail opens at once, whoever may still hold a lease
  commits_before_opening,         ///< R8: a new tail commits what comes before its gate ends
  exposes_before_opening,         ///< R8: a new tail tells its watermark before it opened, whatever it was before
  right_by_position,        ///< R8: a tail of the epoch before has the right to tell its watermark, opened there or not
  right_kept_while_frozen,  ///< R8: a tail that was frozen in the epoch before counts as one that was open
  opens_without_committing,   ///< R8: a tail opens and does not commit what it holds in the same step
  opens_while_frozen,         ///< R8: the gate of a frozen tail ends
  append_without_gate,        ///< R8: a tail that was appended ignores the gate that it inherits
  early_before_adoption,      ///< R8: what the voters said before this epoch was adopted ends its gate early
  one_confirms_for_all,       ///< R8: one of those whom a gate waits for is heard of, and all count as heard of
  readers_left_out,           ///< R1: the readers of the epoch before are forgotten though its tail may not have opened
  adopts_unchosen,            ///< R2: a view that was proposed is taken for one that was chosen
  token_by_seq,               ///< a session token is compared by its place alone
  takes_other_epochs,         ///< R3: frames of other epochs are taken
  renewal_of_later_question,  ///< R6: a yes to one question counts from a later one
  commits_while_frozen,       ///< R9: a tail goes on committing while it promotes a learner
  learner_not_caught_up,      ///< R9: a learner is promoted whatever it holds
  thaws_unfenced,             ///< R9: a tail thaws though its proposal may still be chosen
  checkpoint_without_sessions,  ///< R10: a learner is not told who wrote what
  checkpoint_counts_early,      ///< R9: a learner counts as fed before its checkpoint is complete
  force_despite_majority,       ///< another register takes the place of one that answers
  force_of_stale_copy,          ///< likewise, with a replica that the voter here knows to be left out
  forced_keeps_generation,      ///< the epoch of a forced view is one that the lost chain may get to, too
  asks_before_reading,          ///< R12: the authority is asked before the object is read
  counts_before_sync,           ///< R5: what is held counts as on disk
  commits_by_own_disk,          ///< R5: the tail commits what is on its own disk
  opens_with_held,              ///< R8: a durable tail opens with what it only holds
  append_counts_held,           ///< R9: a learner counts as caught up by what it only holds
  resumes_its_epoch,            ///< R14: a replica that restarts goes on in the epoch that it was in
  restarted_takes_part,         ///< R14: it takes part in a later view that others chose
  takes_former_restart,         ///< R14: a view of itself alone that an earlier life proposed counts as its own
  reopens_when_dropped,         ///< R14: a replica that restarts and is listed no more starts the chain again
  cuts_at_start,                ///< R2: what is not known to be committed is cut before it is known to be dropped
  trusts_what_it_read,          ///< R14: what was read back at the start counts as on disk
  always_asks_tail,             ///< every strong read asks the tail: right, and pointless
};

inline constexpr std::size_t mutations = 68;
inline constexpr std::array<std::string_view, mutations> mutation_names{"none",
                                                                        "no_seq_check",
                                                                        "no_resend",
                                                                        "no_fence",
                                                                        "commit_before_tail",
                                                                        "commit_in_the_middle",
                                                                        "no_lease_check",
                                                                        "lease_from_answer",
                                                                        "joins_sent_query",
                                                                        "clock_before_read",
                                                                        "tail_answers_without_lease",
                                                                        "token_ignored",
                                                                        "skips_dirty_check",
                                                                        "answers_clean_when_dirty",
                                                                        "answers_newest_after_query",
                                                                        "bound_from_newest_record",
                                                                        "dedup_off",
                                                                        "dedup_committed_only",
                                                                        "sessions_at_head_only",
                                                                        "failed_condition_not_recorded",
                                                                        "retry_is_new_request",
                                                                        "unknown_said_as_failed",
                                                                        "resends_after_session",
                                                                        "cas_on_stale_state",
                                                                        "versions_by_seq",
                                                                        "drops_version_early",
                                                                        "keeps_old_versions",
                                                                        "no_window",
                                                                        "no_waiting_limit",
                                                                        "results_never_dropped",
                                                                        "no_client_limit",
                                                                        "keeps_older_reader",
                                                                        "cancel_ignored",
                                                                        "no_gate",
                                                                        "commits_before_opening",
                                                                        "exposes_before_opening",
                                                                        "right_by_position",
                                                                        "right_kept_while_frozen",
                                                                        "opens_without_committing",
                                                                        "opens_while_frozen",
                                                                        "append_without_gate",
                                                                        "early_before_adoption",
                                                                        "one_confirms_for_all",
                                                                        "readers_left_out",
                                                                        "adopts_unchosen",
                                                                        "token_by_seq",
                                                                        "takes_other_epochs",
                                                                        "renewal_of_later_question",
                                                                        "commits_while_frozen",
                                                                        "learner_not_caught_up",
                                                                        "thaws_unfenced",
                                                                        "checkpoint_without_sessions",
                                                                        "checkpoint_counts_early",
                                                                        "force_despite_majority",
                                                                        "force_of_stale_copy",
                                                                        "forced_keeps_generation",
                                                                        "asks_before_reading",
                                                                        "counts_before_sync",
                                                                        "commits_by_own_disk",
                                                                        "opens_with_held",
                                                                        "append_counts_held",
                                                                        "resumes_its_epoch",
                                                                        "restarted_takes_part",
                                                                        "takes_former_restart",
                                                                        "reopens_when_dropped",
                                                                        "cuts_at_start",
                                                                        "trusts_what_it_read",
                                                                        "always_asks_tail"};
static_assert(mutation_names[static_cast<std::size_t>(mutation::always_asks_tail)] == "always_asks_tail");

/// Some need an order of events that no seed of thousands draws; tests/sim/view_mutants_test.cpp finds them.
[[nodiscard]] constexpr bool is_found_by_seeds(mutation which) noexcept {
  return which != mutation::early_before_adoption && which != mutation::opens_with_held &&
         which != mutation::restarted_takes_part && which != mutation::trusts_what_it_read &&
         which != mutation::right_kept_while_frozen;
}

/// Whether it takes a chain whose view changes to show it.
[[nodiscard]] constexpr bool concerns_views(mutation which) noexcept {
  return which >= mutation::no_gate && which <= mutation::trusts_what_it_read;
}

#ifdef ARTILLERY_MUTANTS
extern mutation planted;  // defined by the program that plants
[[nodiscard]] inline bool mutant(mutation which) noexcept {
  return planted == which;
}
#else
[[nodiscard]] constexpr bool mutant(mutation /*which*/) noexcept {
  return false;
}
#endif

}  // namespace artillery::replication
