#include "artillery/discovery.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/error.hpp>
#include <asio/use_future.hpp>
#include <future>
#include <memory>
#include <optional>
#include <thread>

#include "catch.hpp"
#include "discovery/meeting.hpp"

using namespace meeting;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_CASE("two beacons on loopback find each other and hear a goodbye at once", "[discovery][beacon]") {
  asio::io_context context;
  const auto port = own_port();
  running_beacon first{context, on_loopback(port)};
  running_beacon second{context, on_loopback(port)};
  first.beacon.browse("kv");
  second.beacon.browse("kv");
  const node_id of_first = first.beacon.announce(a_service("first"));
  second.beacon.announce(a_service("second"));
  REQUIRE(run_until(context, [&] { return first.told_of<discovery::found>("second"); }));
  REQUIRE(run_until(context, [&] { return second.told_of<discovery::found>("first"); }));
  const auto* seen = second.told_of<discovery::found>("first");
  CHECK(seen->what.instance == of_first);
  CHECK(seen->node == first.beacon.id());
  CHECK(seen->what.endpoints.front() == endpoint::v4(127, 0, 0, 1, 9000));  // the wildcard is filled in

  std::optional<std::error_code> withdrawn;
  first.beacon.async_withdraw(of_first, [&](std::error_code error) { withdrawn = error; });
  REQUIRE(run_until(context, [&] { return second.told_of<discovery::lost>("first"); }));
  CHECK_FALSE(withdrawn);  // two goodbyes are still to come
  CHECK(second.told_of<discovery::lost>("first")->reason == discovery::loss::goodbye);
  REQUIRE(run_until(context, [&] { return withdrawn.has_value(); }));
  CHECK_FALSE(*withdrawn);
}

TEST_CASE("a beacon that comes later finds what is there", "[discovery][beacon]") {
  asio::io_context context;
  const auto port = own_port();
  running_beacon first{context, on_loopback(port)};
  first.beacon.announce(a_service("early"));
  REQUIRE(run_until(context, [&] { return first.metric("discovery.sent.announcements") >= 2; }));
  running_beacon second{context, on_loopback(port)};
  second.beacon.browse("");
  REQUIRE(run_until(context, [&] { return second.told_of<discovery::found>("early"); }, milliseconds{900}));
}

TEST_CASE("beacons of two clusters on one port do not see each other", "[discovery][beacon]") {
  asio::io_context context;
  const auto port = own_port();
  auto others = on_loopback(port);
  others.cluster = "another cluster";
  running_beacon first{context, on_loopback(port)};
  running_beacon second{context, others};
  running_beacon third{context, on_loopback(port)};
  first.beacon.browse("");
  second.beacon.announce(a_service("foreign"));
  third.beacon.announce(a_service("own"));
  REQUIRE(run_until(context, [&] { return first.told_of<discovery::found>("own"); }));
  REQUIRE(run_until(context, [&] { return first.metric("discovery.dropped.foreign_cluster") > 1; }));
  CHECK(first.told_of<discovery::found>("foreign") == nullptr);
}

