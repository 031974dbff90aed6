#include <asio/ip/udp.hpp>
#include <asio/thread_pool.hpp>
#include <string>

#include "catch.hpp"
#include "loopback_register.hpp"

// The register that decides views, on real sockets and disks.

namespace artillery::replication {
namespace {

TEST_CASE("three voters found a chain, and each of them reads its first view", "[replication][register][sockets]") {
  loopback_register voters{3};
  CHECK(voters.at(0).status().genesis == 0);
  const auto founded = voters.found(0, loopback_register::first({0, 1, 2}));
  REQUIRE_FALSE(founded.error());
  CHECK(founded.result().voters.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto newest = voters.read(i);
    REQUIRE_FALSE(newest.error());
    CHECK(newest.result().now.view == founded.result());
    CHECK(newest.result().fences);
    CHECK(voters.at(i).status().votes);
    CHECK(voters.at(i).status().epoch == 1);
  }
}

TEST_CASE("all nodes found the same chain at once, and again later", "[replication][register][sockets]") {
  loopback_register voters{3};
  const view first = loopback_register::first({0, 1, 2});
  view_outcome founded[3];
  for (std::size_t i = 0; i < 3; ++i) voters.at(i).async_found(first, founded[i]);
  for (std::size_t i = 0; i < 3; ++i) {
    REQUIRE_FALSE(voters.wait(founded[i]).error());
    CHECK(founded[i].result() == founded[0].result());
  }
  voters.restart(1);
  CHECK(voters.found(1, first).result() == founded[0].result());
}

TEST_CASE("a founding waits for every voter, and says who is missing", "[replication][register][sockets]") {
  loopback_register voters{3};
  voters.kill(2);
  view_outcome founded;
  voters.at(0).async_found(loopback_register::first({0, 1}), founded);
  REQUIRE(voters.until([&] { return voters.at(0).status().missing.size() == 1; }));
  CHECK(voters.at(0).status().missing.front() == loopback_register::node(2));
  CHECK_FALSE(founded.done());
  voters.restart(2);
  CHECK_FALSE(voters.wait(founded).error());
}

TEST_CASE("of two views for one epoch one is chosen, and the other's proposer is told",
          "[replication][register][sockets]") {
  loopback_register voters{3};
  REQUIRE_FALSE(voters.found(0, loopback_register::first({0, 1, 2})).error());
  const chosen_view first = voters.read(0).result().now;
  const auto one = voters.begin_swap(0, loopback_register::after(first, {0, 1}));
  const auto other = voters.begin_swap(1, loopback_register::after(first, {1, 2}));
  REQUIRE(voters.until([&] { return one.done() && other.done(); }));
  const auto newest = voters.read(2).result().now;
  CHECK(newest.view.epoch == 2);
  for (const auto& each : {one, other}) {
    const bool is_it = each.result().now.view == newest.view && !each.error();
    CHECK((is_it || each.error() == errc::stale_epoch || each.error() == errc::outcome_unknown));
    if (each.error() == errc::stale_epoch) CHECK(each.result().now.view == newest.view);
  }
  CHECK((!one.error() || !other.error() || one.error() == errc::outcome_unknown ||
         other.error() == errc::outcome_unknown));
  CHECK(voters.swap(2, loopback_register::after(first, {2})).error() == errc::stale_epoch);
}

TEST_CASE("members of the newest view may read, nobody else", "[replication][register][sockets]") {
  loopback_register voters{3};
  REQUIRE_FALSE(voters.found(0, loopback_register::first({0, 1, 2})).error());
  CHECK_FALSE(voters.renew(2, name_of(2), 1));
  const auto second = voters.swap(0, loopback_register::after(voters.read(0).result().now, {0, 1}));
  REQUIRE_FALSE(second.error());
  CHECK(voters.renew(2, name_of(2), 1) == errc::stale_epoch);
  CHECK(voters.renew(2, name_of(2), 2) == errc::stale_epoch);
  CHECK_FALSE(voters.renew(1, name_of(1), 2));
}

TEST_CASE("voters say when they have been quiet for long enough", "[replication][register][sockets]") {
  loopback_register voters{3};
  REQUIRE_FALSE(voters.found(0, loopback_register::first({0, 1, 2})).error());
  REQUIRE_FALSE(voters.renew(2, name_of(2), 1));
  const auto second = voters.swap(0, loopback_register::after(voters.read(0).result().now, {0, 1}));
  REQUIRE_FALSE(second.error());
  CHECK(voters.is_quiet(1, second.result().now, 100ms));
  CHECK_FALSE(voters.is_quiet(1, second.result().now, 1h));
}

TEST_CASE("a voter that was killed goes on as the same one", "[replication][register][sockets]") {
  loopback_register voters{3};
  REQUIRE_FALSE(voters.found(0, loopback_register::first({0, 1, 2})).error());
  const chosen_view first = voters.read(0).result().now;
  voters.kill(2);
  REQUIRE_FALSE(voters.swap(0, loopback_register::after(first, {0, 1})).error());
  voters.restart(2);
  voters.kill(1);  // the majority needs the one that was away
  const auto newest = voters.read(2);
  REQUIRE_FALSE(newest.error());
  CHECK(newest.result().now.view.epoch == 2);
  CHECK(voters.at(2).status().epoch == 2);
}

TEST_CASE("without a majority nothing is answered, with one again all is", "[replication][register][sockets]") {
  loopback_register voters{3};
  REQUIRE_FALSE(voters.found(0, loopback_register::first({0, 1, 2})).error());
  const chosen_view first = voters.read(0).result().now;
  voters.kill(1);
  voters.kill(2);
  CHECK(voters.read(0).error() == errc::timed_out);
  CHECK(voters.renew(0, name_of(0), 1) == errc::timed_out);
  CHECK(voters.swap(0, loopback_register::after(first, {0})).error() == errc::outcome_unknown);
  voters.restart(1);
  CHECK_FALSE(voters.read(0).error());
  CHECK_FALSE(voters.read(1).error());
}

TEST_CASE("nodes that propose all the time get on", "[replication][register][sockets]") {
  loopback_register voters{3};
  REQUIRE_FALSE(voters.found(0, loopback_register::first({0, 1, 2})).error());
  std::uint64_t epoch = 1;
  while (epoch < 12) {
    const chosen_view newest = voters.read(0).result().now;
    const auto one = voters.begin_swap(0, loopback_register::after(newest, {0, 1}));
    const auto other = voters.begin_swap(1, loopback_register::after(newest, {1, 0}));
    REQUIRE(voters.until([&] { return one.done() && other.done(); }));
    const auto now = voters.read(2);
    REQUIRE_FALSE(now.error());
    CHECK(now.result().now.view.epoch >= epoch);
    epoch = now.result().now.view.epoch;
  }
}

TEST_CASE("a voter writes its file on threads of their own", "[replication][register][sockets]") {
  asio::thread_pool disks{1};
  loopback_register voters{1};
  voters.kill(0);
  quorum_config config = voters.config_of(0);
  config.disk = disks.get_executor();
  voters.start(0, std::move(config));
  REQUIRE_FALSE(voters.found(0, loopback_register::first({0})).error());
  CHECK_FALSE(voters.read(0).error());
  voters.kill(0);
  disks.join();
}

TEST_CASE("noise is counted and changes nothing", "[replication][register][sockets]") {
  loopback_register voters{3};
  REQUIRE_FALSE(voters.found(0, loopback_register::first({0, 1, 2})).error());
  asio::ip::udp::socket noise{voters.io(), asio::ip::udp::v4()};
  for (const voter_place& one : voters.places()) {
    const asio::ip::udp::endpoint there{asio::ip::make_address_v4("127.0.0.1"), one.at.port()};
    for (std::size_t size = 0; size < 40; ++size) noise.send_to(asio::buffer(std::string(size, 'x')), there);
  }
  const auto heard = [&](std::size_t i) {
    return voters.figure(i, "quorum.voter.malformed") + voters.figure(i, "quorum.answers_malformed");
  };
  REQUIRE(voters.until([&] { return heard(0) >= 40 && heard(1) >= 40 && heard(2) >= 40; }));
  CHECK_FALSE(voters.read(1).error());
}

TEST_CASE("questions end with the authority", "[replication][register][sockets]") {
  loopback_register voters{3};
  voters.kill(1);  // so that nothing is answered before
  const auto asked = voters.begin_read(0);
  view_outcome founded;
  alarm_outcome event;
  voters.at(0).async_found(loopback_register::first({0}), founded);
  voters.at(0).async_next_event(event);
  net::run_ready(voters.io());
  voters.kill(0);
  REQUIRE(voters.until([&] { return asked.done() && founded.done() && event.done(); }));
  CHECK(asked.error() == errc::not_running);
  CHECK(founded.error() == asio::error::operation_aborted);
  CHECK(event.error() == asio::error::operation_aborted);
}

}  // namespace
}  // namespace artillery::replication
