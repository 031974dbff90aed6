#include <algorithm>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/detached.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/udp.hpp>
#include <asio/use_future.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <thread>

#include "artillery/membership.hpp"
#include "catch.hpp"

using namespace artillery;
using namespace std::chrono_literals;

namespace {

membership::config quick(std::string name) {
  membership::config config = membership::config::local();
  config.name = std::move(name);
  config.probe_interval = 100ms;
  config.probe_timeout = 50ms;
  return config;
}

/// A cluster that runs, and all that it ever reported. Handlers may outlive it: they share what they write to.
struct node {
  struct record {
    membership::cluster* cluster;  // null once it is destroyed
    std::vector<membership::event> events;
    std::optional<std::error_code> ended;
  };

  node(asio::io_context& context, membership::config config)
      : cluster{context.get_executor(), std::move(config)}, kept{std::make_shared<record>(record{&cluster, {}, {}})} {
    cluster.async_run([kept = kept](std::error_code error) { kept->ended = error; });
    listen(kept);
  }
  ~node() { kept->cluster = nullptr; }
  node(const node&) = delete;
  node& operator=(const node&) = delete;

  static void listen(const std::shared_ptr<record>& kept) {
    if (kept->cluster == nullptr) return;
    kept->cluster->async_next_event([kept](std::error_code error, membership::event event) {
      if (error) return;
      kept->events.push_back(std::move(event));
      listen(kept);
    });
  }
  template <class Event>
  [[nodiscard]] std::size_t count() const {
    std::size_t n = 0;
    for (const auto& e : kept->events) n += std::holds_alternative<Event>(e) ? 1U : 0U;
    return n;
  }
  [[nodiscard]] const std::optional<std::error_code>& ended() const { return kept->ended; }
  [[nodiscard]] std::uint64_t figure(std::string_view wanted) const {
    std::uint64_t result = 0;
    cluster.metrics([&](std::string_view name, std::uint64_t value) {
      if (name == wanted) result = value;
    });
    return result;
  }

  membership::cluster cluster;
  std::shared_ptr<record> kept;
};

bool run_until(asio::io_context& context, const std::function<bool()>& done, duration limit = 10s) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!done()) {
    if (std::chrono::steady_clock::now() > end) return false;
    context.run_one_for(50ms);
  }
  return true;
}

endpoint ready(asio::io_context& context, node& n) {
  std::optional<endpoint> at;
  n.cluster.async_ready([&](std::error_code error, endpoint bound) {
    REQUIRE_FALSE(error);
    at = bound;
  });
  REQUIRE(run_until(context, [&] { return at.has_value(); }));
  return *at;
}

}  // namespace

TEST_CASE("three clusters find each other, hear an event once each, and tell leaving from dying",
          "[membership][socket]") {
  asio::io_context context;
  node a{context, quick("a")};
  auto b = std::make_unique<node>(context, quick("b"));
  node c{context, quick("c")};
  const endpoint seed = ready(context, a);
  b->cluster.add_seed(seed);
  c.cluster.add_seed(seed);
  REQUIRE(run_until(context, [&] {
    return a.count<membership::joined>() == 2 && b->count<membership::joined>() == 2 &&
           c.count<membership::joined>() == 2;
  }));
  CHECK(a.cluster.members().size() == 3);

  std::optional<std::error_code> sent;
  c.cluster.async_broadcast("topic", "hello", [&](std::error_code error) { sent = error; });
  REQUIRE(run_until(context,
                    [&] { return a.count<membership::user_event>() == 1 && b->count<membership::user_event>() == 1; }));
  CHECK_FALSE(sent.value());

  b.reset();  // without a word
  REQUIRE(run_until(context, [&] { return a.count<membership::failed>() == 1 && c.count<membership::failed>() == 1; }));

  std::optional<std::error_code> gone;
  c.cluster.async_leave([&](std::error_code error) { gone = error; });
  REQUIRE(run_until(context, [&] { return gone.has_value() && a.count<membership::left>() == 1; }));
  CHECK_FALSE(*gone);
  CHECK(a.count<membership::user_event>() == 1);
  CHECK(a.count<membership::failed>() == 1);
  CHECK(a.figure("membership.members_present") == 1);
}

