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
  always_asks_tail,               ///< every strong read asks the tail: right, and pointless
};

inline constexpr std::size_t mutations = 33;
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
                                                                        "always_asks_tail"};
static_assert(mutation_names[static_cast<std::size_t>(mutation::always_asks_tail)] == "always_asks_tail");

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
