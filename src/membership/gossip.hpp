#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/log_table.hpp"
#include "base/state_hash.hpp"

namespace artillery::membership {

/// How often each piece of news is told by each member: λ · ⌈log10(n + 1)⌉ (SWIM, section 4.1).
[[nodiscard]] constexpr std::uint32_t transmissions_max(std::uint32_t mult, std::size_t members) noexcept {
  return mult * std::max<std::uint32_t>(1, detail::ceil_log10(members + 1));
}

/// Things to say, named by `Key`: least said first, newest first among equals. What is said about a key is looked up
/// when it is sent, so newer news replaces older by itself.
template <class Key>
class transmit_queue {
public:
  /// (Again) news: it is said as often as if it had never been.
  void push(const Key& key) {
    remove(key);
    entries_.push_back({key, 0, ++order_});
  }
  void remove(const Key& key) {
    std::erase_if(entries_, [&](const entry& e) { return e.key == key; });
  }
  [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
  [[nodiscard]] bool contains(const Key& key) const noexcept {
    return std::any_of(entries_.begin(), entries_.end(), [&](const entry& e) { return e.key == key; });
  }
  /// Something has been said less often than this.
  [[nodiscard]] bool has_fresher(std::uint32_t said) const noexcept {
    return std::any_of(entries_.begin(), entries_.end(), [&](const entry& e) { return e.sent < said; });
  }

  /// Offers keys in their order to `take(key)`, which says whether it took them in.
  template <class Take>
  void offer(Take take) {
    std::sort(entries_.begin(), entries_.end(),
              [](const entry& a, const entry& b) { return a.sent != b.sent ? a.sent < b.sent : a.order > b.order; });
    for (entry& e : entries_) {
      if (!e.taken) e.taken = take(e.key);
    }
  }
  /// What was taken since the last `said` went out in `copies` datagrams; what was said `limit` times is dropped.
  void said(std::uint32_t copies, std::uint32_t limit) {
    for (entry& e : entries_) {
      if (e.taken) e.sent += copies;
      e.taken = false;
    }
    std::erase_if(entries_, [&](const entry& e) { return e.sent >= limit; });
  }

  void hash(detail::state_hash& into) const {
    into.add(entries_.size());
    for (const entry& e : entries_) into.add(e.key).add(e.sent);
  }

private:
  struct entry {
    Key key;
    std::uint32_t sent = 0;
    std::uint64_t order = 0;
    bool taken = false;
  };

  std::vector<entry> entries_;
  std::uint64_t order_ = 0;
};

}  // namespace artillery::membership
