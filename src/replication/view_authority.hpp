#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "artillery/clock.hpp"
#include "artillery/replication/authority.hpp"
#include "artillery/replication/types.hpp"

// What a replica's core and the authority over its views say to one another: questions are effects of the core, answers
// its inputs. Values only, so that a register on voters, a plain register of the simulator, or another system can stand
// behind them.
//
// The authority answers a question at most once, at any later time, in any order, or never; the core asks again under
// another id. It may forget all questions of a replica that ended.

namespace artillery::replication {

/// Names one question until its answer. From 1 upwards, never used again by the same process.
using question_id = std::uint64_t;

// --- questions ---

/// "Which view is the newest that was chosen?" Linearizable.
struct authority_read {
  question_id id = 0;

  friend bool operator==(const authority_read&, const authority_read&) noexcept = default;
};

/// "If `expected` is still the newest epoch, make `next` (of epoch `expected` + 1) the view after it."
struct authority_cas {
  question_id id = 0;
  std::uint64_t expected = 0;
  view next;

  friend bool operator==(const authority_cas&, const authority_cas&) = default;
};

/// R6: "Is `epoch` still the newest, and am I in it?" A voter says yes only while the view it accepted last is of
/// `epoch`, and remembers when it last did so; yes needs a majority, of voters asked for this very question.
struct authority_renew {
  question_id id = 0;
  std::uint64_t epoch = 0;

  friend bool operator==(const authority_renew&, const authority_renew&) noexcept = default;
};

/// R8, the early end of a gate: "Has a majority of voters, each of which accepted `chosen_in` or a higher ballot, given
/// none of `whom` a yes for an epoch below `epoch` for at least `quiet`?" Each by its own clock that counts suspended
/// time, the start of its process counting as a yes to all; asked after this question, not before.
struct authority_quiet {
  question_id id = 0;
  std::uint64_t epoch = 0;
  ballot chosen_in;
  duration quiet{};
  std::vector<replica_id> whom;  ///< that are not in the view of `epoch`; empty: everybody

  friend bool operator==(const authority_quiet&, const authority_quiet&) = default;
};

using authority_question = std::variant<authority_read, authority_cas, authority_renew, authority_quiet>;

// --- answers; `id` is the question's ---

/// To a read.
struct authority_view {
  question_id id = 0;
  chosen_view newest;
  /// R9: the read was made at a ballot above all that this process proposed before it asked, so that nothing it
  /// proposed can be chosen any more, unless `newest` is it. False from an authority that cannot tell.
  bool fences = false;
};

/// To a compare-and-swap.
struct authority_cas_done {
  enum class outcome : std::uint8_t {
    chosen,   ///< `next` is chosen; `now` is it
    refused,  ///< another epoch is in force; `now` is its view, and the proposal will never be chosen
    unknown   ///< may have been chosen, or may yet be
  };
  question_id id = 0;
  outcome what = outcome::unknown;
  std::optional<chosen_view> now;  ///< of `chosen` and `refused`
};

/// To a renewal. Silence is neither.
struct authority_renewed {
  question_id id = 0;
  bool yes = false;
};

/// To `authority_quiet`. No means "not yet, ask again".
struct authority_quieted {
  question_id id = 0;
  bool yes = false;
};

using authority_answer = std::variant<authority_view, authority_cas_done, authority_renewed, authority_quieted>;

}  // namespace artillery::replication
