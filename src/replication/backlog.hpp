#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

#include "artillery/replication/types.hpp"
#include "base/state_hash.hpp"
#include "replication/record.hpp"

namespace artillery::replication {

/// The records that a tail keeps for its learners, committed or not: all from one place on, so that a learner that has
/// everything up to there is fed without a hole. What every learner holds is dropped (R11).
class backlog {
public:
  /// Nothing is kept yet; the next record follows `base`.
  void restart(const version& base);
  void push(const record& next);
  /// Up to this one every learner holds them.
  void drop_to(std::uint64_t seq);

  [[nodiscard]] version last() const noexcept { return entries_.empty() ? base_ : entries_.back().kept.version(); }
  [[nodiscard]] bool holds(std::uint64_t seq) const noexcept { return seq > base_.seq && seq <= last().seq; }
  [[nodiscard]] const record& at(std::uint64_t seq) const;
  /// Whether the record of this very version is kept, or was the last one dropped: what follows it is all here.
  [[nodiscard]] bool knows(const version& which) const;
  [[nodiscard]] std::size_t weight() const noexcept { return weight_; }
  /// What the records after `from` and up to `to` weigh; of what was dropped, nothing.
  [[nodiscard]] std::size_t weight_between(std::uint64_t from, std::uint64_t to) const;

  void hash(detail::state_hash& into) const;

private:
  struct entry {
    record kept;
    std::size_t weight_before = 0;  // of all records since the backlog began anew
  };

  [[nodiscard]] std::size_t weight_up_to(std::uint64_t seq) const;

  version base_;
  std::deque<entry> entries_;
  std::size_t weight_ = 0;
  std::size_t total_ = 0;
};

}  // namespace artillery::replication
