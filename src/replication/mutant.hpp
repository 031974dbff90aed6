#pragma once

#include <cstdint>

namespace artillery::replication {

/// Mistakes that are easy to make with the rules of the protocol, each planted at the line of its rule. The tests plant
/// one at a time and see that the simulator finds it; in every other build `mutant` is a constant false, so that
/// nothing of them is compiled.
enum class mutation : std::uint8_t {
  none,
  no_seq_check,                   // R4: records of an older link are taken too, whatever their place
  no_resend,                      // R4: what was under way when a link broke is not sent again
  no_fence,                       // R3: a stranger (another incarnation) is taken for a member
  commit_before_tail,             // R5: the head answers before the tail has the record
  joins_sent_query,               // R7: a read joins a question that was sent before it arrived
  skips_dirty_check,              // R7: a dirty object is answered from memory
  answers_clean_when_dirty,       // R7: a dirty object is answered at the own commit, without the tail
  answers_newest_after_query,     // R7: the tail's watermark is asked for, and not heeded
  dedup_off,                      // R10: the head does not look for the request in its table
  dedup_committed_only,           // R10: the head's table covers committed records only
  failed_condition_not_recorded,  // R10: a failed condition is answered from the head's state, at once
  cas_on_stale_state,             // conditions are evaluated against committed state
  drops_version_early,            // R11: a commit drops all but the newest version, committed or not
  always_asks_tail,               // every strong read asks the tail: right, and pointless
};

#ifdef ARTILLERY_MUTANTS
extern mutation planted;  // defined by the test that plants
[[nodiscard]] inline bool mutant(mutation which) noexcept {
  return planted == which;
}
#else
[[nodiscard]] constexpr bool mutant(mutation /*which*/) noexcept {
  return false;
}
#endif

}  // namespace artillery::replication
