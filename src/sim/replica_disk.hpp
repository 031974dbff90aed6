#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "artillery/clock.hpp"
#include "base/random.hpp"
#include "replication/durability.hpp"

namespace artillery::sim {

/// Where a simulated replica keeps its log: items in order, each on the disk for certain only a while after it was
/// written. It outlives the processes that use it; of what was not certain when one died, some is there and some not.
class replica_disk {
public:
  /// `incarnation`: of the first replica that uses it.
  replica_disk(std::uint64_t incarnation, std::uint64_t seed, duration sync_takes_max);

  // --- for the process that uses it ---
  void write(const replication::kept_item& what, time_point now);
  /// When the next item is certain.
  [[nodiscard]] std::optional<time_point> next_end() const;
  /// Nothing becomes certain while it holds back.
  void hold_back(bool holds) noexcept { holds_back_ = holds; }
  /// How many items of this process are certain by now.
  std::uint64_t synced(time_point now);

  // --- when a process ends, and another begins ---
  void crash();
  [[nodiscard]] bool was_used() const noexcept { return !items_.empty(); }
  [[nodiscard]] std::uint64_t incarnation() const;
  /// What is there. The objects of its checkpoint go into the store.
  [[nodiscard]] replication::restored read_back(replication::store& into) const;

  // --- for checkers: what is there for certain ---
  [[nodiscard]] std::uint64_t certain_incarnation() const noexcept { return certain_name_; }
  [[nodiscard]] bool knows(const replication::version& which) const;
  [[nodiscard]] replication::version last() const { return records_.empty() ? base_ : records_.back(); }

private:
  struct kept {
    replication::kept_item what;
    time_point ends;
  };

  void settle(const replication::kept_item& what);

  std::vector<kept> items_;
  bool holds_back_ = false;
  std::size_t certain_ = 0;     // so many of them
  std::size_t of_process_ = 0;  // those before were another process's
  time_point last_end_{};
  detail::random random_;
  duration sync_takes_max_;

  std::uint64_t certain_name_;
  bool is_whole_ = true;
  replication::version base_;
  std::deque<replication::version> records_;  // after the base
};

}  // namespace artillery::sim
