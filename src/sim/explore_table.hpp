#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace artillery::sim {

/// The states that were visited, by their hash, and with how much left to spend. Eight bytes a state at a load of at
/// most three quarters, and one more where what is left matters; while it grows, half as much again.
class explore_table {
public:
  static constexpr std::uint32_t left_max = 255;

  /// `counts_left`: a state that is reached with more left than before is worth another visit.
  explicit explore_table(bool counts_left) : counts_left_{counts_left} { resize(slots_least); }

  /// Whether this visit is worth making: the first one, or one with more left than all before.
  bool visit(std::uint64_t hash, std::uint8_t left) {
    if (hash == empty) hash = ~empty;
    if ((size_ + 1) * 4 > keys_.size() * 3) resize(keys_.size() * 2);
    const std::size_t slot = slot_of(hash);
    if (keys_[slot] == hash) {
      if (!counts_left_ || left_[slot] >= left) return false;
      left_[slot] = left;
      return true;
    }
    keys_[slot] = hash;
    if (counts_left_) left_[slot] = left;
    ++size_;
    return true;
  }
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

private:
  static constexpr std::uint64_t empty = 0;
  static constexpr std::size_t slots_least = std::size_t{1} << 12U;

  /// The hash is well mixed already, so its low bits serve.
  [[nodiscard]] std::size_t slot_of(std::uint64_t hash) const noexcept {
    std::size_t slot = static_cast<std::size_t>(hash) & (keys_.size() - 1);
    while (keys_[slot] != empty && keys_[slot] != hash) slot = (slot + 1) & (keys_.size() - 1);
    return slot;
  }
  void resize(std::size_t slots) {
    std::vector<std::uint64_t> keys(slots, empty);
    std::vector<std::uint8_t> left(counts_left_ ? slots : 0);
    keys.swap(keys_);
    left.swap(left_);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (keys[i] == empty) continue;
      const std::size_t slot = slot_of(keys[i]);
      keys_[slot] = keys[i];
      if (counts_left_) left_[slot] = left[i];
    }
  }

  bool counts_left_;
  std::vector<std::uint64_t> keys_;  // open addressing; its size is a power of two
  std::vector<std::uint8_t> left_;   // beside them
  std::uint64_t size_ = 0;
};

}  // namespace artillery::sim
