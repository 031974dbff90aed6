#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <system_error>
#include <utility>

#include "artillery/detail/async.hpp"

namespace artillery::net {

/// What `async_next_event` pulls from: events in order, bounded. A consumer that is too slow loses the newest ones, and
/// finds an overflow event, made by `overflow(lost)`, at the place where they are missing.
///
/// Thread safety: `reserve` from any thread, everything else on the owner's strand.
template <class Event>
class event_queue {
public:
  using waiting = detail::completion<void(std::error_code, Event)>;
  using overflow_event = std::function<Event(std::uint64_t lost)>;

  event_queue(std::size_t events_max, overflow_event overflow)
      : events_max_{events_max}, overflow_{std::move(overflow)} {}

  [[nodiscard]] std::uint64_t reserve() noexcept { return waiting_.reserve(); }

  void push(Event event) {
    if (events_.empty() && lost_ == 0 && !waiting_.empty()) {
      waiting_.complete_first({}, std::move(event));
      return;
    }
    if (lost_ != 0 && events_.size() < events_max_) events_.push_back(overflow_(std::exchange(lost_, 0)));
    if (events_.size() < events_max_)
      events_.push_back(std::move(event));
    else
      ++lost_;
  }

  /// Completes with the next event, at once or when it comes. After `close` what is queued is still handed out.
  void next(std::uint64_t number, waiting what) {
    if (!events_.empty()) {
      Event event{std::move(events_.front())};
      events_.pop_front();
      what({}, std::move(event));
    } else if (lost_ != 0) {
      what({}, overflow_(std::exchange(lost_, 0)));
    } else {
      waiting_.add(number, std::move(what));
    }
  }

  bool cancel(std::uint64_t number) { return waiting_.cancel(number); }
  void close(std::error_code error) { waiting_.close(error); }
  [[nodiscard]] std::size_t size() const noexcept { return events_.size(); }

private:
  std::size_t events_max_;
  overflow_event overflow_;
  std::deque<Event> events_;
  std::uint64_t lost_ = 0;
  detail::waiting_list<void(std::error_code, Event)> waiting_;
};

}  // namespace artillery::net