TEST_CASE("malformed datagrams are counted and do not make a beacon deaf", "[discovery][beacon]") {
  asio::io_context context;
  const auto port = own_port();
  running_beacon first{context, on_loopback(port)};
  first.beacon.browse("kv");
  REQUIRE(run_until(context, [&] { return first.told<discovery::connected>(); }));
  asio::ip::udp::socket stranger{context, asio::ip::udp::endpoint{asio::ip::udp::v4(), 0}};
  const asio::ip::udp::endpoint there{asio::ip::address_v4::loopback(), port};
  for (const std::size_t size : {0U, 1U, 13U, 77U, 500U, 1200U, 1201U, 9000U, 60'000U}) {
    stranger.send_to(asio::buffer(std::string(size, '\xa7')), there);
    stranger.send_to(asio::buffer(std::string(size, '\0')), there);
  }
  // Those of 0xa7 that are long enough to have a version have one that is not ours.
  REQUIRE(run_until(context, [&] {
    return first.metric("discovery.dropped.malformed") == 14 && first.metric("discovery.dropped.unsupported") == 4;
  }));
  running_beacon second{context, on_loopback(port)};
  second.beacon.announce(a_service("good"));
  REQUIRE(run_until(context, [&] { return first.told_of<discovery::found>("good"); }));
}

TEST_CASE("a port that somebody does not share is a clear error", "[discovery][beacon]") {
  asio::io_context context;
  asio::ip::udp::socket selfish{context, asio::ip::udp::endpoint{asio::ip::udp::v4(), 0}};
  auto options = on_loopback(selfish.local_endpoint().port());
  std::string log;
  options.log = [&](log_level, std::string_view, std::string_view message) { log += message; };
  running_beacon beacon{context, options};
  REQUIRE(run_until(context, [&] { return beacon.ended; }));
  CHECK(beacon.end == std::errc::address_in_use);
  CHECK(log.find(std::to_string(options.port)) != std::string::npos);
}

TEST_CASE("a bad configuration ends the run at once and the log names the option", "[discovery][beacon]") {
  asio::io_context context;
  auto options = on_loopback(own_port());
  options.announce_interval = milliseconds{1};
  std::string log;
  options.log = [&](log_level, std::string_view, std::string_view message) { log += message; };
  running_beacon beacon{context, options};
  REQUIRE(run_until(context, [&] { return beacon.ended; }));
  CHECK(beacon.end == errc::invalid_configuration);
  CHECK(log.find("announce_interval") == 0);
}

TEST_CASE("no interface is an event, not an end", "[discovery][beacon]") {
  asio::io_context context;
  auto options = on_loopback(own_port());
  options.interfaces = {"nosuch0"};
  running_beacon beacon{context, options};
  beacon.beacon.announce(a_service("lonely"));
  REQUIRE(run_until(context, [&] { return beacon.told<discovery::isolated>(); }));
  CHECK_FALSE(beacon.ended);
  CHECK(beacon.metric("discovery.interfaces") == 0);
}

TEST_CASE("what is wrong with a call is said at the call", "[discovery][beacon]") {
  asio::io_context context;
  discovery::beacon beacon{context.get_executor(), on_loopback(own_port())};
  auto unsound = a_service("x");
  unsound.endpoints.clear();
  std::error_code error;
  CHECK(beacon.announce(unsound, error).none());
  CHECK(error == errc::invalid_argument);
  CHECK_THROWS_WITH(beacon.announce(unsound), Catch::Contains("endpoints"));
  for (int i = 0; i < 64; ++i) beacon.announce(a_service(std::to_string(i)));
  beacon.announce(a_service("one too many"), error);
  CHECK(error == errc::would_overflow);
  beacon.browse("not a type", error);
  CHECK(error == errc::invalid_argument);
  for (int i = 0; i < 16; ++i) beacon.browse("t" + std::to_string(i));
  beacon.browse("t16", error);
  CHECK(error == errc::would_overflow);
  beacon.stop_browse("t3");
  beacon.browse("t16", error);
  CHECK_FALSE(error);
}

TEST_CASE("a seek finds somebody, or says that its time is over", "[discovery][beacon]") {
  asio::io_context context;
  const auto port = own_port();
  running_beacon first{context, on_loopback(port)};
  running_beacon second{context, on_loopback(port)};
  first.beacon.announce(a_service("here", "sought"));
  auto here = second.beacon.async_seek("sought", seconds{5}, asio::use_future);
  auto nobody = second.beacon.async_seek("nobody", milliseconds{50}, asio::use_future);
  auto unsound = second.beacon.async_seek("", seconds{1}, asio::use_future);
  const auto ready = [](auto& f) { return f.wait_for(seconds{0}) == std::future_status::ready; };
  REQUIRE(run_until(context, [&] { return ready(here) && ready(nobody) && ready(unsound); }));
  CHECK(here.get().name == "here");
  CHECK_THROWS_WITH(nobody.get(), Catch::Contains(make_error_code(errc::timed_out).message()));
  CHECK_THROWS_WITH(unsound.get(), Catch::Contains(make_error_code(errc::invalid_argument).message()));
}

TEST_CASE("static peers are found under every type that is browsed for", "[discovery][beacon]") {
  asio::io_context context;
  auto options = on_loopback(own_port());
  options.static_peers = {endpoint::v4(192, 0, 2, 7, 7000)};
  running_beacon beacon{context, options};
  beacon.beacon.browse("kv");
  REQUIRE(run_until(context, [&] { return beacon.told_of<discovery::found>("192.0.2.7:7000"); }));
  CHECK(beacon.told_of<discovery::found>("192.0.2.7:7000")->what.type == "kv");
}

TEST_CASE("who fetches no events is told how many were dropped", "[discovery][beacon]") {
  asio::io_context context;
  const auto port = own_port();
  auto options = on_loopback(port);
  options.event_queue_max = 16;
  running_beacon many{context, on_loopback(port)};
  discovery::beacon slow{context.get_executor(), options};
  slow.async_run([](std::error_code) {});
  slow.browse("kv");
  for (int i = 0; i < 30; ++i) many.beacon.announce(a_service(std::to_string(i)));
  const auto known = [&] {
    std::uint64_t services = 0;
    slow.metrics([&](std::string_view name, std::uint64_t value) {
      if (name == "discovery.services_known") services = value;
    });
    return services;
  };
  REQUIRE(run_until(context, [&] { return known() == 30; }));
  std::vector<discovery::event> events;
  for (int i = 0; i < 17; ++i)
    slow.async_next_event([&](std::error_code, discovery::event e) { events.push_back(std::move(e)); });
  REQUIRE(run_until(context, [&] { return events.size() == 17; }));
  REQUIRE(std::holds_alternative<discovery::overflow>(events.back()));
  CHECK(std::get<discovery::overflow>(events.back()).events_lost == 15);  // 30 and `connected`, less the 16 kept
}

TEST_CASE("each operation is cancelled alone, and the run by its own slot", "[discovery][beacon]") {
  asio::io_context context;
  discovery::beacon beacon{context.get_executor(), on_loopback(own_port())};
  asio::cancellation_signal stop_run;
  asio::cancellation_signal stop_event;
  asio::cancellation_signal stop_seek;
  std::optional<std::error_code> run_end;
  std::optional<std::error_code> event_end;
  std::optional<std::error_code> seek_end;
  beacon.async_run(asio::bind_cancellation_slot(stop_run.slot(), [&](std::error_code e) { run_end = e; }));
  beacon.async_next_event([](std::error_code, const discovery::event&) {});  // takes `connected`
  beacon.async_next_event(asio::bind_cancellation_slot(
      stop_event.slot(), [&](std::error_code e, const discovery::event&) { event_end = e; }));
  beacon.async_seek("nobody", seconds{100},
                    asio::bind_cancellation_slot(stop_seek.slot(),
                                                 [&](std::error_code e, const discovery::service&) { seek_end = e; }));
  run_until(context, [] { return false; }, milliseconds{20});
  stop_event.emit(asio::cancellation_type::total);
  REQUIRE(run_until(context, [&] { return event_end.has_value(); }));
  CHECK(*event_end == asio::error::operation_aborted);
  CHECK_FALSE(seek_end);
  stop_seek.emit(asio::cancellation_type::total);
  REQUIRE(run_until(context, [&] { return seek_end.has_value(); }));
  CHECK_FALSE(run_end);
  stop_run.emit(asio::cancellation_type::terminal);
  REQUIRE(run_until(context, [&] { return run_end.has_value(); }));
  CHECK(*run_end == asio::error::operation_aborted);
  std::error_code error;
  beacon.browse("kv", error);
  CHECK(error == errc::not_running);
}

TEST_CASE("a beacon may be destroyed with everything under way", "[discovery][beacon]") {
  asio::io_context context;
  auto beacon = std::make_unique<discovery::beacon>(context.get_executor(), on_loopback(own_port()));
  int aborted = 0;
  const auto count = [&](std::error_code error, const auto&...) { aborted += error == asio::error::operation_aborted; };
  const node_id instance = beacon->announce(a_service("x"));
  beacon->async_run(count);
  beacon->async_next_event([&](std::error_code, const discovery::event&) {});
  beacon->async_next_event(count);
  beacon->async_seek("nobody", seconds{100}, count);
  beacon->async_withdraw(instance, count);
  SECTION("before anything ran") {}
  SECTION("in the middle") {
    run_until(context, [] { return false; }, milliseconds{20});
  }
  beacon.reset();
  context.restart();
  context.run();  // ends: no timer and no socket is left
  CHECK(aborted == 4);
}

TEST_CASE("a beacon may be used from several threads while it runs", "[discovery][beacon]") {
  asio::io_context context;
  const auto port = own_port();
  running_beacon looking{context, on_loopback(port)};
  looking.beacon.browse("");
  discovery::beacon offering{context.get_executor(), on_loopback(port)};
  offering.async_run([](std::error_code) {});
  std::vector<std::thread> users;
  for (int t = 0; t < 2; ++t)
    users.emplace_back([&, t] {
      for (int i = 0; i < 10; ++i) {
        const node_id instance = offering.announce(a_service(std::to_string(t) + "/" + std::to_string(i)));
        offering.browse("t" + std::to_string(t));
        offering.metrics([](std::string_view, std::uint64_t) {});
        if (i % 2 == 0) offering.async_withdraw(instance, [](std::error_code) {});
        offering.async_next_event([](std::error_code, const discovery::event&) {});
        offering.stop_browse("t" + std::to_string(t));
      }
    });
  CHECK(run_until(context,
                  [&] { return looking.told_of<discovery::found>("0/9") && looking.told_of<discovery::lost>("1/8"); }));
  for (auto& user : users) user.join();
}
