#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/dispatch.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

#include "artillery/bytes.hpp"
#include "artillery/clock.hpp"
#include "artillery/detail/async.hpp"
#include "artillery/effects.hpp"
#include "artillery/endpoint.hpp"
#include "artillery/logging.hpp"
#include "artillery/metrics.hpp"
#include "net/datagram_options.hpp"
#include "net/datagram_port.hpp"
#include "net/strand.hpp"
#include "net/stream_limits.hpp"

// Runs a core (architecture: "The shape every core has") on sockets and a timer. src/net/README.md shows a binding.

namespace artillery::net {

/// Makes things durable for a driver.
class persister {
public:
  using done = std::function<void(std::error_code)>;
  virtual ~persister() = default;
  /// Makes `slices`, one after another, durable and then calls `finished` once, on any thread. The slices are shared,
  /// the span is valid only during the call.
  virtual void persist(operation op, std::span<const bytes> slices, done finished) = 0;

protected:
  persister() = default;
  persister(const persister&) = delete;
  persister& operator=(const persister&) = delete;
};

struct driver_options {
  std::string component = {};  ///< for remarks and metrics: "membership"
  log_sink log = {};
  stream_limits streams = {};
  std::shared_ptr<net::persister> persister = {};  ///< none: what is persisted counts as done at once
};

/// The part of a driver that does not depend on the core's type, compiled once.
///
/// Lives in a shared_ptr; its pending handlers share it. Everything runs on `executor()`, its strand, unless said
/// otherwise.
class driver_base : public std::enable_shared_from_this<driver_base> {
public:
  virtual ~driver_base();
  driver_base(const driver_base&) = delete;
  driver_base& operator=(const driver_base&) = delete;

  /// The object's strand. Any thread.
  [[nodiscard]] const strand& executor() const noexcept;
  /// What the user gave: pass it to `detail::initiate`. Any thread.
  [[nodiscard]] const asio::any_io_executor& user_executor() const noexcept;

  /// The whole of `async_run`: starts (see `on_start`) and completes `done` when the driver has stopped. Connects the
  /// cancellation, which stops it. A driver runs once: `errc::already_running` while it runs, `errc::not_running` after
  /// it has stopped. Any thread.
  void run(detail::completion<void(std::error_code)> done);

  /// Stops for good: closes all sockets, completes `run` with `why`, calls `on_stop`. Calling it again does nothing.
  void stop(std::error_code why);

  /// What the destructor of a public object calls: `stop(operation_aborted)` on the strand. Any thread, within handlers
  /// too.
  void shut_down() noexcept;

  [[nodiscard]] bool running() const noexcept;
  /// Why it stopped; no error while it runs or has not started.
  [[nodiscard]] std::error_code stopped() const noexcept;

  // --- transports, from on_start() on ---

  /// Opens a socket for datagrams as port `number`; its datagrams reach the core as `connection{number, from}`.
  [[nodiscard]] std::error_code open_datagrams(std::uint64_t number, const datagram_options& options);
  /// Listens for streams. Outgoing streams need no listening.
  [[nodiscard]] std::error_code listen_streams(const endpoint& at);
  /// Both on one port of `at` (0: a free one, the same for both), as datagram port 0.
  [[nodiscard]] std::error_code open_both(const endpoint& at, datagram_options options = {});
  /// Where they are bound, with the port that the system chose; `none()` when not open.
  [[nodiscard]] endpoint datagrams_bound(std::uint64_t number = 0) const;
  [[nodiscard]] endpoint streams_bound() const;

  /// Plugs in a port of the binding's own; it replaces (and closes) the one of that number. Closed when the driver
  /// stops.
  void add_datagram_port(std::uint64_t number, std::shared_ptr<datagram_port> port);
  void remove_datagram_port(std::uint64_t number);
  /// Gives the core a datagram that a socket of the binding's own received. False once stopped.
  bool receive_datagram(std::uint64_t number, const endpoint& from, const bytes& message);

  /// The transports' figures, named "<component>.net.…".
  void visit_metrics(const metric_visitor& visit) const;

  void log(log_level level, std::string_view message) const noexcept;

protected:
  driver_base(asio::any_io_executor executor, driver_options options);

  using step = void (*)(void* context, time_point now);
  /// One input to the core: samples the time, runs `what`, hands events on, arms the timer. Poisons on
  /// `detail::broken_invariant`. False, and nothing ran, once stopped.
  bool input(step what, void* context);

