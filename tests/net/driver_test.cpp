#include <algorithm>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>
#include <future>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "base/assert.hpp"
#include "catch.hpp"
#include "event_loop.hpp"
#include "loopback.hpp"
#include "net/datagram_socket.hpp"
#include "net/driver.hpp"
#include "net/event_queue.hpp"

namespace artillery::net {
namespace {

using namespace std::chrono_literals;

/// A core that reports all that it hears as events and does what it is told.
class parrot {
public:
  void receive(const connection& from, bytes_view message, time_point /*now*/, effects<std::string>& out) {
    ARTILLERY_INVARIANT(as_text(message) != "break");
    if (as_text(message) == "reply") out.send(from, as_bytes("replied"));
    if (as_text(message) == "throw") throw std::bad_alloc{};
    out.deliver("got " + std::string{as_text(message)} + (from.is_stream ? " by stream" : " by datagram"));
  }
  void link(const connection& which, link_state state, time_point /*now*/, effects<std::string>& out) {
    if (state == link_state::up && which.outgoing()) out.send(which, as_bytes("hello"));
    out.deliver(state == link_state::up ? "up" : "down");
  }
  void completed(operation op, std::error_code error, time_point /*now*/, effects<std::string>& out) {
    out.deliver("persisted " + std::to_string(op) + (error ? " not" : ""));
  }
  void expire(time_point now, effects<std::string>& out) {
    while (!alarms_.empty() && alarms_.begin()->first <= now) {
      out.deliver("alarm " + alarms_.begin()->second);
      alarms_.erase(alarms_.begin());
    }
  }
  [[nodiscard]] std::optional<time_point> next_deadline() const {
    return alarms_.empty() ? std::nullopt : std::optional{alarms_.begin()->first};
  }
  void set_alarm(time_point when, std::string name) { alarms_.emplace(when, std::move(name)); }

private:
  std::multimap<time_point, std::string> alarms_;
};

/// The public object around it, as every binding makes one.
class parrot_object {
public:
  struct state final : driver<parrot, std::string> {
    state(asio::any_io_executor executor, driver_options options, endpoint at)
        : driver{std::move(executor), std::move(options), parrot{}}, bind{at} {}
    std::error_code on_start() override { return open_both(bind); }
    void on_stop(std::error_code why) override { events.close(why); }
    void on_event(std::string event) override { events.push(std::move(event)); }

    endpoint bind;
    event_queue<std::string> events{100, [](std::uint64_t) { return std::string{"overflow"}; }};
  };

  explicit parrot_object(asio::io_context& io, driver_options options = {}, endpoint at = loopback)
      : executor_{io.get_executor()}, state_{std::make_shared<state>(executor_, std::move(options), at)} {}
  parrot_object(parrot_object&&) noexcept = default;
  ~parrot_object() {
    if (state_) state_->shut_down();
  }

  template <class Token>
  auto async_run(Token&& token) {
    return detail::initiate<void(std::error_code)>(std::forward<Token>(token), executor_,
                                                   [state = state_](auto done) { state->run(std::move(done)); });
  }
  template <class Token>
  auto async_next_event(Token&& token) {
    return detail::initiate<void(std::error_code, std::string)>(
        std::forward<Token>(token), executor_, [state = state_](auto done) {
          const auto number = state->events.reserve();
          detail::on_cancel(done.slot(), state, [number](auto& self) { self.events.cancel(number); });
          submit(state,
                 [number, done = std::move(done)](auto& self) mutable { self.events.next(number, std::move(done)); });
        });
  }
  state& core_side() { return *state_; }
  std::shared_ptr<state> shared() { return state_; }

private:
  asio::any_io_executor executor_;
  std::shared_ptr<state> state_;
};

/// Runs the object and keeps all its events.
struct runner {
  explicit runner(asio::io_context& context, driver_options options = {}, endpoint at = loopback)
      : io{context}, object{context, std::move(options), at} {
    object.async_run([this](std::error_code error) { ended = error; });
    pull();
    REQUIRE(runs_until(io, [&] { return object.core_side().running() || ended.has_value(); }));
  }
  ~runner() {
    // The handlers below know this object.
    object.core_side().shut_down();
    static_cast<void>(runs_until(io, [this] { return ended.has_value() && !is_pulling; }));
  }
  runner(const runner&) = delete;
  runner& operator=(const runner&) = delete;

