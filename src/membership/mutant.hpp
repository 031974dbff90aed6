#pragma once

/// Bugs that can be planted to see the simulator's checkers find them: one at a time, by
/// -DARTILLERY_MEMBERSHIP_MUTANT=<name>. A normal build has none.
namespace artillery::membership {

enum class mutant {
  none,
  no_deduplication,        ///< an event is delivered each time it arrives
  no_topic_order,          ///< an event does not wait for the one before it
  equal_incarnation_wins,  ///< life at the same incarnation overrules death
  no_tombstones,           ///< the dead are forgotten at once
  no_refutation,           ///< an accused member says nothing
  no_suspicion,            ///< a member that misses a probe is declared failed at once
  no_digest_repair,        ///< what every copy of the gossip missed is never asked for
  no_reconnect,            ///< a failed member is never tried again
  unbounded_datagrams,     ///< piggybacking forgets the limit
};

#ifdef ARTILLERY_MEMBERSHIP_MUTANT
inline constexpr mutant planted = mutant::ARTILLERY_MEMBERSHIP_MUTANT;
#else
inline constexpr mutant planted = mutant::none;
#endif

}  // namespace artillery::membership
