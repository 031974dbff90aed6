#include "membership/running_cluster.hpp"

using namespace running;

namespace {

struct two_nodes {
  explicit two_nodes(asio::io_context& context, const endpoint& group = {})
      : a{context, with(quick("a"), group)}, b{context, with(quick("b"), group)} {
    b.cluster.add_seed(ready(context, a));
    REQUIRE(
        run_until(context, [&] { return a.count<membership::joined>() == 1 && b.count<membership::joined>() == 1; }));
  }
  static membership::config with(membership::config config, const endpoint& group) {
    config.group = group;
    return config;
  }
  node a;
  node b;
};

/// All that a subscription told.
struct reader {
  explicit reader(membership::subscription& from) { next(from); }
  void next(membership::subscription& from) {
    from.async_next([this, &from](std::error_code error, membership::event what) {
      if (error) {
        ended = error;
        return;
      }
      told.push_back(std::move(what));
      next(from);
    });
  }
  std::vector<membership::event> told;
  std::optional<std::error_code> ended;
};

std::size_t user_events_of(const node& n, std::string_view topic) {
  std::size_t count = 0;
  for (const auto& e : n.kept->events) {
    const auto* one = std::get_if<membership::user_event>(&e);
    count += one != nullptr && one->topic == topic ? 1U : 0U;
  }
  return count;
}

}  // namespace

TEST_CASE("a subscription is told what is said under its topic, and the cluster all else", "[membership][socket]") {
  asio::io_context context;
  two_nodes two{context};
  auto prices = two.b.cluster.subscribe("prices");
  CHECK(prices.topic() == "prices");
  reader reads{prices};
  two.a.cluster.async_broadcast("prices", "1", [](std::error_code) {});
  two.a.cluster.async_broadcast("news", "2", [](std::error_code) {});
  two.a.cluster.async_send(two.b.cluster.id(), "prices", "3", {}, [](std::error_code) {});
  two.a.cluster.async_query("prices", "4", {}, [](std::error_code, std::uint64_t) {});
  REQUIRE(run_until(context, [&] { return reads.told.size() == 3 && user_events_of(two.b, "news") == 1; }));
  CHECK(user_events_of(two.b, "prices") == 0);
  CHECK(two.b.count<membership::message>() == 0);
  CHECK(two.b.count<membership::query>() == 0);
}

TEST_CASE("several subscriptions of a topic are each told all of it", "[membership][socket]") {
  asio::io_context context;
  two_nodes two{context};
  auto one = two.b.cluster.subscribe("t");
  auto other = two.b.cluster.subscribe("t");
  reader reads_one{one};
  reader reads_other{other};
  two.a.cluster.async_broadcast("t", "1", [](std::error_code) {});
  REQUIRE(run_until(context, [&] { return reads_one.told.size() == 1 && reads_other.told.size() == 1; }));
}

TEST_CASE("what a subscription waits for ends with it, and its topic is the cluster's again", "[membership][socket]") {
  asio::io_context context;
  two_nodes two{context};
  std::optional<std::error_code> ended;
  {
    auto gone = two.b.cluster.subscribe("t");
    gone.async_next([&](std::error_code error, membership::event) { ended = error; });
  }
  REQUIRE(run_until(context, [&] { return ended.has_value(); }));
  CHECK(*ended == asio::error::operation_aborted);
  two.a.cluster.async_broadcast("t", "1", [](std::error_code) {});
  REQUIRE(run_until(context, [&] { return user_events_of(two.b, "t") == 1; }));
}

TEST_CASE("a subscription outlives its cluster, and says that it is over", "[membership][socket]") {
  asio::io_context context;
  std::optional<membership::subscription> kept;
  std::optional<std::error_code> waited;
  {
    two_nodes two{context};
    kept.emplace(two.b.cluster.subscribe("t"));
    kept->async_next([&](std::error_code error, membership::event) { waited = error; });
  }
  REQUIRE(run_until(context, [&] { return waited.has_value(); }));
  CHECK(*waited == asio::error::operation_aborted);
  std::optional<std::error_code> later;
  kept->async_next([&](std::error_code error, membership::event) { later = error; });
  REQUIRE(run_until(context, [&] { return later.has_value(); }));
  CHECK(*later);
}

TEST_CASE("a subscription may be destroyed in its own handler, and made in another's", "[membership][socket]") {
  asio::io_context context;
  two_nodes two{context};
  std::optional<membership::subscription> first{two.b.cluster.subscribe("t")};
  std::optional<membership::subscription> second;
  std::size_t told = 0;
  first->async_next([&](std::error_code error, membership::event) {
    REQUIRE_FALSE(error);
    first.reset();
    second.emplace(two.b.cluster.subscribe("t"));
    second->async_next([&](std::error_code, membership::event) { ++told; });
    two.a.cluster.async_broadcast("t", "2", [](std::error_code) {});
  });
  two.a.cluster.async_broadcast("t", "1", [](std::error_code) {});
  REQUIRE(run_until(context, [&] { return told == 1; }));
}

TEST_CASE("the others are told why a member left", "[membership][socket]") {
  asio::io_context context;
  two_nodes two{context};
  std::optional<std::error_code> refused;
  two.b.cluster.async_leave(std::string(65, 'x'), [&](std::error_code error) { refused = error; });
  REQUIRE(run_until(context, [&] { return refused.has_value(); }));
  CHECK(*refused == errc::too_large);
  two.b.cluster.async_leave("upgrade", [](std::error_code) {});
  REQUIRE(run_until(context, [&] { return two.a.count<membership::left>() == 1; }));
  for (const auto& e : two.a.kept->events) {
    if (const auto* gone = std::get_if<membership::left>(&e)) CHECK(gone->reason == "upgrade");
  }
}

TEST_CASE("a node learns how long the other takes to answer, and where it is seen itself", "[membership][socket]") {
  asio::io_context context;
  two_nodes two{context};
  CHECK(run_until(context, [&] {
    return two.a.cluster.members().back().round_trip > 0ns && !two.a.cluster.observed_endpoint().none();
  }));
  CHECK(two.a.cluster.observed_endpoint() == two.a.cluster.local_endpoint());
}

TEST_CASE("an event reaches those of a multicast group, and all others by gossip", "[membership][socket]") {
  asio::io_context context;
  two_nodes two{context, endpoint::v4(239, 255, 77, 1, 17'947)};
  two.a.cluster.async_broadcast("t", "1", [](std::error_code) {});
  REQUIRE(run_until(context, [&] { return user_events_of(two.b, "t") == 1; }));
  CHECK(two.a.figure("membership.group_datagrams_sent") >= 1);
  // By the group and by gossip: at most once all the same.
  REQUIRE(run_until(context, [&] { return two.b.figure("membership.events_duplicate") >= 1; }));
  CHECK(user_events_of(two.b, "t") == 1);
}

TEST_CASE("a group that cannot be had is said, and the node goes on without", "[membership][socket]") {
  asio::io_context context;
  std::vector<std::string> said;
  membership::config config = quick("a");
  config.group = endpoint::v4(192, 0, 2, 1, 17'948);  // not this machine's
  config.log = [&](log_level level, std::string_view, std::string_view what) {
    if (level == log_level::warning) said.emplace_back(what);
  };
  node a{context, config};
  CHECK_FALSE(ready(context, a).none());
  REQUIRE(said.size() == 1);
  CHECK(said.front().find("192.0.2.1:17948") != std::string::npos);
}
