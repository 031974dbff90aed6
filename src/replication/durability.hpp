#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <variant>
#include <vector>

#include "base/state_hash.hpp"
#include "replication/checkpoint.hpp"
#include "replication/record.hpp"
#include "replication/sessions.hpp"

// What a replica with a disk keeps there, and how much of it is known to be there: the durable parts of R2, R5, R8, R9
// and R14 of docs/replication.md.

namespace artillery::replication {

enum class storage : std::uint8_t { memory, disk };

// The items of what is kept, in the order in which the core hands them out; each counts only with all before it.

/// The replica goes by this incarnation from now on.
struct kept_name {
  std::uint64_t incarnation = 0;
};
/// A view of this epoch is in force.
struct kept_epoch {
  std::uint64_t epoch = 0;
};
struct kept_record {
  replication::record record;
};
/// The replica holds nothing any more.
struct kept_nothing {};
/// The replica holds nothing but what follows, up to `kept_whole`: of less than all of it nothing is to be made.
struct kept_checkpoint {
  version base;
};
struct kept_part {
  std::vector<session_row> sessions;
  std::vector<object> objects;
};
struct kept_whole {};
/// Nothing new: when this is on disk, so is all that was read back at the start.
struct kept_mark {};

using kept_item =
    std::variant<kept_name, kept_epoch, kept_record, kept_nothing, kept_checkpoint, kept_part, kept_whole, kept_mark>;

/// What a replica finds on its disk, as far as it is whole; its incarnation apart, which is in its configuration. The
/// objects of the checkpoint are in the store, committed.
struct restored {
  std::uint64_t epoch = 0;  // the latest that was in force
  version base;             // of the checkpoint
  std::vector<session_row> sessions;
  std::vector<record> records;  // in order, from the one after `base` on
};

/// How far the own disk, and those of all replicas above, are. Of a replica without a disk it knows nothing, and nobody
/// asks.
class durability {
public:
  explicit durability(storage where) noexcept : on_disk_{where == storage::disk} {}

  [[nodiscard]] bool on_disk() const noexcept { return on_disk_; }

  // --- what is handed out ---
  void handed_out() noexcept { ++items_; }
  /// All up to `seq` is kept once the latest item is.
  void holds(std::uint64_t seq) { pending_.push_back({items_, seq}); }
  void holds_nothing() noexcept {
    pending_.clear();
    synced_ = 0;
    above_ = 0;
  }
  void epoch_begins() noexcept {
    epoch_item_ = items_;
    above_ = 0;
  }

  // --- what is told ---
  /// The first `items` are on disk.
  void synced(std::uint64_t items) noexcept {
    synced_items_ = std::max(synced_items_, items);
    while (!pending_.empty() && pending_.front().item <= synced_items_) {
      synced_ = std::max(synced_, pending_.front().seq);
      pending_.pop_front();
    }
  }
  /// The predecessor, of this epoch: so far it is on all disks above.
  void told_from_above(std::uint64_t seq) noexcept { above_ = std::max(above_, seq); }

  // --- what is known ---
  [[nodiscard]] bool knows_epoch() const noexcept { return !on_disk_ || synced_items_ >= epoch_item_; }
  /// The newest record that is on the own disk, with all before it.
  [[nodiscard]] std::uint64_t synced() const noexcept { return synced_; }
  [[nodiscard]] std::uint64_t above() const noexcept { return above_; }

  void hash(detail::state_hash& into) const {
    if (!on_disk_) return;
    into.add(items_).add(synced_items_).add(epoch_item_).add(synced_).add(above_).add(pending_.size());
  }

private:
  struct pending {
    std::uint64_t item;
    std::uint64_t seq;
  };

  bool on_disk_;
  std::uint64_t items_ = 0;
  std::uint64_t synced_items_ = 0;
  std::uint64_t epoch_item_ = 0;
  std::uint64_t synced_ = 0;
  std::uint64_t above_ = 0;
  std::deque<pending> pending_;  // ascending in both
};

}  // namespace artillery::replication
