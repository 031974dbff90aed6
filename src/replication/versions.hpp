#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "artillery/bytes.hpp"
#include "artillery/clock.hpp"
#include "base/indexed.hpp"
#include "base/state_hash.hpp"

namespace artillery::replication {

/// The index of dirty objects: which have records above the own commit (section 2.3 of the paper), how many, and since
/// when. Objects and their values are in the store.
class dirty_objects {
public:
  explicit dirty_objects(std::uint64_t hash_key) : table_{hash_key} {}

  void add(const bytes& key, std::uint64_t seq, time_point arrived);
  /// The record `seq` of `key` is committed, and with it every older one.
  void commit(const bytes& key, std::uint64_t seq);
  void clear() noexcept { table_.clear(); }

  [[nodiscard]] std::size_t size() const noexcept { return table_.size(); }
  [[nodiscard]] bool dirty(const bytes& key) const noexcept { return table_.contains(key); }
  /// Records of `key` above the commit.
  [[nodiscard]] std::size_t count(const bytes& key) const noexcept;
  /// The newest of them up to `watermark`; 0: none.
  [[nodiscard]] std::uint64_t newest(const bytes& key, std::uint64_t watermark) const noexcept;
  /// When the oldest of them arrived here.
  [[nodiscard]] std::optional<time_point> since(const bytes& key) const noexcept;

  void hash(detail::state_hash& into, time_point now) const;

private:
  struct pending {
    std::uint64_t seq = 0;
    time_point arrived;
  };
  struct row {
    bytes key;
    std::deque<pending> records;  // ascending
  };
  struct key_hash {
    [[nodiscard]] std::uint64_t operator()(const bytes& key) const noexcept {
      return detail::state_hash{}.add(key.view()).value();
    }
  };

  detail::indexed<row, key_hash> table_;
};

}  // namespace artillery::replication