TEST_CASE("clusters on threads of their own find each other", "[membership][socket][thread]") {
  asio::io_context contexts[3];
  std::vector<asio::executor_work_guard<asio::io_context::executor_type>> work;
  std::vector<std::thread> threads;
  for (auto& context : contexts) {
    work.push_back(asio::make_work_guard(context));
    threads.emplace_back([&context] { context.run(); });
  }
  {
    std::vector<membership::cluster> clusters;
    for (auto& context : contexts) clusters.emplace_back(context.get_executor(), quick(""));
    for (auto& cluster : clusters) cluster.async_run(asio::detached);
    const endpoint seed = clusters[0].async_ready(asio::use_future).get();
    clusters[1].add_seed(seed);
    clusters[2].add_seed(seed);
    for (auto& cluster : clusters) {
      auto joined = cluster.async_join(asio::use_future);
      REQUIRE(joined.wait_for(10s) == std::future_status::ready);
      joined.get();
      CHECK(cluster.members().size() >= 2);
      CHECK(cluster.self().id == cluster.id());
    }
    auto sent = clusters[1].async_broadcast("t", "x", asio::use_future);
    REQUIRE(sent.wait_for(10s) == std::future_status::ready);
    for (std::size_t which : {0U, 2U}) {
      for (bool heard = false; !heard;) {
        auto next = clusters[which].async_next_event(asio::use_future);
        REQUIRE(next.wait_for(10s) == std::future_status::ready);
        heard = std::holds_alternative<membership::user_event>(next.get());
      }
    }
    auto gone = clusters[2].async_leave(asio::use_future);
    REQUIRE(gone.wait_for(10s) == std::future_status::ready);
  }
  work.clear();
  for (auto& thread : threads) thread.join();
}

TEST_CASE("bad datagrams are counted and the next good one is served", "[membership][socket][robust]") {
  asio::io_context context;
  node a{context, quick("a")};
  node b{context, quick("b")};
  const endpoint seed = ready(context, a);
  asio::ip::udp::socket stranger{context, asio::ip::udp::endpoint{asio::ip::address_v4::loopback(), 0}};
  const asio::ip::udp::endpoint target{asio::ip::address_v4::loopback(), seed.port()};
  for (std::size_t size = 0; size < 200; ++size) {
    const std::string rubbish(size, static_cast<char>(0xA7));
    stranger.send_to(asio::buffer(rubbish), target);
  }
  REQUIRE(run_until(context, [&] {
    return a.figure("membership.dropped.malformed") + a.figure("membership.dropped.unsupported_version") >= 100;
  }));
  b.cluster.add_seed(seed);
  REQUIRE(run_until(context, [&] { return a.count<membership::joined>() == 1 && b.count<membership::joined>() == 1; }));
}

TEST_CASE("calls at the wrong time get defined errors", "[membership][socket]") {
  asio::io_context context;
  SECTION("before it runs") {
    membership::cluster idle{context.get_executor(), quick("idle")};
    std::vector<std::error_code> errors;
    const auto note = [&](std::error_code error) { errors.push_back(error); };
    idle.async_broadcast("t", "x", note);
    idle.async_leave(note);
    CHECK(idle.add_seed(endpoint{}) == errc::invalid_argument);
    CHECK(idle.set_tags({{"k", std::string(300, 'x')}}) == errc::too_large);
    CHECK(idle.local_endpoint().none());
    context.run();
    CHECK(errors == std::vector<std::error_code>{errc::not_running, errc::not_running});
  }
  SECTION("with a payload too large, an empty topic, or after leaving") {
    node a{context, quick("a")};
    ready(context, a);
    std::vector<std::error_code> errors;
    const auto note = [&](std::error_code error) { errors.push_back(error); };
    a.cluster.async_broadcast("t", std::string(membership::payload_size_max(quick("a"), "t") + 1, 'x'), note);
    a.cluster.async_broadcast("", "x", note);
    a.cluster.async_run(note);
    a.cluster.async_leave(note);
    a.cluster.async_broadcast("t", "x", note);
    a.cluster.async_join(note);
    REQUIRE(run_until(context, [&] { return errors.size() == 6; }));
    CHECK(errors ==
          std::vector<std::error_code>{
              errc::too_large, errc::invalid_argument, errc::already_running, {}, errc::has_left, errc::has_left});
  }
  SECTION("with a bad configuration") {
    membership::config bad = quick("a");
    bad.probe_timeout = bad.probe_interval;
    std::string remark;
    bad.log = [&](log_level, std::string_view, std::string_view message) { remark = message; };
    node a{context, bad};
    REQUIRE(run_until(context, [&] { return a.ended().has_value(); }));
    CHECK(*a.ended() == errc::invalid_configuration);
    CHECK(remark.find("probe_timeout") != std::string::npos);
  }
  SECTION("with a port that is taken") {
    node a{context, quick("a")};
    membership::config same = quick("b");
    same.bind = ready(context, a);
    node b{context, same};
    REQUIRE(run_until(context, [&] { return b.ended().has_value(); }));
    CHECK(*b.ended() == std::errc::address_in_use);
  }
}

