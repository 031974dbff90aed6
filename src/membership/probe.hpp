#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "artillery/clock.hpp"
#include "artillery/endpoint.hpp"
#include "base/random.hpp"
#include "membership/member_table.hpp"

namespace artillery::membership {

/// Pings that this node runs for others at a time; further requests are dropped and counted.
inline constexpr std::size_t relays_max = 256;
/// Single pings beside the regular probe (of a suspect, of an address that changed hands) whose answers are awaited.
inline constexpr std::size_t checks_max = 64;

/// The order of probing: round robin over a shuffled list, so that each member is probed within a known time (SWIM,
/// section 4.3). Newcomers are put in at random places.
class probe_ring {
public:
  void add(member_row& row, detail::random& random);
  /// Before the row is forgotten.
  void remove(member_row& row);
  /// The next present member; null when there is none.
  [[nodiscard]] const member_row* next(member_table& members, detail::random& random);

  void hash(detail::state_hash& into) const {
    into.add(order_.size()).add(position_);
    for (const node_id& id : order_) into.add(id);
  }

private:
  std::vector<node_id> order_;
  std::size_t position_ = 0;
};

/// This interval's probe.
struct probe {
  std::uint32_t sequence = 0;
  node_id target;
  std::uint32_t addressee = 0;
  std::uint64_t incarnation = 0;  ///< a later one is a sign of life
  endpoint at;
  time_point sent_at;
  time_point timeout_at;                  ///< from here on others are asked
  std::optional<time_point> given_up_at;  ///< nobody listens there: its helpers have so long
  bool asked = false;
  bool answered = false;
  bool timed = false;  ///< the answer to the ping itself has come
  std::vector<endpoint> helpers;
  std::uint32_t nacks = 0;
};

/// A ping that is awaited, and nothing follows when nothing comes.
struct check {
  std::uint32_t sequence = 0;
  node_id target;
  std::uint32_t addressee = 0;
  endpoint at;
  bool farewell = false;  ///< it carried the word that this node goes
};

/// A ping run for another member.
struct relay {
  std::uint32_t sequence = 0;  ///< of our ping
  endpoint target;
  endpoint asker;
  std::uint32_t asker_sequence = 0;
  time_point nack_at;
  time_point ends_at;
  bool nacked = false;
};

}  // namespace artillery::membership