  // Effects of the core.
  void send(const connection& to, bytes_view header, std::span<const bytes> body);
  void open(std::uint64_t number, const endpoint& to);
  void close(std::uint64_t number);
  void persist(operation op, std::span<const bytes> slices);

private:
  /// Opens transports and gives the core its first input; an error stops the driver at once with it.
  virtual std::error_code on_start() = 0;
  /// Completes whatever waits: nothing reaches the core any more.
  virtual void on_stop(std::error_code why) = 0;

  virtual void core_receive(const connection& from, const bytes& message, time_point now) = 0;
  virtual void core_link(const connection& which, link_state state, time_point now) = 0;
  virtual void core_completed(operation op, std::error_code error, time_point now) = 0;
  virtual void core_expire(time_point now) = 0;
  [[nodiscard]] virtual std::optional<time_point> core_deadline() const = 0;
  /// Hands the events that the core delivered to the binding, in order.
  virtual void hand_on_events() = 0;
  virtual void drop_events() noexcept = 0;

  struct state;
  friend struct state;
  std::unique_ptr<state> state_;
};

/// Runs `function(Derived&)` on the strand of `object`, at once when this is it. Any thread. Keeps the object until
/// then.
template <class Derived, class Function>
void submit(const std::shared_ptr<Derived>& object, Function function) {
  asio::dispatch(object->executor(),
                 [object, function = std::move(function)]() mutable { std::move(function)(*object); });
}

/// Drives a `Core` whose user events are `Event`s. A binding's state derives from it, implements `on_start`, `on_stop`
/// and `on_event`, and is made by `std::make_shared`.
///
/// The core needs `receive`, `expire` and `next_deadline`; `link` and `completed` only if it uses streams or persists.
template <class Core, class Event>
class driver : public driver_base {
public:
  driver(asio::any_io_executor executor, driver_options options, Core core)
      : driver_base{std::move(executor), std::move(options)}, core_{std::move(core)}, sink_{*this} {}

  /// A call of the user's: `function(Core&, time_point now, effects<Event>&)`. On the strand. Events that it caused are
  /// handed on before this returns, unless it is called from `on_event` itself. False, and nothing ran, once the driver
  /// has stopped; also false when the call broke an invariant, which stops it.
  template <class Function>
  bool call(Function&& function) {
    struct context {
      driver& self;
      std::remove_reference_t<Function>& function;
    } both{*this, function};
    return input(
        [](void* opaque, time_point now) {
          auto& [self, call] = *static_cast<context*>(opaque);
          call(self.core_, now, static_cast<effects<Event>&>(self.sink_));
        },
        &both);
  }

  [[nodiscard]] const Core& core() const noexcept { return core_; }

private:
  /// An event of the core's, after the input that caused it. May `call` again.
  virtual void on_event(Event event) = 0;

  class sink final : public effects<Event> {
  public:
    explicit sink(driver& owner) noexcept : owner_{owner} {}
    using network_effects::send;
    void send(const connection& to, bytes_view header, std::span<const bytes> body) override {
      owner_.driver_base::send(to, header, body);
    }
    void open(std::uint64_t number, const endpoint& to) override { owner_.driver_base::open(number, to); }
    void close(std::uint64_t number) override { owner_.driver_base::close(number); }
    void persist(operation op, std::span<const bytes> slices) override { owner_.driver_base::persist(op, slices); }
    void deliver(Event event) override { owner_.events_.push_back(std::move(event)); }

  private:
    driver& owner_;
  };

  void core_receive(const connection& from, const bytes& message, time_point now) final {
    core_.receive(from, message, now, sink_);
  }
  void core_link(const connection& which, link_state now_in, time_point now) final {
    if constexpr (requires { core_.link(which, now_in, now, sink_); }) core_.link(which, now_in, now, sink_);
  }
  void core_completed(operation op, std::error_code error, time_point now) final {
    if constexpr (requires { core_.completed(op, error, now, sink_); }) core_.completed(op, error, now, sink_);
  }
  void core_expire(time_point now) final { core_.expire(now, sink_); }
  [[nodiscard]] std::optional<time_point> core_deadline() const final { return core_.next_deadline(); }

  void hand_on_events() final {
    if (handing_on_) return;  // an outer call does, and keeps the order
    handing_on_ = true;
    struct restore {
      bool& flag;
      ~restore() { flag = false; }
    } at_end{handing_on_};
    while (!events_.empty()) {
      Event event{std::move(events_.front())};
      events_.pop_front();
      on_event(std::move(event));
    }
  }
  void drop_events() noexcept final { events_.clear(); }

  Core core_;
  sink sink_;
  std::deque<Event> events_;
  bool handing_on_ = false;
};

}  // namespace artillery::net
