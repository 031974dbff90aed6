#pragma once

#include <cstdint>
#include <variant>

#include "replication/view_authority.hpp"

namespace artillery::replication {

/// What the founding of a register came to.
struct founding {
  enum class outcome : std::uint8_t {
    founded,        ///< every voter took the first view, or a majority had it already
    other_genesis,  ///< voters took another first view: somebody else founded this chain. Nothing of theirs was changed
    unfit           ///< a voter refused the view: it is not of epoch 1, or of another chain. Nothing was changed there
  };
  outcome what = outcome::founded;
  view first;                 ///< of `founded`: with the voters in the lives in which they took it
  std::uint64_t genesis = 0;  ///< of `founded`, and of `other_genesis`: theirs
};

/// Why the register cannot be counted on as it is configured; said once for each voter.
struct voter_alarm {
  enum class kind : std::uint8_t {
    other_genesis,  ///< it is a voter of another first view: this chain was founded twice
    lost,           ///< it is not the voter that was founded: its directory was lost or exchanged. It never votes again
    voters_disagree,  ///< it was founded with other voters than are configured here
    wrong_node        ///< the process at its place is another node
  };
  kind what = kind::lost;
  member configured;          ///< which voter is meant
  replica_id voter;           ///< as it says that it is
  std::uint64_t genesis = 0;  ///< as it says

  friend bool operator==(const voter_alarm&, const voter_alarm&) = default;
};

/// A question to which no answer follows. (Of a compare-and-swap that may have been proposed, and of a report, the
/// answer says so.)
struct given_up {
  question_id id = 0;
  bool is_late = false;  ///< nobody answered in time; else too many questions wait
};

using register_event = std::variant<authority_answer, founding, voter_alarm, given_up>;

}  // namespace artillery::replication
