#pragma once

#include <asio/bind_cancellation_slot.hpp>
#include <asio/bind_executor.hpp>
#include <asio/dispatch.hpp>
#include <memory>
#include <utility>

#include "artillery/node.hpp"
#include "net/strand.hpp"

namespace artillery::detail {

/// Pulls every event of a module and hands it to another, until it is cancelled or the first has ended. The operation
/// that it waits for keeps it.
template <class Source, class Event, class Take>
class event_feed : public std::enable_shared_from_this<event_feed<Source, Event, Take>> {
public:
  event_feed(Source& from, Take take, completion<done_signature> done)
      : strand_{from.get_executor()}, from_{from}, take_{std::move(take)}, done_{std::move(done)} {}

  [[nodiscard]] const net::strand& executor() const noexcept { return strand_; }

  void start() {
    on_cancel(done_.slot(), this->shared_from_this(), [](event_feed& self) {
      self.cancelled_ = true;
      self.cancellation_.emit(asio::cancellation_type::all);
    });
    asio::dispatch(strand_, [self = this->shared_from_this()] { self->next(); });
  }

private:
  void next() {
    if (cancelled_) return done_(asio::error::operation_aborted);
    from_.async_next_event(asio::bind_executor(
        asio::any_io_executor{strand_},
        asio::bind_cancellation_slot(cancellation_.slot(),
                                     [self = this->shared_from_this()](std::error_code error, const Event& what) {
                                       if (error) return self->done_(error);
                                       self->take_(what);
                                       self->next();
                                     })));
  }

  net::strand strand_;
  Source& from_;
  Take take_;
  completion<done_signature> done_;
  asio::cancellation_signal cancellation_;
  bool cancelled_ = false;
};

/// Starts one.
template <class Event, class Source, class Take>
void feed(Source& from, Take take, completion<done_signature> done) {
  std::make_shared<event_feed<Source, Event, Take>>(from, std::move(take), std::move(done))->start();
}

}  // namespace artillery::detail
