#pragma once

#include <asio/any_io_executor.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "artillery/clock.hpp"
#include "artillery/detail/async.hpp"
#include "artillery/discovery/types.hpp"
#include "artillery/metrics.hpp"
#include "artillery/node_id.hpp"

namespace artillery::discovery {

/// Announces services to the links this machine is on, and finds those of others there.
///
///     discovery::beacon beacon{context.get_executor(), options};
///     beacon.async_run(…);                    // owns the sockets; until cancelled
///     beacon.announce(my_service);
///     beacon.browse("artillery-kv");
///     beacon.async_next_event(…);             // found, updated, lost …
///
/// Move-only; destroying it at any moment cancels what is under way and says no goodbye: call `async_withdraw` first if
/// others should know at once. Thread safety: all members may be called from any thread, one object at a time like any
/// other; `metrics` alongside everything else. Completions run on their handlers' executors.
class beacon {
public:
  /// Starts nothing yet. The executor's context must outlive the beacon.
  beacon(asio::any_io_executor executor, config options);
  ~beacon();
  beacon(beacon&& other) noexcept;
  beacon& operator=(beacon&& other) noexcept;

  /// Runs the beacon: sockets, timers, interfaces that come and go.
  /// Completes: when it is cancelled, or cannot go on.  Signature: void(std::error_code).
  /// Errors: asio::error::operation_aborted (cancelled, or the beacon destroyed); errc::invalid_configuration (the log
  /// says which option); errc::already_running; errc::not_running (it has run before); errc::invariant_broken;
  /// what the system says about the shared port: std::errc::address_in_use (somebody uses it without sharing),
  /// std::errc::permission_denied. Having no interface is not an error but an `isolated` event.
  /// Cancellation: total; the beacon has then stopped for good, and has said no goodbyes.
  template <class Token>
  auto async_run(Token&& token) {
    return detail::initiate<void(std::error_code)>(
        std::forward<Token>(token), executor_,
        [state = state_](detail::completion<void(std::error_code)> done) { start_run(state, std::move(done)); });
  }

  /// Announces `what` from now on, or its new form if this beacon announces that instance already. Before `async_run`,
  /// it waits for that. Returns the instance id: `what`'s, or a fresh one if that was none.
  /// Errors: errc::invalid_argument (`what.validate()` says why), errc::would_overflow (64 services are announced),
  /// errc::already_running (it is being withdrawn), errc::not_running (the beacon has stopped). Nothing changed.
  node_id announce(service what, std::error_code& error);
  /// As above. Throws std::system_error.
  node_id announce(service what);

  /// Says good-bye for a service.
  /// Completes: when the third goodbye is out, 300 ms later, or the service had not been announced to anybody.
  /// Signature: void(std::error_code).
  /// Errors: errc::invalid_argument (that instance is not announced here, or is being withdrawn already);
  /// asio::error::operation_aborted; errc::not_running.
  /// Cancellation: total, of the waiting: the goodbyes go on.
  template <class Token>
  auto async_withdraw(const node_id& instance, Token&& token) {
    return detail::initiate<void(std::error_code)>(
        std::forward<Token>(token), executor_,
        [state = state_, instance](detail::completion<void(std::error_code)> done) {
          start_withdraw(state, instance, std::move(done));
        });
  }

  /// Reports services of `type` from now on; empty: of all types. What is known already is reported at once, also when
  /// the type is browsed for already.
  /// Errors: errc::invalid_argument (see `validate_type`), errc::would_overflow (16 types are browsed for),
  /// errc::not_running (the beacon has stopped). Nothing changed.
  void browse(std::string_view type, std::error_code& error);
  /// As above. Throws std::system_error.
  void browse(std::string_view type);
  /// Reports no more of them. Events that wait stay.
  void stop_browse(std::string_view type);

  /// The next fact.
  /// Completes: with an event, in the order in which they happened.  Signature: void(std::error_code, event).
  /// Errors: what `async_run` ended with, once it has ended and the queue is empty; asio::error::operation_aborted;
  /// errc::would_overflow (over a thousand of these wait).
  /// Cancellation: total, nothing is lost.
  template <class Token>
  auto async_next_event(Token&& token) {
    return detail::initiate<void(std::error_code, event)>(
        std::forward<Token>(token), executor_, [state = state_](detail::completion<void(std::error_code, event)> done) {
          start_next_event(state, std::move(done));
        });
  }

  /// Finds one service of `type`: the least loaded that is known already, else the first that answers.
  /// Completes: with it, or when `timeout` has passed.  Signature: void(std::error_code, service).
  /// Errors: errc::timed_out (nobody answered); errc::invalid_argument (see `validate_type`; or a timeout that is not
  /// above 0 and up to 1 h); errc::would_overflow (64 of these are under way); asio::error::operation_aborted;
  /// errc::not_running.
  /// Cancellation: total.
  template <class Token>
  auto async_seek(std::string type, duration timeout, Token&& token) {
    return detail::initiate<void(std::error_code, service)>(
        std::forward<Token>(token), executor_,
        [state = state_, type = std::move(type),
         timeout](detail::completion<void(std::error_code, service)> done) mutable {
          start_seek(state, std::move(type), timeout, std::move(done));
        });
  }

  /// Who announces: `config::node`, or the id drawn in its place.
  [[nodiscard]] node_id id() const noexcept;
  [[nodiscard]] asio::any_io_executor get_executor() const noexcept { return executor_; }

  /// Figures as they were after the last datagram or call.
  void metrics(const metric_visitor& visit) const;

private:
  struct state;

  static void start_run(const std::shared_ptr<state>& self, detail::completion<void(std::error_code)> done);
  static void start_withdraw(const std::shared_ptr<state>& self, const node_id& instance,
                             detail::completion<void(std::error_code)> done);
  static void start_next_event(const std::shared_ptr<state>& self,
                               detail::completion<void(std::error_code, event)> done);
  static void start_seek(const std::shared_ptr<state>& self, std::string type, duration timeout,
                         detail::completion<void(std::error_code, service)> done);

  asio::any_io_executor executor_;
  std::shared_ptr<state> state_;
};

}  // namespace artillery::discovery
