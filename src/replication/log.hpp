#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "artillery/clock.hpp"
#include "base/state_hash.hpp"
#include "replication/record.hpp"

namespace artillery::replication {

/// Who waits for an answer: a request that came over a stream, or (stream 0) a call of this process.
struct asker {
  std::uint64_t stream = 0;
  std::uint64_t request = 0;

  friend bool operator==(const asker&, const asker&) noexcept = default;
};

/// A record that is not committed here yet.
struct log_entry {
  replication::record record;
  time_point arrived;
  std::vector<asker> waiting;  // at the head: the client that asked, and its retries
};

/// The part of the chain's log that can still be needed. Every member holds what is committed, so only the records
/// above the own commit remain (R11), and of the one before them its version, to compare with a successor's.
class log {
public:
  /// Retries of one request that wait for it at most; a further one takes the place of the oldest.
  static constexpr std::size_t waiting_max = 4;

  [[nodiscard]] version last() const noexcept { return entries_.empty() ? dropped_ : entries_.back().record.version(); }
  [[nodiscard]] std::uint64_t last_seq() const noexcept { return last().seq; }
  /// The newest record that is no longer here.
  [[nodiscard]] version dropped() const noexcept { return dropped_; }
  [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
  [[nodiscard]] std::size_t weight() const noexcept { return weight_; }
  [[nodiscard]] log_entry& front() noexcept { return entries_.front(); }
  [[nodiscard]] const log_entry& front() const noexcept { return entries_.front(); }

  void append(log_entry next);
  /// Counts a record that is committed where it arrives, and so is never kept.
  void pass(const version& next);
  [[nodiscard]] log_entry pop_front();
  /// Forgets everything; the next record follows `base`.
  void restart(const version& base);

  [[nodiscard]] bool holds(std::uint64_t seq) const noexcept { return seq > dropped_.seq && seq <= last_seq(); }
  [[nodiscard]] log_entry& at(std::uint64_t seq);
  [[nodiscard]] const log_entry& at(std::uint64_t seq) const;
  /// Whether the record of this very version is held, or was the last one dropped (version{} is "nothing yet").
  [[nodiscard]] bool knows(const version& which) const;
  /// Whether the record at this place, held or dropped, was given it in this epoch or before; nothing: not known here.
  [[nodiscard]] std::optional<bool> was_assigned_by(std::uint64_t seq, std::uint64_t epoch) const noexcept;

  void attach(std::uint64_t seq, const asker& who);
  /// Forgets those who asked over a stream that is down.
  void forget(std::uint64_t stream);

  void hash(detail::state_hash& into, time_point now) const;

private:
  /// Epochs of which it is remembered where their records began.
  static constexpr std::size_t starts_max = 64;

  void note_start(const version& next);

  std::deque<log_entry> entries_;
  version dropped_;
  std::deque<version> starts_;      ///< the first record of each epoch, as far back as is known
  std::uint64_t epoch_before_ = 0;  ///< no record before them is of a later epoch
  std::size_t weight_ = 0;
};

}  // namespace artillery::replication