  void pull() {
    object.async_next_event([this](std::error_code error, const std::string& event) {
      is_pulling = !error;
      if (error) return;
      events.push_back(event);
      pull();
    });
  }
  [[nodiscard]] bool sees(const std::string& event) {
    return runs_until(io, [&] { return std::find(events.begin(), events.end(), event) != events.end(); });
  }

  asio::io_context& io;
  std::vector<std::string> events;
  std::optional<std::error_code> ended;
  bool is_pulling = true;
  parrot_object object;
};

asio::awaitable<void> next_in_a_coroutine(parrot_object& from, std::string& into) {
  into = co_await from.async_next_event(asio::use_awaitable);
}

}  // namespace

TEST_CASE("a driver brings datagrams and frames to its core and back", "[net][driver]") {
  asio::io_context io;
  runner one{io};
  runner other{io};
  const auto at = other.object.core_side().datagrams_bound();
  CHECK(at == other.object.core_side().streams_bound());  // one port for both
  one.object.core_side().call([&](parrot&, time_point, effects<std::string>& out) {
    out.send(connection::datagram(at), as_bytes("reply"));
    out.open(1, at);
  });
  CHECK(one.sees("got replied by datagram"));
  CHECK(one.sees("up"));
  CHECK(other.sees("got hello by stream"));
  one.object.core_side().call([&](parrot&, time_point, effects<std::string>& out) { out.close(1); });
  CHECK(other.sees("down"));
}

TEST_CASE("deadlines fire in order, and an earlier one overtakes", "[net][driver]") {
  asio::io_context io;
  runner one{io};
  one.object.core_side().call([](parrot& core, time_point now, effects<std::string>&) {
    core.set_alarm(now + 1h, "much later");
    core.set_alarm(now + 60ms, "late");
  });
  one.object.core_side().call([](parrot& core, time_point now, effects<std::string>&) {
    core.set_alarm(now + 20ms, "early");
    core.set_alarm(now - 1s, "past");
  });
  const auto before = clock::now();
  CHECK(one.sees("alarm late"));
  CHECK(clock::now() - before >= 40ms);
  CHECK(one.events == std::vector<std::string>{"alarm past", "alarm early", "alarm late"});
}

TEST_CASE("what is persisted comes back as completed, never from within", "[net][driver]") {
  struct slow final : persister {
    void persist(operation, std::span<const bytes> slices, done finished) override {
      kept.assign(slices.begin(), slices.end());
      pending = std::move(finished);
    }
    std::vector<bytes> kept;
    done pending;
  };
  asio::io_context io;
  const std::vector<bytes> slices{bytes{"a"}, bytes{"b"}};
  const auto persist_seven = [&](parrot&, time_point, effects<std::string>& out) { out.persist(7, slices); };
  SECTION("without a persister at once") {
    runner one{io};
    one.object.core_side().call(persist_seven);
    CHECK(one.events.empty());
    CHECK(one.sees("persisted 7"));
  }
  SECTION("with one when it says so, from any thread") {
    const auto disk = std::make_shared<slow>();
    runner one{io, {.component = "parrot", .persister = disk}};
    one.object.core_side().call(persist_seven);
    CHECK(disk->kept == slices);
    run_ready(io);
    CHECK(one.events.empty());
    std::thread{[&] { disk->pending(std::make_error_code(std::errc::io_error)); }}.join();
    CHECK(one.sees("persisted 7 not"));
  }
  SECTION("and after the object is gone harmlessly") {
    const auto disk = std::make_shared<slow>();
    {
      runner one{io, {.component = "parrot", .persister = disk}};
      one.object.core_side().call(persist_seven);
    }
    run_ready(io);
    disk->pending({});
    run_ready(io);
  }
}

TEST_CASE("a broken invariant stops the object, says where, and spares the program", "[net][driver]") {
  asio::io_context io;
  std::vector<std::string> log;
  const std::string message = GENERATE("break", "throw");
  runner one{io, {.component = "parrot", .log = [&](log_level level, std::string_view from, std::string_view text) {
                    CHECK(level == log_level::error);
                    CHECK(from == "parrot");
                    log.emplace_back(text);
                  }}};
  runner other{io};
  const auto at = one.object.core_side().datagrams_bound();
  other.object.core_side().call(
      [&](parrot&, time_point, effects<std::string>& out) { out.send(connection::datagram(at), as_bytes(message)); });
  REQUIRE(runs_until(io, [&] { return one.ended.has_value(); }));
  CHECK(*one.ended == errc::invariant_broken);
  REQUIRE(log.size() == 1);
  if (message == "break") CHECK(log[0].find("driver_test.cpp:") != std::string::npos);
  CHECK(one.object.core_side().stopped() == errc::invariant_broken);
  CHECK_FALSE(one.object.core_side().call([](parrot&, time_point, effects<std::string>&) { FAIL("it is poisoned"); }));
  CHECK(one.object.core_side().datagrams_bound().none());
  std::error_code waiting;
  one.object.async_next_event([&](std::error_code error, const std::string&) { waiting = error; });
  REQUIRE(runs_until(io, [&] { return static_cast<bool>(waiting); }));
  CHECK(waiting == errc::invariant_broken);
}

TEST_CASE("a taken port ends async_run with that error", "[net][driver]") {
  asio::io_context io;
  runner first{io};
  runner second{io, {}, first.object.core_side().datagrams_bound()};
  REQUIRE(second.ended);
  CHECK(*second.ended == std::errc::address_in_use);
}

TEST_CASE("an object runs once", "[net][driver]") {
  asio::io_context io;
  runner one{io};
  std::error_code again;
  one.object.async_run([&](std::error_code error) { again = error; });
  REQUIRE(runs_until(io, [&] { return static_cast<bool>(again); }));
  CHECK(again == errc::already_running);
  CHECK_FALSE(one.ended);
}

TEST_CASE("cancelling the run stops the object, cancelling another's attempt does not", "[net][driver][cancellation]") {
  asio::io_context io;
  parrot_object object{io};
  asio::cancellation_signal stop;
  asio::cancellation_signal stop_second;
  std::optional<std::error_code> ended;
  object.async_run(asio::bind_cancellation_slot(stop.slot(), [&](std::error_code error) { ended = error; }));
  object.async_run(asio::bind_cancellation_slot(stop_second.slot(), [](std::error_code) {}));
  run_ready(io);
  stop_second.emit(asio::cancellation_type::terminal);
  run_ready(io);
  CHECK_FALSE(ended);
  stop.emit(asio::cancellation_type::terminal);
  io.restart();
  io.run();  // ends: nothing of the object is left waiting
  REQUIRE(ended);
  CHECK(*ended == asio::error::operation_aborted);
  std::error_code again;
  object.async_run([&](std::error_code error) { again = error; });
  run_ready(io);
  CHECK(again == errc::not_running);
}

TEST_CASE("each of several waiting operations can be cancelled by itself", "[net][driver][cancellation]") {
  asio::io_context io;
  parrot_object object{io};
  object.async_run([](std::error_code) {});
  asio::cancellation_signal stop;
  std::vector<std::string> log;
  object.async_next_event(asio::bind_cancellation_slot(
      stop.slot(), [&](std::error_code error, const std::string&) { log.push_back("first " + error.message()); }));
  object.async_next_event([&](std::error_code, const std::string& event) { log.push_back("second " + event); });
  run_ready(io);
  stop.emit(asio::cancellation_type::total);
  run_ready(io);
  CHECK(log == std::vector<std::string>{"first " + std::error_code{asio::error::operation_aborted}.message()});
  object.core_side().call([](parrot&, time_point, effects<std::string>& out) { out.deliver("event"); });
  run_ready(io);
  REQUIRE(log.size() == 2);
  CHECK(log[1] == "second event");
}

TEST_CASE("events come by callback, future and coroutine", "[net][driver]") {
  asio::io_context io;
  parrot_object object{io};
  object.async_run([](std::error_code) {});
  run_ready(io);
  const auto say = [&](const std::string& what) {
    object.core_side().call([&](parrot&, time_point, effects<std::string>& out) { out.deliver(what); });
  };
  auto by_future = object.async_next_event(asio::use_future);
  say("one");
  run_ready(io);
  CHECK(by_future.get() == "one");
  std::string by_coroutine;
  asio::co_spawn(io, next_in_a_coroutine(object, by_coroutine), asio::detached);
  say("two");
  REQUIRE(runs_until(io, [&] { return by_coroutine == "two"; }));
}

TEST_CASE("an object may be destroyed at every moment", "[net][driver][destruction]") {
  asio::io_context io;
  int completions = 0;
  auto object = std::make_unique<parrot_object>(io);
  SECTION("before it ran") {
    completions = 2;
  }
  SECTION("with operations that have not started") {
    object->async_run([&](std::error_code) { ++completions; });
    object->async_next_event([&](std::error_code, const std::string&) { ++completions; });
  }
  SECTION("with operations pending") {
    object->async_run([&](std::error_code) { ++completions; });
    object->async_next_event([&](std::error_code, const std::string&) { ++completions; });
    run_ready(io);
  }
  SECTION("in a handler of its own") {
    object->async_run([&](std::error_code) { ++completions; });
    object->async_next_event([&](std::error_code, const std::string&) {
      object.reset();
      ++completions;
    });
    run_ready(io);
    object->core_side().call([](parrot&, time_point, effects<std::string>& out) { out.deliver("event"); });
  }
  SECTION("in the middle of its core's call, by a log sink") {
    object = std::make_unique<parrot_object>(
        io, driver_options{.component = "parrot",
                           .log = [&](log_level, std::string_view, std::string_view) { object.reset(); }});
    object->async_run([&](std::error_code) { ++completions; });
    object->async_next_event([&](std::error_code, const std::string&) { ++completions; });
    run_ready(io);
    const auto state = object->shared();
    state->call([](parrot&, time_point, effects<std::string>&) { ARTILLERY_INVARIANT(false); });
    CHECK(object == nullptr);
  }
  object.reset();
  io.restart();
  io.run();  // ends: nothing is left waiting
  CHECK(completions == 2);
}

TEST_CASE("an object may be destroyed with its context, run or not", "[net][driver][destruction]") {
  auto held = std::make_shared<int>(0);
  const int steps = GENERATE(range(0, 12));
  {
    asio::io_context io;
    parrot_object object{io};
    object.async_run([held](std::error_code) {});
    object.async_next_event([held](std::error_code, const std::string&) {});
    for (int i = 0; i < steps; ++i) io.poll_one();
  }
  CHECK(held.use_count() == 1);
}

TEST_CASE("several threads may run, call and destroy objects", "[net][driver][threads]") {
  asio::io_context io;
  auto guard = asio::make_work_guard(io);
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) threads.emplace_back([&] { io.run(); });
  for (int round = 0; round < 20; ++round) {
    auto one = std::make_unique<parrot_object>(io);
    auto other = std::make_unique<parrot_object>(io);
    auto one_ended = one->async_run(asio::use_future);
    auto other_ended = other->async_run(asio::use_future);
    std::promise<endpoint> bound;
    submit(other->shared(), [&](parrot_object::state& self) { bound.set_value(self.datagrams_bound()); });
    const auto at = bound.get_future().get();
    submit(one->shared(), [at](parrot_object::state& self) {
      self.call([at](parrot&, time_point, effects<std::string>& out) {
        for (int i = 0; i < 10; ++i) out.send(connection::datagram(at), as_bytes("reply"));
        out.open(1, at);
      });
    });
    CHECK_FALSE(other->async_next_event(asio::use_future).get().empty());
    CHECK_FALSE(one->async_next_event(asio::use_future).get().empty());
    one.reset();
    other.reset();
    CHECK_THROWS_AS(one_ended.get(), std::system_error);
    CHECK_THROWS_AS(other_ended.get(), std::system_error);
  }
  guard.reset();
  for (auto& thread : threads) thread.join();
}