TEST_CASE("every waiting operation ends when it is cancelled, and when the cluster is destroyed",
          "[membership][socket][cancel]") {
  asio::io_context context;
  std::vector<std::error_code> errors;
  const auto note = [&](std::error_code error, auto&&...) { errors.push_back(error); };
  asio::cancellation_signal run;
  asio::cancellation_signal next;
  asio::cancellation_signal join;
  asio::cancellation_signal start;
  auto cluster = std::make_unique<membership::cluster>(context.get_executor(), quick("a"));
  SECTION("cancelled") {
    cluster->async_ready(asio::bind_cancellation_slot(start.slot(), note));
    cluster->async_next_event(asio::bind_cancellation_slot(next.slot(), note));
    cluster->async_join(asio::bind_cancellation_slot(join.slot(), note));
    start.emit(asio::cancellation_type::total);
    next.emit(asio::cancellation_type::total);
    join.emit(asio::cancellation_type::total);
    context.run();
    CHECK(errors.size() == 3);
    context.restart();
    cluster->async_run(asio::bind_cancellation_slot(run.slot(), note));
    run.emit(asio::cancellation_type::terminal);
    context.run();
    CHECK(errors.size() == 4);
  }
  SECTION("destroyed") {
    cluster->async_run(note);
    cluster->async_next_event(note);
    cluster->async_join(note);
    context.poll();
    cluster.reset();
    context.run();
    CHECK(errors.size() == 3);
  }
  for (const auto& error : errors) CHECK(error == asio::error::operation_aborted);
}

TEST_CASE("a cluster speaks IPv6", "[membership][socket]") {
  asio::io_context context;
  membership::config config = quick("six");
  std::array<std::uint8_t, 16> loopback{};
  loopback[15] = 1;
  config.bind = endpoint::v6(loopback, 0);
  node a{context, config};
  node b{context, config};
  std::optional<std::error_code> failed;
  a.cluster.async_ready([&](std::error_code error, endpoint at) {
    failed = error;
    if (!error) b.cluster.add_seed(at);
  });
  REQUIRE(run_until(context, [&] { return failed.has_value(); }));
  if (*failed) return;  // this machine has no IPv6
  REQUIRE(run_until(context, [&] { return a.count<membership::joined>() == 1 && b.count<membership::joined>() == 1; }));
  CHECK(a.cluster.self().at.is_v6());
}

namespace {

/// Two that know each other.
struct pair {
  explicit pair(asio::io_context& context) : a{context, quick("a")}, b{context, quick("b")} {
    b.cluster.add_seed(ready(context, a));
    REQUIRE(
        run_until(context, [&] { return a.count<membership::joined>() == 1 && b.count<membership::joined>() == 1; }));
  }
  node a;
  node b;
};

const membership::message* message_to(const node& n) {
  for (const auto& e : n.kept->events) {
    if (const auto* m = std::get_if<membership::message>(&e)) return m;
  }
  return nullptr;
}

}  // namespace

