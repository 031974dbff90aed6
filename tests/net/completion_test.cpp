#include <asio/bind_allocator.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/bind_executor.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "artillery/detail/async.hpp"
#include "catch.hpp"
#include "event_loop.hpp"
#include "net/event_queue.hpp"
#include "net/strand.hpp"

namespace artillery::net {
namespace {

/// A small object as the public ones are: a handle on shared state with operations that wait.
class box {
public:
  explicit box(asio::io_context& io) : executor_{io.get_executor()}, state_{std::make_shared<state>(executor_)} {}
  box(box&&) noexcept = default;
  ~box() {
    if (state_)
      asio::post(state_->strand_, [state = state_] { state->waiting_.close(asio::error::operation_aborted); });
  }

  template <class Token>
  auto async_take(std::string prefix, Token&& token) {
    return detail::initiate<void(std::error_code, std::string)>(
        std::forward<Token>(token), executor_, [state = state_, prefix = std::move(prefix)](auto done) {
          const auto number = state->waiting_.reserve();
          detail::on_cancel(done.slot(), state, [number](auto& self) { self.waiting_.cancel(number); });
          asio::dispatch(state->strand_, [state, number, prefix, done = std::move(done)]() mutable {
            state->prefix_ = prefix;
            state->waiting_.add(number, std::move(done));
          });
        });
  }

