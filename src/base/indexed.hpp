#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/random.hpp"

namespace artillery::detail {

/// A table whose rows lie in one vector, in an order that depends only on what was done to it, with a keyed hash index
/// beside it. Iteration goes over the vector, so it is the same on every machine; the key of the hash keeps a peer that
/// chooses ids from choosing collisions.
///
/// `Row` has a member `key` that never changes while it is in the table. `Hash` maps a key to 64 bits.
/// Open addressing with linear probing and backward-shift deletion; the load stays at or below one half.
template <class Row, class Hash>
class indexed {
public:
  using key_type = std::remove_cvref_t<decltype(std::declval<Row>().key)>;

  explicit indexed(std::uint64_t hash_key = 0) : hash_key_{hash_key} {}

  [[nodiscard]] std::size_t size() const noexcept { return rows_.size(); }
  [[nodiscard]] bool empty() const noexcept { return rows_.empty(); }
  [[nodiscard]] auto begin() noexcept { return rows_.begin(); }
  [[nodiscard]] auto end() noexcept { return rows_.end(); }
  [[nodiscard]] auto begin() const noexcept { return rows_.begin(); }
  [[nodiscard]] auto end() const noexcept { return rows_.end(); }
  [[nodiscard]] Row& operator[](std::size_t position) noexcept { return rows_[position]; }
  [[nodiscard]] const Row& operator[](std::size_t position) const noexcept { return rows_[position]; }

  template <class Key>
  [[nodiscard]] Row* find(const Key& key) noexcept {
    const std::size_t slot = slot_of(key);
    return slot == none ? nullptr : &rows_[slots_[slot] - 1];
  }
  template <class Key>
  [[nodiscard]] const Row* find(const Key& key) const noexcept {
    const std::size_t slot = slot_of(key);
    return slot == none ? nullptr : &rows_[slots_[slot] - 1];
  }
  template <class Key>
  [[nodiscard]] bool contains(const Key& key) const noexcept {
    return slot_of(key) != none;
  }

  /// Adds a row whose key is not in the table yet. Invalidates pointers to rows.
  Row& insert(Row row) {
    if ((rows_.size() + 1) * 2 > slots_.size()) grow();
    rows_.push_back(std::move(row));
    place(static_cast<std::uint32_t>(rows_.size()));
    return rows_.back();
  }

  /// Removes the row of `key`, if there is one; the last row takes its position. Invalidates pointers to rows.
  template <class Key>
  bool erase(const Key& key) {
    const std::size_t slot = slot_of(key);
    if (slot == none) return false;
    const std::uint32_t position = slots_[slot];
    vacate(slot);
    if (position != rows_.size()) {
      const std::size_t moved = slot_of(rows_.back().key);
      slots_[moved] = position;
      rows_[position - 1] = std::move(rows_.back());
    }
    rows_.pop_back();
    return true;
  }

  void clear() noexcept {
    rows_.clear();
    slots_.clear();
  }

private:
  static constexpr std::size_t none = static_cast<std::size_t>(-1);

  template <class Key>
  [[nodiscard]] std::size_t home_of(const Key& key) const noexcept {
    return static_cast<std::size_t>(mix64(Hash{}(key) ^ hash_key_)) & (slots_.size() - 1);
  }
  template <class Key>
  [[nodiscard]] std::size_t slot_of(const Key& key) const noexcept {
    if (slots_.empty()) return none;
    for (std::size_t slot = home_of(key);; slot = (slot + 1) & (slots_.size() - 1)) {
      if (slots_[slot] == 0) return none;
      if (rows_[slots_[slot] - 1].key == key) return slot;
    }
  }
  void place(std::uint32_t position) noexcept {
    std::size_t slot = home_of(rows_[position - 1].key);
    while (slots_[slot] != 0) slot = (slot + 1) & (slots_.size() - 1);
    slots_[slot] = position;
  }
  void grow() {
    slots_.assign(slots_.empty() ? 16 : slots_.size() * 2, 0);
    for (std::uint32_t position = 1; position <= rows_.size(); ++position) place(position);
  }
  void vacate(std::size_t slot) noexcept {
    const std::size_t mask = slots_.size() - 1;
    std::size_t hole = slot;
    for (std::size_t next = (hole + 1) & mask; slots_[next] != 0; next = (next + 1) & mask) {
      const std::size_t home = home_of(rows_[slots_[next] - 1].key);
      // The row at `next` may move into the hole only if its home does not lie between them.
      if (((next - home) & mask) >= ((next - hole) & mask)) {
        slots_[hole] = slots_[next];
        hole = next;
      }
    }
    slots_[hole] = 0;
  }

  std::vector<Row> rows_;
  std::vector<std::uint32_t> slots_;  // 0: free; otherwise position + 1
  std::uint64_t hash_key_;
};

/// Hashes for the keys that tables have.
struct node_id_hash {
  [[nodiscard]] std::uint64_t operator()(const node_id& id) const noexcept { return id.high ^ mix64(id.low); }
};
struct number_hash {
  [[nodiscard]] std::uint64_t operator()(std::uint64_t number) const noexcept { return number; }
};

}  // namespace artillery::detail
