#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/detached.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/ip/udp.hpp>
#include <asio/use_future.hpp>
#include <thread>

#include "membership/running_cluster.hpp"

using namespace running;

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
    a.cluster.async_broadcast("t", std::string(quick("a").event_size_max + 1, 'x'), note);
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

TEST_CASE("who waits for company in a cluster that leaves is told that none will come", "[membership][socket]") {
  asio::io_context context;
  node a{context, quick("a")};
  ready(context, a);
  std::optional<std::error_code> joined;
  a.cluster.async_join([&](std::error_code error) { joined = error; });
  a.cluster.async_leave([](std::error_code) {});
  REQUIRE(run_until(context, [&] { return joined.has_value(); }, 2s));
  CHECK(*joined == errc::has_left);
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