TEST_CASE("a message of a whole megabyte reaches one member, and its sender is told so", "[membership][socket][send]") {
  asio::io_context context;
  pair two{context};
  std::string payload(quick("").message_size_max, 'x');
  for (std::size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<char>(i * 7);
  std::optional<std::error_code> done;
  two.a.cluster.async_send(two.b.cluster.id(), "topic", payload, {}, [&](std::error_code error) { done = error; });
  REQUIRE(run_until(context, [&] { return done.has_value() && message_to(two.b) != nullptr; }));
  CHECK_FALSE(*done);
  CHECK(message_to(two.b)->payload == bytes{payload});
  CHECK(message_to(two.b)->origin == two.a.cluster.id());
  CHECK(message_to(two.a) == nullptr);
}

TEST_CASE("a best-effort message is on its way at once", "[membership][socket][send]") {
  asio::io_context context;
  pair two{context};
  std::optional<std::error_code> done;
  two.b.cluster.async_send(two.a.cluster.id(), "", "hello", {.delivery = membership::delivery::best_effort},
                           [&](std::error_code error) { done = error; });
  REQUIRE(run_until(context, [&] { return done.has_value() && message_to(two.a) != nullptr; }));
  CHECK_FALSE(*done);
  CHECK(message_to(two.a)->payload.text() == "hello");
}

TEST_CASE("messages that cannot be sent end with a defined error", "[membership][socket][send]") {
  asio::io_context context;
  std::vector<std::error_code> errors;
  const auto note = [&](std::error_code error) { errors.push_back(error); };
  SECTION("before it runs") {
    membership::cluster idle{context.get_executor(), quick("idle")};
    idle.async_send({1, 2}, "t", "x", {}, note);
    context.run();
    CHECK(errors == std::vector<std::error_code>{errc::not_running});
  }
  SECTION("to nobody known, too large, and after leaving") {
    pair two{context};
    const node_id b = two.b.cluster.id();
    two.a.cluster.async_send({1, 2}, "t", "x", {}, note);
    two.a.cluster.async_send(b, "t", std::string(quick("").message_size_max + 1, 'x'), {}, note);
    two.a.cluster.async_send(two.a.cluster.id(), "t", "x", {}, note);
    REQUIRE(run_until(context, [&] { return errors.size() == 3; }));
    CHECK(errors == std::vector<std::error_code>{errc::unknown_member, errc::too_large, errc::invalid_argument});
    two.a.cluster.async_leave(note);
    two.a.cluster.async_send(b, "t", "x", {}, note);
    REQUIRE(run_until(context, [&] { return errors.size() == 5; }));
    CHECK(std::count(errors.begin(), errors.end(), errc::has_left) == 1);
  }
  SECTION("to a member that dies without a word") {
    auto two = std::make_unique<pair>(context);
    auto gone = std::make_unique<node>(context, quick("c"));
    gone->cluster.add_seed(two->a.cluster.local_endpoint());
    REQUIRE(run_until(context, [&] { return two->a.count<membership::joined>() == 2; }));
    const node_id c = gone->cluster.id();
    gone.reset();
    two->a.cluster.async_send(c, "t", "x", {}, note);
    REQUIRE(run_until(context, [&] { return errors.size() == 1; }));
    CHECK(errors[0] == errc::unknown_member);  // it was never connected to
  }
}

TEST_CASE("a message may be sent, and the cluster destroyed, in the handler of another", "[membership][socket][send]") {
  asio::io_context context;
  auto two = std::make_unique<pair>(context);
  const node_id b = two->b.cluster.id();
  std::optional<std::error_code> second;
  two->a.cluster.async_send(b, "t", "one", {}, [&](std::error_code error) {
    CHECK_FALSE(error);
    two->a.cluster.async_send(b, "t", "two", {}, [&](std::error_code last) { second = last; });
    two.reset();
  });
  REQUIRE(run_until(context, [&] { return second.has_value(); }));
  CHECK(*second == asio::error::operation_aborted);
}

TEST_CASE("who stops waiting for a message is told so, and it is sent all the same",
          "[membership][socket][send][cancel]") {
  asio::io_context context;
  pair two{context};
  asio::cancellation_signal stop;
  std::optional<std::error_code> done;
  two.a.cluster.async_send(two.b.cluster.id(), "t", "hello", {},
                           asio::bind_cancellation_slot(stop.slot(), [&](std::error_code error) { done = error; }));
  stop.emit(asio::cancellation_type::total);
  REQUIRE(run_until(context, [&] { return done.has_value() && message_to(two.b) != nullptr; }));
  CHECK(*done == asio::error::operation_aborted);
}
