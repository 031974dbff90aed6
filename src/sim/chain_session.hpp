#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include "artillery/replication/session_token.hpp"
#include "sim/chain_swarm.hpp"
#include "sim/history.hpp"

namespace artillery::sim {

/// A user's session: its token, and what the user remembers besides, so that a checker can tell what answers under the
/// token must count (`check_sessions`).
class chain_session {
public:
  /// This read is asked after the token.
  void begin(history_operation& read, std::size_t key) const {
    read.after = token_;
    read.counted_before = floors_[key];
    read.saw = saw_;
  }

  void read_done(const history_operation& read, std::size_t key, const replication::read_result& result) {
    // Not asked after what the session has seen since, and not committed: it may count less.
    if (read.saw != saw_ || (read.after.none() && !token_.none())) return;
    token_.include(result);
    const bool is_witness = token_.seen() == result.as_of && result.found() && result.version.seq == result.as_of.seq;
    if (token_.seen().none()) saw_ = {};
    if (is_witness) saw_ = result.version;
    if (result.found() && result.version.seq > floors_[key].seq) floors_[key] = result.version;
  }

  void write_done(const history_operation& write, std::size_t key, const replication::write_result& result) {
    token_.include(result);
    if (token_.seen().none()) saw_ = {};
    if (!result.applied) return;
    floors_[key] = write.what == history_operation::kind::erase ? replication::version{} : result.version;
  }

private:
  replication::session_token token_;
  replication::version saw_;  ///< the object's version by which the token has seen what is not committed
  std::array<replication::version, chain_swarm::keys_max> floors_{};  ///< newest version of each object in the session
};

}  // namespace artillery::sim
