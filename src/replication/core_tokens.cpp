// Session tokens: whether this replica counts what a session has seen already (docs/replication.md, "Session tokens").
#include <algorithm>
#include <utility>

#include "replication/core.hpp"
#include "replication/mutant.hpp"

namespace artillery::replication {

core::token_state core::weigh(const session_token& after, const consistency& level) const {
  const bool must_be_committed = level != eventual;
  const token_state settled = weigh(after.committed(), true, must_be_committed);
  const token_state seen = weigh(after.seen(), false, must_be_committed);
  return std::max(settled, seen);
}

/// What is committed here is in the log of every epoch, earlier or later, that ever came as far. What is not committed
/// is in the log of this epoch alone, and of an earlier epoch's log it holds those records that were made by then: all
/// logs of one epoch are prefixes of one another (R4), and each epoch begins with a prefix of the log before it.
core::token_state core::weigh(const version& place, bool settled, bool must_be_committed) const {
  if (place.none() || mutant(mutation::token_ignored)) return token_state::covered;
  if (place.epoch > epoch()) return place.seq <= commit_ ? token_state::covered : token_state::behind;
  if (place.seq <= log_.last_seq()) {
    const std::optional<bool> is_that = log_.was_assigned_by(place.seq, place.epoch);
    const bool is_lost = settled ? is_that == false : is_that != true;
    if (is_lost && !mutant(mutation::token_by_seq)) return token_state::lost;
    return must_be_committed && place.seq > commit_ ? token_state::coming : token_state::covered;
  }
  // Nobody holds more than the head.
  if (is_head()) return token_state::lost;
  return settled || place.epoch == epoch() ? token_state::coming : token_state::only_head_knows;
}

/// False: the read was refused, or waits.
bool core::is_covered(const waiting_read& read, const consistency& level, const session_token& after, const turn& at) {
  switch (weigh(after, level)) {
    case token_state::covered: return true;
    case token_state::coming:
      if (waiting_reads() >= config_.waiting_reads_max) {
        ++counters_.refused_busy;
        refuse_read(read.who, reply_status::busy, at);
      } else {
        ++counters_.held_back_reads;
        held_back_.hold({.read = {read.who, read.key.compact(), read.deadline}, .level = level, .after = after});
      }
      return false;
    case token_state::behind:
      if (follows_views() && !reading_) ask_newest(at);
      refuse_read(read.who, reply_status::not_serving, at);
      return false;
    case token_state::only_head_knows: refuse_read(read.who, reply_status::not_head, at); return false;
    case token_state::lost:
      ++counters_.void_tokens;
      refuse_read(read.who, reply_status::token_void, at);
      return false;
  }
  return false;
}

/// This replica may have come as far as some of them wait for.
void core::serve_held_back(const turn& at) {
  if (held_back_.empty() || (looked_at_commit_ == commit_ && looked_at_last_ == log_.last_seq())) return;
  looked_at_commit_ = commit_;
  looked_at_last_ = log_.last_seq();
  for (held_back_read& held : held_back_.take_all()) serve_read(std::move(held.read), held.level, held.after, at);
}

}  // namespace artillery::replication
