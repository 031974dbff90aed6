#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <vector>

#include "base/log_table.hpp"
#include "base/state_hash.hpp"

namespace artillery::membership {

/// How often each piece of news is told by each member: λ · ⌈log10(n + 1)⌉ (SWIM, section 4.1).
[[nodiscard]] constexpr std::uint32_t transmissions_max(std::uint32_t mult, std::size_t members) noexcept {
  return mult * std::max<std::uint32_t>(1, detail::ceil_log10(members + 1));
}

/// So many things in a row that do not fit a datagram end the search for one that does.
inline constexpr std::uint32_t refusals_max = 8;
/// Others' events that wait to be passed on. Beyond that they are kept only, for those who ask.
inline constexpr std::size_t events_relayed_max = 1'024;

/// Things to say, named by `Key`: least said first, newest first among equals. What is said about a key is looked up
/// when it is sent, so newer news replaces older by itself.
template <class Key>
class transmit_queue {
public:
  /// (Again) news: it is said as often as if it had never been.
  void push(const Key& key) {
    remove(key);
    const place at{.sent = 0, .order = ++order_};
    by_key_.emplace(key, at);
    by_place_.emplace(at, entry{key});
  }
  void remove(const Key& key) {
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) return;
    by_place_.erase(found->second);
    by_key_.erase(found);
  }
  [[nodiscard]] bool empty() const noexcept { return by_key_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return by_key_.size(); }
  [[nodiscard]] bool contains(const Key& key) const noexcept { return by_key_.find(key) != by_key_.end(); }
  /// Something has been said less often than this.
  [[nodiscard]] bool has_fresher(std::uint32_t said) const noexcept {
    return !by_place_.empty() && by_place_.begin()->first.sent < said;
  }
  /// Calls `see(key, times)` with each key and how often it was said.
  template <class See>
  void for_each(See see) const {
    for (const auto& [at, e] : by_place_) see(e.key, at.sent);
  }

  /// Offers keys in their order to `take(key)`, which says whether it took them in, until it refuses many in a row.
  template <class Take>
  void offer(Take take) {
    std::uint32_t refused = 0;
    for (auto& [at, e] : by_place_) {
      if (e.taken) continue;
      e.taken = take(e.key);
      if (e.taken) {
        taken_.push_back(at);
        refused = 0;
      } else if (++refused == refusals_max) {
        return;
      }
    }
  }
  /// What was taken since the last `said` went out in `copies` datagrams; what was said `limit` times is dropped.
  void said(std::uint32_t copies, std::uint32_t limit) {
    for (const place& before : taken_) {
      const auto found = by_place_.find(before);
      const Key key = found->second.key;
      by_place_.erase(found);
      const place at{.sent = before.sent + copies, .order = before.order};
      if (at.sent >= limit) {
        by_key_.erase(key);
      } else {
        by_key_[key] = at;
        by_place_.emplace(at, entry{key});
      }
    }
    taken_.clear();
    // The group may have shrunk, and the limit with it: what was said most is last.
    while (!by_place_.empty() && by_place_.rbegin()->first.sent >= limit) {
      const auto last = std::prev(by_place_.end());
      by_key_.erase(last->second.key);
      by_place_.erase(last);
    }
  }

  void hash(detail::state_hash& into) const {
    into.add(by_key_.size());
    for (const auto& [at, e] : by_place_) into.add(e.key).add(at.sent);
  }

private:
  struct place {
    std::uint32_t sent = 0;
    std::uint64_t order = 0;
    friend bool operator<(const place& a, const place& b) noexcept {
      return a.sent != b.sent ? a.sent < b.sent : a.order > b.order;
    }
  };
  struct entry {
    Key key;
    bool taken = false;
  };

  std::map<Key, place> by_key_;
  std::map<place, entry> by_place_;
  std::vector<place> taken_;
  std::uint64_t order_ = 0;
};

}  // namespace artillery::membership
