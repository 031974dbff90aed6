#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/error.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "loopback_chain.hpp"

// How operations begin and end: tokens, cancellation, destruction.

namespace artillery::replication {
namespace {

using asio::use_awaitable;

asio::awaitable<void> use_with_coroutines(loopback_chain& chain, bool& finished) {
  client& kv = chain.client();
  const write_result created = co_await kv.async_put_if_absent("k", "one", use_awaitable);
  REQUIRE(created.applied);
  const read_result exact = co_await kv.async_read("k", strong, use_awaitable);
  REQUIRE(exact.value == bytes{"one"});
  const read_result cheap = co_await kv.async_read("k", bounded(50ms), read_options{2s}, use_awaitable);
  REQUIRE(cheap.found());
  const write_result swapped = co_await kv.async_compare_and_swap("k", exact.version, "two", use_awaitable);
  REQUIRE(swapped.applied);
  co_await kv.async_write(write::put("k", "three", condition::is(swapped.version)), write_options{1s}, use_awaitable);
  REQUIRE((co_await chain.at(0).async_read("k", strong, use_awaitable)).value == bytes{"three"});
  REQUIRE((co_await chain.at(0).async_read("k", strong, 1s, use_awaitable)).value == bytes{"three"});
  co_await kv.async_erase("k", write_options{}.timeout(1s), use_awaitable);
  REQUIRE(!(co_await kv.async_read("k", strong, read_options{}.where(routing::any()), use_awaitable)).found());
  const event first = co_await chain.at(0).async_next_event(use_awaitable);
  REQUIRE(first.what == event::kind::listening);
  co_await chain.at(0).async_adopt(chain.view(), use_awaitable);
  bool thrown = false;
  try {
    co_await kv.async_put("", "v", use_awaitable);
  } catch (const std::system_error& error) {
    thrown = error.code() == errc::invalid_argument;
  }
  REQUIRE(thrown);
  finished = true;
}

}  // namespace

TEST_CASE("operations work as coroutines", "[replication][operations]") {
  loopback_chain chain{3};
  bool finished = false;
  std::exception_ptr failure;
  asio::co_spawn(chain.io(), use_with_coroutines(chain, finished), [&](std::exception_ptr error) { failure = error; });
  REQUIRE(chain.until([&] { return finished || failure != nullptr; }));
  if (failure) std::rethrow_exception(failure);
}

TEST_CASE("operations work as futures", "[replication][operations]") {
  loopback_chain chain{1};
  auto work = asio::make_work_guard(chain.io());
  std::thread runner{[&] { chain.io().run(); }};
  const write_result put = chain.client().async_put("k", "v", asio::use_future).get();
  const read_result read = chain.client().async_read("k", strong, asio::use_future).get();
  const read_result local = chain.at(0).async_read("k", strong, asio::use_future).get();
  const event first = chain.at(0).async_next_event(asio::use_future).get();
  work.reset();
  chain.io().stop();
  runner.join();
  REQUIRE(put.applied);
  REQUIRE(read.value == bytes{"v"});
  REQUIRE(local.value == bytes{"v"});
  REQUIRE(first.what == event::kind::listening);
}

TEST_CASE("an operation that waits ends by its cancellation", "[replication][operations]") {
  loopback_chain chain{3};
  REQUIRE(chain.put("k", "v").result().applied);
  chain.kill(2);  // from now on writes wait
  asio::cancellation_signal signal;
  const auto cancelled = [&](auto outcome, auto start) {
    start(asio::bind_cancellation_slot(signal.slot(), outcome));
    net::run_ready(chain.io());
    REQUIRE(!outcome.done());
    signal.emit(asio::cancellation_type::total);
    REQUIRE(chain.until([&] { return outcome.done(); }));
    REQUIRE(outcome.error() == asio::error::operation_aborted);
    net::run_ready(chain.io());
    REQUIRE(outcome.calls() == 1);
  };
  cancelled(write_outcome{}, [&](auto done) { chain.client().async_put("k", "w", done); });
  cancelled(write_outcome{}, [&](auto done) { chain.client().async_erase("k", done); });
  cancelled(write_outcome{}, [&](auto done) { chain.client().async_compare_and_swap("k", {}, "x", done); });
  // The first of those writes has reached the head by now, or will: the object is dirty, and the tail does not answer.
  REQUIRE(chain.until([&] { return chain.at(0).try_read("k").what == local_read::outcome::ask; }));
  cancelled(read_outcome{}, [&](auto done) { chain.at(0).async_read("k", strong, done); });
  cancelled(read_outcome{}, [&](auto done) {
    chain.client().async_read("k", strong, read_options{routing::to(name_of(0).node)}, done);
  });
  for (int i = 0; i < 2; ++i) {
    REQUIRE(chain.wait([&](event_outcome done) { chain.at(0).async_next_event(done); }, event_outcome{}).done());
  }
  REQUIRE(chain.until([&] { return chain.at(0).status().stopped; }));
  REQUIRE(chain.wait([&](event_outcome done) { chain.at(0).async_next_event(done); }, event_outcome{}).result().what ==
          event::kind::chain_stopped);
  cancelled(event_outcome{}, [&](auto done) { chain.at(0).async_next_event(done); });
}

TEST_CASE("a cancellation in the same turn as the start counts, one after the end does nothing",
          "[replication][operations]") {
  loopback_chain chain{1};
  asio::cancellation_signal signal;
  write_outcome at_once;
  chain.client().async_put("k", "v", asio::bind_cancellation_slot(signal.slot(), at_once));
  signal.emit(asio::cancellation_type::all);
  REQUIRE(chain.until([&] { return at_once.done(); }));
  REQUIRE(at_once.error() == asio::error::operation_aborted);

  write_outcome finished;
  chain.client().async_put("k", "v", asio::bind_cancellation_slot(signal.slot(), finished));
  REQUIRE(chain.until([&] { return finished.done(); }));
  REQUIRE(finished.result().applied);
  signal.emit(asio::cancellation_type::all);
  net::run_ready(chain.io());
  REQUIRE(finished.calls() == 1);
}

TEST_CASE("cancelling the run stops the object and ends what waits", "[replication][operations]") {
  loopback_chain chain{1};
  asio::cancellation_signal signal;
  client other = chain.make_client();
  run_outcome ran;
  other.async_run(asio::bind_cancellation_slot(signal.slot(), ran));
  const auto first = chain.wait([&](write_outcome done) { other.async_put("k", "v", done); }, write_outcome{});
  REQUIRE(first.result().applied);
  run_outcome again;
  other.async_run(again);
  REQUIRE(chain.until([&] { return again.done(); }));
  REQUIRE(again.error() == errc::already_running);

  write_outcome waiting;
  read_outcome reading;
  chain.kill(0);
  net::run_ready(chain.io());
  other.async_put("k", "w", waiting);
  other.async_read("k", strong, reading);
  net::run_ready(chain.io());
  signal.emit(asio::cancellation_type::terminal);
  REQUIRE(chain.until([&] { return ran.done() && waiting.done() && reading.done(); }));
  REQUIRE(ran.error() == asio::error::operation_aborted);
  REQUIRE(reading.error() == asio::error::operation_aborted);
  REQUIRE((waiting.error() == asio::error::operation_aborted || waiting.error() == errc::outcome_unknown));

  write_outcome late;
  run_outcome once_more;
  other.async_put("k", "x", late);
  other.async_run(once_more);
  REQUIRE(chain.until([&] { return late.done() && once_more.done(); }));
  REQUIRE(late.error() == errc::not_running);
  REQUIRE(once_more.error() == errc::not_running);
}

TEST_CASE("a replica whose run was cancelled serves nothing", "[replication][operations]") {
  asio::io_context io;
  view only;
  only.chain = 1;
  only.epoch = 1;
  only.replicas.push_back({name_of(0), endpoint::v4(127, 0, 0, 1, 1)});
  static_authority decides{only};
  replica one{io.get_executor(), config_of(0), {}, decides};
  asio::cancellation_signal signal;
  run_outcome ran;
  one.async_run(asio::bind_cancellation_slot(signal.slot(), ran));
  REQUIRE(net::runs_until(io, [&] { return one.try_read("k").absent(); }));
  signal.emit(asio::cancellation_type::all);
  REQUIRE(net::runs_until(io, [&] { return ran.done(); }));
  REQUIRE(one.try_read("k").what == local_read::outcome::ask);
  REQUIRE(one.status().epoch == 0);
  read_outcome read;
  run_outcome adopted;
  one.async_read("k", strong, read);
  one.async_adopt(only, adopted);
  REQUIRE(net::runs_until(io, [&] { return read.done() && adopted.done(); }));
  REQUIRE(read.error() == errc::not_running);
  REQUIRE(adopted.error() == errc::not_running);
}

TEST_CASE("operations that were begun before the run wait for it", "[replication][operations]") {
  loopback_chain chain{1};
  client early = chain.make_client();
  write_outcome put;
  early.async_put("k", "v", put);
  net::run_ready(chain.io());
  REQUIRE(!put.done());
  early.async_run(asio::detached);
  REQUIRE(chain.until([&] { return put.done(); }));
  REQUIRE(put.result().applied);
}

TEST_CASE("whatever waits when an object is destroyed ends, once", "[replication][operations]") {
  loopback_chain chain{3};
  REQUIRE(chain.put("k", "v").result().applied);
  const bool running = GENERATE(true, false);
  const bool turns = GENERATE(true, false);  // whether the operations got under way
  std::vector<write_outcome> writes(20);
  std::vector<read_outcome> reads(20);
  run_outcome ran;
  {
    client doomed = chain.make_client();
    if (running) doomed.async_run(ran);
    for (std::size_t i = 0; i < writes.size(); ++i) {
      doomed.async_put("k", "w", writes[i]);
      doomed.async_read("k", strong, reads[i]);
    }
    if (turns) net::run_ready(chain.io());
    client moved{std::move(doomed)};
    doomed = std::move(moved);
  }
  REQUIRE(chain.until([&] {
    for (const write_outcome& each : writes) {
      if (!each.done()) return false;
    }
    for (const read_outcome& each : reads) {
      if (!each.done()) return false;
    }
    return !running || ran.done();
  }));
  net::run_ready(chain.io());
  for (const write_outcome& each : writes) REQUIRE(each.calls() == 1);
  for (const read_outcome& each : reads) REQUIRE(each.calls() == 1);
  if (running) REQUIRE(ran.error() == asio::error::operation_aborted);
}

TEST_CASE("a replica goes away at any moment, and its store with it", "[replication][operations]") {
  loopback_chain chain{1};
  REQUIRE(chain.put("k", "v").result().applied);
  for (int turns = 0; turns < 30; ++turns) {
    asio::io_context io;
    run_outcome ran, adopted;
    event_outcome told, second;
    read_outcome read;
    {
      auto objects = std::make_unique<memory_store>();
      view only;
      only.chain = 1;
      only.epoch = 1;
      only.replicas.push_back({name_of(0), endpoint::v4(127, 0, 0, 1, 1)});
      auto decides = std::make_unique<static_authority>(only);
      replica doomed{io.get_executor(), config_of(0), {}, *decides, *objects};
      doomed.async_run(ran);
      doomed.async_next_event(told);
      doomed.async_next_event(second);
      doomed.async_read("k", strong, read);
      doomed.async_adopt(only, adopted);
      for (int i = 0; i < turns; ++i) io.poll_one();
    }
    REQUIRE(net::runs_until(
        io, [&] { return ran.done() && told.done() && second.done() && read.done() && adopted.done(); }));
    REQUIRE(ran.error() == asio::error::operation_aborted);
  }
}

TEST_CASE("objects outlive the context's last turn, handlers are dropped with it", "[replication][operations]") {
  write_outcome put;
  {
    loopback_chain chain{3};
    chain.client().async_put("k", "v", put);
  }
  REQUIRE(!put.done());
}

}  // namespace artillery::replication
