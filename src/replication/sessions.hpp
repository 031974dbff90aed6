#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "base/indexed.hpp"
#include "base/state_hash.hpp"
#include "replication/record.hpp"

namespace artillery::replication {

/// The result of a request that is in the log.
struct answered {
  std::uint64_t number = 0;
  std::uint64_t seq = 0;  // of its record, committed or not
  write_result result;
};

/// One session as the table has it.
struct session_row {
  std::uint64_t key = 0;      // the session, as the head drew it
  std::uint64_t used = 0;     // the seq of its newest record
  std::uint64_t lowest = 1;   // numbers below are settled
  std::deque<answered> kept;  // by number, ascending
};

/// Which requests are in the log, and what came of them (R10). Every replica has the same table for the same log, since
/// it is changed by records alone: a session is opened, used and ended by the chain, never by somebody's clock.
class sessions {
public:
  sessions(std::uint64_t hash_key, std::size_t sessions_max, std::size_t results_max)
      : table_{hash_key}, sessions_max_{sessions_max}, results_max_{results_max} {}

  enum class finding : std::uint8_t {
    fresh,            // never in the log: evaluate it
    known,            // in the log: `answered` says where
    unknown_session,  // no such session
    settled,          // its client said that it no longer waits for it: a late copy
    no_room           // further ahead of the lowest unanswered number than results are kept
  };
  struct lookup {
    finding what = finding::fresh;
    answered found;
  };
  /// `lowest` is what the request says of its client: results below it are dropped with its record, so they need no
  /// room.
  [[nodiscard]] lookup find(std::uint64_t session, std::uint64_t number, std::uint64_t lowest) const;

  /// What every replica does with every record, in order.
  void apply(const record& next);

  /// For a copy of the table: its rows, and what makes the same table of them.
  [[nodiscard]] std::deque<session_row> rows() const { return {table_.begin(), table_.end()}; }
  void restore(session_row row);
  void clear() noexcept { table_.clear(); }

  /// The session that a further one would take the place of; nothing while there is room.
  [[nodiscard]] std::optional<std::uint64_t> idle_longest() const;
  [[nodiscard]] bool contains(std::uint64_t session) const noexcept { return table_.contains(session); }
  [[nodiscard]] std::size_t size() const noexcept { return table_.size(); }
  /// The most results that one session keeps: for a checker of the limit.
  [[nodiscard]] std::size_t results_kept_max() const noexcept;

  void hash(detail::state_hash& into) const;

private:
  detail::indexed<session_row, detail::number_hash> table_;
  std::size_t sessions_max_;
  std::size_t results_max_;
};

}  // namespace artillery::replication
