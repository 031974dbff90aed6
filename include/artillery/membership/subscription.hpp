#pragma once

#include <asio/any_io_executor.hpp>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "artillery/detail/async.hpp"
#include "artillery/membership/types.hpp"

namespace artillery::membership {

/// What others say under one topic, apart from everything else: made by `cluster::subscribe`. While there is one, the
/// `user_event`s, `message`s and `query`s of that topic are told to it (to each, where there are several), and not by
/// `cluster::async_next_event`.
///
///     auto prices = cluster.subscribe("prices");
///     const event what = co_await prices.async_next(use_awaitable);
///
/// Move-only; destroying it ends it: what it has not handed out is lost, and the topic is told by the cluster again.
/// Thread safety: as of `cluster`. It may outlive its cluster, not the executor's context.
class subscription {
public:
  subscription(subscription&& other) noexcept = default;
  subscription& operator=(subscription&& other) noexcept;
  ~subscription();

  /// The next of them.
  /// Completes: with a `user_event`, `message` or `query` of the topic, in the order in which they came, or an
  /// `overflow` where over `config::event_queue_max` waited.  Signature: void(std::error_code, event).
  /// Errors: what `cluster::async_run` ended with, once it has ended and the queue is empty;
  /// asio::error::operation_aborted.
  /// Cancellation: total, nothing is lost.
  template <class Token>
  auto async_next(Token&& token) {
    return detail::initiate<void(std::error_code, event)>(
        std::forward<Token>(token), executor_, [inner = inner_](detail::completion<void(std::error_code, event)> done) {
          start_next(inner, std::move(done));
        });
  }

  [[nodiscard]] const std::string& topic() const noexcept;
  [[nodiscard]] asio::any_io_executor get_executor() const noexcept { return executor_; }

private:
  friend class cluster;
  struct inner;
  subscription(asio::any_io_executor executor, std::shared_ptr<inner> made)
      : executor_{std::move(executor)}, inner_{std::move(made)} {}
  static void start_next(const std::shared_ptr<inner>& of, detail::completion<void(std::error_code, event)> done);

  asio::any_io_executor executor_;
  std::shared_ptr<inner> inner_;
};

}  // namespace artillery::membership