  void put(const std::string& value) {
    asio::dispatch(state_->strand_,
                   [state = state_, value] { state->waiting_.complete_first({}, state->prefix_ + value); });
  }

private:
  struct state {
    explicit state(const asio::any_io_executor& executor) : strand_{executor} {}
    [[nodiscard]] const strand& executor() const noexcept { return strand_; }
    strand strand_;
    std::string prefix_;
    detail::waiting_list<void(std::error_code, std::string)> waiting_;
  };
  asio::any_io_executor executor_;
  std::shared_ptr<state> state_;
};

/// Counts what is allocated through it.
template <class T>
struct counting_allocator {
  using value_type = T;
  int* live;
  explicit counting_allocator(int* counter) noexcept : live{counter} {}
  template <class Other>
  counting_allocator(const counting_allocator<Other>& other) noexcept : live{other.live} {}  // NOLINT
  T* allocate(std::size_t count) {
    ++*live;
    return std::allocator<T>{}.allocate(count);
  }
  void deallocate(T* place, std::size_t count) noexcept {
    --*live;
    std::allocator<T>{}.deallocate(place, count);
  }
  friend bool operator==(const counting_allocator& a, const counting_allocator& b) noexcept { return a.live == b.live; }
};

asio::awaitable<void> take_in_a_coroutine(box& from, std::string& into) {
  into = co_await from.async_take("co ", asio::use_awaitable);
}

asio::awaitable<void> take_while_holding(box& from, std::shared_ptr<int> held) {
  co_await from.async_take("co ", asio::use_awaitable);
  held.reset();
}

}  // namespace

TEST_CASE("a callback, a future and a coroutine each get their result", "[net][completion]") {
  asio::io_context io;
  box values{io};
  SECTION("callback, of a type that can only be moved") {
    std::string got;
    values.async_take("cb ", [&got, owned = std::make_unique<int>(1)](std::error_code error, const std::string& value) {
      CHECK_FALSE(error);
      got = value;
    });
    values.put("x");
    io.run();
    CHECK(got == "cb x");
  }
  SECTION("future") {
    auto got = values.async_take("fut ", asio::use_future);
    values.put("x");
    io.run();
    CHECK(got.get() == "fut x");
  }
  SECTION("coroutine") {
    std::string got;
    asio::co_spawn(io, take_in_a_coroutine(values, got), asio::detached);
    run_ready(io);
    values.put("x");
    REQUIRE(runs_until(io, [&] { return !got.empty(); }));
    CHECK(got == "co x");
  }
}

TEST_CASE("a handler bound to a strand runs on it", "[net][completion]") {
  asio::io_context io;
  box values{io};
  const asio::strand<asio::any_io_executor> own{io.get_executor()};
  bool on_strand = false;
  values.async_take("s ", asio::bind_executor(own, [&](std::error_code, const std::string&) {
                      on_strand = own.running_in_this_thread();
                    }));
  values.put("x");
  io.run();
  CHECK(on_strand);
}

TEST_CASE("a coroutine that waits on a context that never runs again frees what it holds",
          "[net][completion][destruction]") {
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> watched = held;
  {
    asio::io_context io;
    box values{io};
    asio::co_spawn(io, take_while_holding(values, std::move(held)), asio::detached);
    run_ready(io);
    REQUIRE_FALSE(watched.expired());
  }
  CHECK(watched.expired());
}

TEST_CASE("the operation's memory is free before the handler runs", "[net][completion]") {
  asio::io_context io;
  box values{io};
  int live = 0;
  bool ran = false;
  values.async_take("", asio::bind_allocator(counting_allocator<void>{&live}, [&](std::error_code, const std::string&) {
                      ran = true;
                      CHECK(live == 0);
                    }));
  CHECK(live == 1);  // one allocation holds the handler
  values.put("x");
  io.run();
  CHECK(ran);
}

TEST_CASE("a handler is never called within the call that completes it", "[net][completion]") {
  asio::io_context io;
  bool ran = false;
  detail::completion<void(std::error_code)> done{[&](std::error_code) { ran = true; }, io.get_executor()};
  asio::post(io, [&] {
    done({});
    CHECK_FALSE(ran);
    CHECK_FALSE(done);
    done({});  // only once
  });
  io.run();
  CHECK(ran);
}

TEST_CASE("a waiting operation keeps both its executors running", "[net][completion]") {
  asio::io_context of_object;
  asio::io_context of_handler;
  box values{of_object};
  bool ran = false;
  values.async_take("", asio::bind_executor(of_handler, [&](std::error_code, const std::string&) { ran = true; }));
  of_object.poll();
  CHECK_FALSE(of_object.stopped());
  of_handler.poll();
  CHECK_FALSE(of_handler.stopped());
  values.put("x");
  of_object.poll();
  CHECK(of_object.stopped());
  CHECK_FALSE(ran);
  of_handler.poll();
  CHECK(of_handler.stopped());
  CHECK(ran);
}

TEST_CASE("cancelling one operation leaves the others waiting", "[net][completion][cancellation]") {
  asio::io_context io;
  box values{io};
  asio::cancellation_signal stop;
  std::vector<std::string> log;
  values.async_take("", [&](std::error_code error, const std::string& value) {
    log.push_back(error ? "first " + error.message() : "first " + value);
  });
  values.async_take("", asio::bind_cancellation_slot(stop.slot(), [&](std::error_code error, const std::string&) {
                      CHECK(error == asio::error::operation_aborted);
                      log.emplace_back("second cancelled");
                    }));
  stop.emit(asio::cancellation_type::terminal);  // before it has reached the strand, even
  run_ready(io);
  CHECK(log == std::vector<std::string>{"second cancelled"});
  values.put("x");
  stop.emit(asio::cancellation_type::terminal);  // once too often
  run_ready(io);
  CHECK(log == std::vector<std::string>{"second cancelled", "first x"});
}

TEST_CASE("a signal may outlive object and context", "[net][completion][cancellation]") {
  asio::cancellation_signal stop;
  bool ran = false;
  {
    asio::io_context io;
    box values{io};
    values.async_take(
        "", asio::bind_cancellation_slot(stop.slot(), [&](std::error_code, const std::string&) { ran = true; }));
    io.poll();
  }
  stop.emit(asio::cancellation_type::all);
  CHECK_FALSE(ran);
}

TEST_CASE("a signal from another thread races with completion and yields one result",
          "[net][completion][cancellation]") {
  for (int round = 0; round < 100; ++round) {
    asio::io_context io;
    box values{io};
    asio::cancellation_signal stop;
    int results = 0;
    values.async_take(
        "", asio::bind_cancellation_slot(stop.slot(), [&](std::error_code, const std::string&) { ++results; }));
    std::thread other{[&] { stop.emit(asio::cancellation_type::total); }};
    values.put("x");
    io.run();
    other.join();
    io.restart();
    io.run();
    REQUIRE(results == 1);
  }
}

TEST_CASE("destroying the object completes what waits", "[net][completion][destruction]") {
  asio::io_context io;
  std::error_code result;
  {
    box values{io};
    values.async_take("", [&](std::error_code error, const std::string&) { result = error; });
  }
  io.run();
  CHECK(result == asio::error::operation_aborted);
}

TEST_CASE("destroying the context destroys waiting handlers uncalled", "[net][completion][destruction]") {
  auto token = std::make_shared<int>(1);
  bool ran = false;
  {
    asio::io_context io;
    box values{io};
    values.async_take("", [token, &ran](std::error_code, const std::string&) { ran = true; });
    const bool polled = GENERATE(false, true);
    if (polled) io.poll();
  }
  CHECK(token.use_count() == 1);
  CHECK_FALSE(ran);
}

TEST_CASE("too many waiting operations are refused, not kept", "[net][completion]") {
  asio::io_context io;
  detail::waiting_list<void(std::error_code)> list{1};
  std::vector<std::error_code> results(2);
  for (auto& result : results)
    list.add(list.reserve(), {[&](std::error_code error) { result = error; }, io.get_executor()});
  io.poll();
  CHECK(results[1] == errc::would_overflow);
  list.close(errc::invariant_broken);
  io.restart();
  io.poll();
  CHECK(results[0] == errc::invariant_broken);
}

TEST_CASE("a slow consumer loses the newest events and is told how many, in place", "[net][events]") {
  asio::io_context io;
  event_queue<int> events{2, [](std::uint64_t lost) { return -static_cast<int>(lost); }};
  std::vector<int> got;
  const auto next = [&] {
    events.next(events.reserve(),
                {[&](std::error_code error, int event) { got.push_back(error ? 1000 : event); }, io.get_executor()});
    run_ready(io);
  };
  for (int i = 1; i <= 5; ++i) events.push(i);
  next();
  next();
  events.push(6);  // room for the marker first, then for this
  next();
  next();
  CHECK(got == std::vector<int>{1, 2, -3, 6});
  for (int i = 7; i <= 9; ++i) events.push(i);
  next();
  next();
  next();
  CHECK(got == std::vector<int>{1, 2, -3, 6, 7, 8, -1});
  next();
  events.push(10);
  next();
  events.close(asio::error::operation_aborted);
  run_ready(io);
  CHECK(got == std::vector<int>{1, 2, -3, 6, 7, 8, -1, 10, 1000});
}

}  // namespace artillery::net
