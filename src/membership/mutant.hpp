#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace artillery::membership {

/// Mistakes that are easy to make with the rules of the protocol, each planted at the line of its rule. The tests plant
/// one at a time and see that the simulator finds it; in every other build `mutant` is a constant false, so that
/// nothing of them is compiled.
enum class mutation : std::uint8_t {
  none,
  no_deduplication,          ///< an event is delivered each time it arrives
  no_topic_order,            ///< an event does not wait for the one before it
  untold_gaps,               ///< what could not be had is skipped without a word
  believes_far_numbers,      ///< an event's number may be as far ahead as it likes
  equal_incarnation_wins,    ///< life at the same incarnation overrules death
  earlier_life_wins,         ///< a higher incarnation of an earlier boot overrules the later boot
  believes_forgeries,        ///< any incarnation and any boot is believed
  believes_any_cluster,      ///< datagrams of another cluster are read
  no_tombstones,             ///< the dead are forgotten at once
  no_refutation,             ///< an accused member says nothing
  weak_refutation,           ///< an accused member answers at the incarnation of the accusation
  no_suspicion,              ///< a member that misses a probe is declared failed at once
  endless_suspicion,         ///< a suspicion does not run out by itself
  any_ack_counts,            ///< an ack answers the probe under way, whatever it was for
  answers_for_anybody,       ///< a ping that names another process at this address is answered
  probes_one_only,           ///< the round of probing does not go on
  no_digest_repair,          ///< what every copy of the gossip missed is never asked for
  no_reconnect,              ///< a failed member is never tried again
  no_seed_retry,             ///< a seed that did not answer is not asked again
  leave_is_failure,          ///< who said that it goes is reported failed
  never_done_telling,        ///< news is said without end
  unbounded_datagrams,       ///< piggybacking forgets the limit
  unbounded_relays,          ///< any number of pings is run for others at a time
  trusts_after_pause,        ///< what a stopped process missed is held against the others
  leaves_unheard,            ///< a leave is done when it was said, whether or not anybody heard
  refuses_restarts,          ///< a later life has to wait until the earlier one is declared failed
  forgets_own_events,        ///< own events make room for others before they were said
  keeps_old_events,          ///< events are kept without end
  renews_suspicions,         ///< each accusation lets a suspect have its time anew
  pushes_unspaced,           ///< each piece of news is a round of datagrams
  no_message_deduplication,  ///< a message to one member is delivered each time it arrives
  receipts_unseen,           ///< a message is said to be here that was not delivered
  no_message_retry,          ///< what a broken stream lost is not sent again
  answers_counted_twice,     ///< an answer that comes again is taken for another
  asks_everybody,            ///< whom a query is for does not matter
  notices_suffice,           ///< an event that was told by a notice is not fetched
  no_byte_limit,             ///< news is sent whatever was sent already
  no_replay,                 ///< who is new is told nothing again
  replays_everything,        ///< who is new is told all again that is kept
  moves_the_beginning,       ///< what is sent while somebody is being introduced is not for it
  believes_any_beginning,    ///< how far others are is learned from whoever says it, a newcomer or not
  answers_as_of_now,         ///< a newcomer is told how far its partner is, not how far it was when it met it
};

inline constexpr std::size_t mutations = 43;
inline constexpr std::array<std::string_view, mutations> mutation_names{"none",
                                                                        "no_deduplication",
                                                                        "no_topic_order",
                                                                        "untold_gaps",
                                                                        "believes_far_numbers",
                                                                        "equal_incarnation_wins",
                                                                        "earlier_life_wins",
                                                                        "believes_forgeries",
                                                                        "believes_any_cluster",
                                                                        "no_tombstones",
                                                                        "no_refutation",
                                                                        "weak_refutation",
                                                                        "no_suspicion",
                                                                        "endless_suspicion",
                                                                        "any_ack_counts",
                                                                        "answers_for_anybody",
                                                                        "probes_one_only",
                                                                        "no_digest_repair",
                                                                        "no_reconnect",
                                                                        "no_seed_retry",
                                                                        "leave_is_failure",
                                                                        "never_done_telling",
                                                                        "unbounded_datagrams",
                                                                        "unbounded_relays",
                                                                        "trusts_after_pause",
                                                                        "leaves_unheard",
                                                                        "refuses_restarts",
                                                                        "forgets_own_events",
                                                                        "keeps_old_events",
                                                                        "renews_suspicions",
                                                                        "pushes_unspaced",
                                                                        "no_message_deduplication",
                                                                        "receipts_unseen",
                                                                        "no_message_retry",
                                                                        "answers_counted_twice",
                                                                        "asks_everybody",
                                                                        "notices_suffice",
                                                                        "no_byte_limit",
                                                                        "no_replay",
                                                                        "replays_everything",
                                                                        "moves_the_beginning",
                                                                        "believes_any_beginning",
                                                                        "answers_as_of_now"};
static_assert(static_cast<std::size_t>(mutation::answers_as_of_now) + 1 == mutations);

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

}  // namespace artillery::membership