TEST_CASE("a core's datagram goes out by the port of its number", "[net][driver]") {
  struct recording final : datagram_port {
    void send(const endpoint&, bytes_view header, std::span<const bytes>) override {
      sent.emplace_back(as_text(header));
    }
    void close() noexcept override { closed = true; }
    std::vector<std::string> sent;
    bool closed = false;
  };
  asio::io_context io;
  const auto port = std::make_shared<recording>();
  {
    runner one{io};
    auto& side = one.object.core_side();
    side.add_datagram_port(3, port);
    side.call([](parrot&, time_point, effects<std::string>& out) {
      out.send(connection::datagram(loopback.with_port(9), 3), as_bytes("by three"));
      out.send(connection::datagram(loopback.with_port(9), 4), as_bytes("nowhere"));
    });
    CHECK(port->sent == std::vector<std::string>{"by three"});
    std::uint64_t without_port = 0;
    side.visit_metrics([&](std::string_view name, std::uint64_t value) {
      if (name == ".net.datagrams_without_port") without_port = value;
    });
    CHECK(without_port == 1);
    side.receive_datagram(3, loopback, bytes{"from outside"});
    CHECK(one.sees("got from outside by datagram"));
  }
  run_ready(io);
  CHECK(port->closed);
}

}  // namespace artillery::net
