#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "artillery/clock.hpp"

namespace artillery::sim {

/// Events by time, and by the order in which they were put in where times are equal: the whole order of a run.
/// The events themselves stay where they are; only small keys move through the heap.
template <class Event>
class event_queue {
public:
  void push(time_point when, Event event) {
    std::uint32_t slot = 0;
    if (free_.empty()) {
      slot = static_cast<std::uint32_t>(events_.size());
      events_.push_back(std::move(event));
    } else {
      slot = free_.back();
      free_.pop_back();
      events_[slot] = std::move(event);
    }
    heap_.push_back({when, ++sequence_, slot});
    std::push_heap(heap_.begin(), heap_.end(), later);
  }
  [[nodiscard]] bool empty() const noexcept { return heap_.empty(); }
  [[nodiscard]] time_point next() const noexcept { return heap_.front().when; }
  Event pop() {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    const std::uint32_t slot = heap_.back().slot;
    heap_.pop_back();
    free_.push_back(slot);
    return std::exchange(events_[slot], Event{});
  }

private:
  struct key {
    time_point when;
    std::uint64_t sequence;
    std::uint32_t slot;
  };
  static bool later(const key& a, const key& b) noexcept {
    return a.when != b.when ? a.when > b.when : a.sequence > b.sequence;
  }

  std::vector<key> heap_;
  std::vector<Event> events_;
  std::vector<std::uint32_t> free_;
  std::uint64_t sequence_ = 0;
};

}  // namespace artillery::sim
