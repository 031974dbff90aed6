#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace artillery::discovery {

/// Mistakes that are easy to make with the rules of the protocol, each planted at the line of its rule. The tests plant
/// one at a time and see that the simulator finds it; in every other build `mutant` is a constant false, so that
/// nothing of them is compiled.
enum class mutation : std::uint8_t {
  none,
  goodbye_forgotten,        ///< a late copy of an announcement brings back what was withdrawn
  expiry_forgotten,         ///< and what ran out
  ttl_ignored,              ///< what was announced is believed for an hour
  epochs_ignored,           ///< only the sequence orders frames, so that a new life is old news
  sequence_ignored,         ///< any frame of the same life replaces what is known
  goodbye_out_of_order,     ///< a late goodbye ends what was announced after it
  old_life_goes_on,         ///< what a node offered before it restarted stays
  own_packets_heard,        ///< a node finds itself
  realm_ignored,            ///< other clusters on the port are taken for one's own
  off_link_heard,           ///< so are datagrams that a router let through
  wildcards_kept,           ///< an address that means "here" is told as it is
  one_goodbye,              ///< a withdrawal is complete after the first goodbye
  one_announcement,         ///< what is new is said once, then at the interval
  bursts_unspaced,          ///< each change starts a burst at once
  bursts_caught_up,         ///< what a stop made a burst miss is said all at once
  refresh_unasked,          ///< a service that is silent is given up unasked
  questions_at_one_pace,    ///< a browser asks every second, for ever
  seek_answered_and_asked,  ///< a seek that is answered from what is known goes on
  known_seek_asked,         ///< what is known already does not answer a seek
  answers_withdrawn,        ///< what is being withdrawn is still told to those who ask
  answers_to_all,           ///< an answer is broadcast
  answers_what_is_known,    ///< the list of known services is ignored
  answers_anything,         ///< and the type asked for
  answers_copies,           ///< a question that came twice is answered twice
  answers_unlimited,        ///< one source is answered as often as it asks
  answers_larger,           ///< more is answered than was asked with
  answers_when_late,        ///< after a pause all that waited is answered
  load_ignored,             ///< the busy answer as soon as the idle
};

inline constexpr std::size_t mutations = 29;
inline constexpr std::array<std::string_view, mutations> mutation_names{"none",
                                                                        "goodbye_forgotten",
                                                                        "expiry_forgotten",
                                                                        "ttl_ignored",
                                                                        "epochs_ignored",
                                                                        "sequence_ignored",
                                                                        "goodbye_out_of_order",
                                                                        "old_life_goes_on",
                                                                        "own_packets_heard",
                                                                        "realm_ignored",
                                                                        "off_link_heard",
                                                                        "wildcards_kept",
                                                                        "one_goodbye",
                                                                        "one_announcement",
                                                                        "bursts_unspaced",
                                                                        "bursts_caught_up",
                                                                        "refresh_unasked",
                                                                        "questions_at_one_pace",
                                                                        "seek_answered_and_asked",
                                                                        "known_seek_asked",
                                                                        "answers_withdrawn",
                                                                        "answers_to_all",
                                                                        "answers_what_is_known",
                                                                        "answers_anything",
                                                                        "answers_copies",
                                                                        "answers_unlimited",
                                                                        "answers_larger",
                                                                        "answers_when_late",
                                                                        "load_ignored"};
static_assert(static_cast<std::size_t>(mutation::load_ignored) + 1 == mutations);

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

}  // namespace artillery::discovery
