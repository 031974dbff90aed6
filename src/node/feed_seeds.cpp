#include <asio/bind_cancellation_slot.hpp>
#include <asio/bind_executor.hpp>
#include <asio/dispatch.hpp>
#include <memory>
#include <utility>

#include "artillery/discovery.hpp"
#include "artillery/membership.hpp"
#include "artillery/node.hpp"
#include "net/strand.hpp"
#include "node/seeds.hpp"

namespace artillery::detail {

namespace {

/// One `async_feed_seeds` under way. The operation it waits for keeps it.
class seed_feed : public std::enable_shared_from_this<seed_feed> {
public:
  seed_feed(discovery::beacon& from, membership::cluster& to, completion<done_signature> done)
      : strand_{from.get_executor()}, from_{from}, to_{to}, done_{std::move(done)} {}

  [[nodiscard]] const net::strand& executor() const noexcept { return strand_; }

  void start() {
    on_cancel(done_.slot(), shared_from_this(), [](seed_feed& self) {
      self.cancelled_ = true;
      self.cancellation_.emit(asio::cancellation_type::all);
    });
    asio::dispatch(strand_, [self = shared_from_this()] { self->next(); });
  }

private:
  void next() {
    if (cancelled_) return done_(asio::error::operation_aborted);
    from_.async_next_event(asio::bind_executor(
        asio::any_io_executor{strand_},
        asio::bind_cancellation_slot(cancellation_.slot(),
                                     [self = shared_from_this()](std::error_code error, discovery::event what) {
                                       if (error) return self->done_(error);
                                       add_seeds(what, {}, self->to_);
                                       self->next();
                                     })));
  }

  net::strand strand_;
  discovery::beacon& from_;
  membership::cluster& to_;
  completion<done_signature> done_;
  asio::cancellation_signal cancellation_;
  bool cancelled_ = false;
};

}  // namespace

void start_feed_seeds(discovery::beacon& beacon, membership::cluster& cluster, completion<done_signature> done) {
  std::make_shared<seed_feed>(beacon, cluster, std::move(done))->start();
}

asio::any_io_executor executor_of(const discovery::beacon& beacon) {
  return beacon.get_executor();
}

}  // namespace artillery::detail
