#include "artillery/node.hpp"

#include <algorithm>
#include <array>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/error.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/use_future.hpp>
#include <atomic>
#include <future>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "artillery/discovery.hpp"
#include "artillery/membership.hpp"
#include "catch.hpp"
#include "node/node_world.hpp"
#include "replication_binding/plain_register.hpp"

using namespace artillery;
using namespace node_world;
using replication::strong;

namespace {

bool formed(const watched& one) {
  return one.last<chain_formed>() != nullptr;
}

replication::read_result read(world& of, watched& at, const std::string& key, replication::consistency level = strong) {
  auto [error, result] =
      of.result_of<replication::read_result>([&](auto done) { at.node->async_read(key, level, std::move(done)); });
  INFO(error.message());
  REQUIRE_FALSE(error);
  return result;
}

replication::write_result put(world& of, watched& at, const std::string& key, const std::string& value) {
  auto [error, result] =
      of.result_of<replication::write_result>([&](auto done) { at.node->async_put(key, value, std::move(done)); });
  INFO(error.message());
  REQUIRE_FALSE(error);
  return result;
}

}  // namespace

TEST_CASE("a node of defaults hosts a chain of its own at once", "[node]") {
  world all;
  auto& one = all.start(all.config(1));
  CHECK(put(all, one, "k", "v").applied);  // waits for the chain by itself
  const auto found = read(all, one, "k");
  CHECK(found.value->text() == "v");
  CHECK(found.local);
  CHECK(one.node->try_read("k").value.text() == "v");
  CHECK(one.node->try_read("other").absent());
  REQUIRE(one.last<node_started>() != nullptr);
  CHECK(one.node->chain()->replicas.size() == 1);

  const auto status = one.node->status();
  CHECK(status.running);
  CHECK(status.members == 1);
  CHECK(status.chain == chain_state::formed);
  CHECK(status.chain_remark.empty());
  CHECK(status.membership == one.last<node_started>()->membership);
  CHECK(status.replica.role == replication::role::single);
  CHECK(status.name.size() == 8);

  const auto swapped = all.result_of<replication::write_result>(
      [&](auto done) { one.node->async_compare_and_swap("k", found.version, "w", std::move(done)); });
  CHECK(swapped.second.applied);
  const auto refused = all.result_of<replication::write_result>(
      [&](auto done) { one.node->async_compare_and_swap("k", found.version, "x", std::move(done)); });
  CHECK_FALSE(refused.first);
  CHECK_FALSE(refused.second.applied);
  CHECK(all.result_of<replication::write_result>([&](auto done) { one.node->async_erase("k", std::move(done)); })
            .second.applied);
  CHECK_FALSE(read(all, one, "k").found());
}

TEST_CASE("three nodes find each other by broadcast, form a chain, and a fourth is its client", "[node]") {
  world all;
  std::vector<watched*> three;
  for (int i = 0; i < 3; ++i) three.push_back(&all.start(all.config(3)));
  REQUIRE(all.until([&] { return std::all_of(three.begin(), three.end(), [](auto* one) { return formed(*one); }); }));

  const auto chain = three[0]->node->chain();
  REQUIRE(chain->replicas.size() == 3);
  for (auto* one : three) CHECK(one->node->chain()->replicas == chain->replicas);
  CHECK(std::is_sorted(chain->replicas.begin(), chain->replicas.end(),
                       [](const auto& a, const auto& b) { return a.id.node < b.id.node; }));
  std::set<replication::role> roles;
  for (auto* one : three) roles.insert(one->last<chain_formed>()->here);
  CHECK(roles == std::set{replication::role::head, replication::role::middle, replication::role::tail});

  CHECK(put(all, *three[0], "k", "v").applied);
  for (auto* one : three) CHECK(read(all, *one, "k").value->text() == "v");

  auto& fourth = all.start(all.config(3));
  REQUIRE(all.until([&] { return formed(fourth); }));
  CHECK(fourth.last<chain_formed>()->here == replication::role::none);
  CHECK(read(all, fourth, "k").value->text() == "v");
  CHECK(put(all, fourth, "k", "from a client").applied);
  for (auto* one : three) CHECK(read(all, *one, "k").value->text() == "from a client");
  CHECK(fourth.node->try_read("k").what == replication::local_read::outcome::ask);

  CHECK_FALSE(all.error_of([&](auto done) { three[1]->node->async_broadcast("news", "hello", std::move(done)); }));
  REQUIRE(all.until([&] {
    return three[0]->last_of_membership<membership::user_event>() != nullptr &&
           three[2]->last_of_membership<membership::user_event>() != nullptr &&
           fourth.last_of_membership<membership::user_event>() != nullptr;
  }));
  CHECK(fourth.last_of_membership<membership::user_event>()->payload.text() == "hello");
  CHECK(fourth.last_of_membership<membership::user_event>()->origin == three[1]->node->self().id);

  const node_id gone = three[2]->node->self().id;
  three[2]->node.reset();
  REQUIRE(all.until([&] {
    return std::all_of(three.begin(), three.begin() + 2, [&](watched* one) {
      const auto* failed = one->last_of_membership<membership::failed>();
      return failed != nullptr && failed->member.id == gone;
    });
  }));
  for (int i = 0; i < 2; ++i)
    CHECK(read(all, *three[static_cast<std::size_t>(i)], "k").value->text() == "from a client");
  CHECK(three[0]->node->members().size() == 4);
  CHECK(three[0]->node->status().members == 3);
  CHECK_FALSE(three[0]->ended);
}

TEST_CASE("a node that leaves is not reported failed, and its run ends well", "[node]") {
  world all;
  auto& a = all.start(all.config(2));
  auto& b = all.start(all.config(2));
  REQUIRE(all.until([&] { return formed(a) && formed(b); }));
  CHECK_FALSE(all.error_of([&](auto done) { b.node->async_leave(std::move(done)); }));
  REQUIRE(all.until([&] { return b.ended && a.last_of_membership<membership::left>() != nullptr; }));
  CHECK_FALSE(*b.ended);
  CHECK(a.last_of_membership<membership::failed>() == nullptr);
  CHECK_FALSE(b.node->status().running);
  CHECK(all.error_of([&](auto done) { b.node->async_leave(std::move(done)); }) == errc::not_running);
  CHECK(all.error_of([&](auto done) { b.node->async_run(std::move(done)); }) == errc::not_running);
}

TEST_CASE("nodes find each other by seeds alone", "[node]") {
  world all;
  auto first = all.config(2);
  first.discover = false;
  auto& a = all.start(first);
  REQUIRE(all.until([&] { return a.last<node_started>() != nullptr; }));
  auto second = all.config(2);
  second.discover = false;
  second.seeds = {a.last<node_started>()->membership};
  second.tags = {{"zone", "b"}};
  auto& b = all.start(second);
  REQUIRE(all.until([&] { return formed(a) && formed(b); }));
  REQUIRE(a.node->members().size() == 2);
  const auto tag = [&](const node_id& id, const std::string& key) {
    for (const auto& member : a.node->members()) {
      if (member.id == id && member.tags.contains(key)) return member.tags.at(key);
    }
    return std::string{};
  };
  CHECK(tag(b.node->self().id, "zone") == "b");
  CHECK(all.until([&] {
    return tag(a.node->self().id, "chain").starts_with("genesis ") &&
           tag(b.node->self().id, "chain").starts_with("genesis ");
  }));
}

TEST_CASE("a client goes over to the chain that takes the place of one of which nobody is left", "[node]") {
  world all;
  auto& a = all.start(all.config(2));
  auto& b = all.start(all.config(2));
  auto& client = all.start(all.config(0));
  REQUIRE(all.until([&] { return formed(a) && formed(b) && formed(client); }));
  CHECK(put(all, client, "k", "old").applied);
  const auto old_chain = client.node->chain();
  a.node.reset();
  b.node.reset();
  auto& c = all.start(all.config(2));
  auto& d = all.start(all.config(2));
  REQUIRE(all.until([&] { return formed(c) && formed(d) && client.node->chain() != old_chain; }));
  CHECK(client.last<chain_formed>()->here == replication::role::none);
  CHECK_FALSE(read(all, client, "k").found());  // a new chain, and empty
  CHECK(put(all, client, "k", "new").applied);
  CHECK(read(all, c, "k").value->text() == "new");
  CHECK_FALSE(client.ended);
}

TEST_CASE("calls wait for the chain until their timeout, and can be cancelled while they wait", "[node]") {
  world all;
  auto config = all.config(2);
  config.waiting_calls_max = 2;
  auto& one = all.start(config);
  REQUIRE(all.until([&] { return one.last<node_started>() != nullptr; }));
  CHECK(one.node->status().chain_remark == "waiting for 1 more: 1 of the expected 2 nodes are known");

  const auto late = all.result_of<replication::read_result>(
      [&](auto done) { one.node->async_read("k", strong, call_options{20ms}, std::move(done)); });
  CHECK(late.first == errc::timed_out);

  asio::cancellation_signal cancel;
  std::optional<std::error_code> cancelled;
  one.node->async_put("k", "v", asio::bind_cancellation_slot(cancel.slot(), [&](std::error_code error, const auto&) {
                        cancelled = error;
                      }));
  std::optional<std::error_code> kept;
  one.node->async_put("k", "kept", [&](std::error_code error, const auto&) { kept = error; });
  const auto too_many =
      all.result_of<replication::write_result>([&](auto done) { one.node->async_put("k", "v", std::move(done)); });
  CHECK(too_many.first == errc::would_overflow);
  cancel.emit(asio::cancellation_type::total);
  REQUIRE(all.until([&] { return cancelled.has_value(); }));
  CHECK(*cancelled == asio::error::operation_aborted);
  CHECK_FALSE(kept);

  auto& other = all.start(all.config(2));
  REQUIRE(all.until([&] { return kept.has_value(); }));
  CHECK_FALSE(*kept);
  CHECK(read(all, other, "k").value->text() == "kept");
}

TEST_CASE("a wrong argument is refused at the call", "[node]") {
  world all;
  auto config = all.config(1);
  config.value_size_max = 4;
  auto& one = all.start(config);
  const auto put_error = [&](bytes key, bytes value, call_options options) {
    return all
        .result_of<replication::write_result>(
            [&](auto done) { one.node->async_put(key, value, options, std::move(done)); })
        .first;
  };
  CHECK(put_error("", "v", {}) == errc::invalid_argument);
  CHECK(put_error(std::string(1025, 'k'), "v", {}) == errc::invalid_argument);
  CHECK(put_error("k", "12345", {}) == errc::too_large);
  CHECK(put_error("k", "v", call_options{0s}) == errc::invalid_argument);
  CHECK(put_error("k", "1234", {}) == std::error_code{});
  CHECK(all.result_of<replication::read_result>([&](auto done) { one.node->async_read("", strong, std::move(done)); })
            .first == errc::invalid_argument);
  CHECK(all.error_of([&](auto done) { one.node->async_broadcast("", "x", std::move(done)); }) ==
        errc::invalid_argument);
  CHECK(one.node->add_seed(endpoint{}) == errc::invalid_argument);
}

TEST_CASE("a wrong configuration ends the run and says why in the log", "[node]") {
  world all;
  auto config = all.config(8);
  std::string remarks;
  config.log = [&](log_level, std::string_view, std::string_view message) { remarks += message; };
  auto& one = all.start(config);
  REQUIRE(all.until([&] { return one.ended.has_value(); }));
  CHECK(*one.ended == errc::invalid_configuration);
  CHECK(remarks.find("expect is 8; 0 to 7 are allowed") != std::string::npos);
  CHECK(one.node->members().empty());
  CHECK(one.node->try_read("k").what == replication::local_read::outcome::ask);
  CHECK(one.node->add_seed(endpoint::v4(127, 0, 0, 1, 1)) == errc::not_running);
  CHECK(all.error_of([&](auto done) { one.node->async_broadcast("t", "x", std::move(done)); }) == errc::not_running);
}

TEST_CASE("a port that is taken ends the run with the system's reason", "[node]") {
  world all;
  auto& first = all.start(all.config(1));
  REQUIRE(all.until([&] { return first.last<node_started>() != nullptr; }));
  auto config = all.config(1);
  config.bind = first.last<node_started>()->membership;
  auto& second = all.start(config);
  config = all.config(1);
  config.replication_port = first.last<node_started>()->replication.port();
  auto& third = all.start(config);
  REQUIRE(all.until([&] { return second.ended && third.ended; }));
  CHECK(*second.ended == std::errc::address_in_use);
  CHECK(*third.ended == std::errc::address_in_use);
  CHECK(second.last<node_started>() == nullptr);
}

TEST_CASE("a run that is cancelled ends the node and everything that waits at it", "[node]") {
  world all;
  node one{all.context.get_executor(), all.config(2)};
  asio::cancellation_signal cancel;
  std::optional<std::error_code> ended;
  std::optional<std::error_code> twice;
  std::optional<std::error_code> event;
  std::optional<std::error_code> waiting;
  one.async_run(asio::bind_cancellation_slot(cancel.slot(), [&](std::error_code error) { ended = error; }));
  one.async_run([&](std::error_code error) { twice = error; });
  one.async_put("k", "v", [&](std::error_code error, const auto&) { waiting = error; });
  REQUIRE(all.until([&] { return one.status().chain_remark.starts_with("waiting for 1 more"); }));
  cancel.emit(asio::cancellation_type::terminal);
  REQUIRE(all.until([&] { return ended && twice && waiting; }));
  CHECK(*ended == asio::error::operation_aborted);
  CHECK(*twice == errc::already_running);
  CHECK(*waiting == errc::not_running);
  // What was not fetched is still there, and then the end.
  std::size_t facts = 0;
  while (!event) {
    one.async_next_event([&](std::error_code error, const node_event&) {
      if (error) event = error;
      ++facts;
    });
    const std::size_t before = facts;
    REQUIRE(all.until([&] { return facts != before; }));
  }
  CHECK(*event == asio::error::operation_aborted);
  CHECK(facts >= 2);
}

TEST_CASE("a node may be destroyed at any moment", "[node]") {
  // After each number of handlers in turn: before anything ran, while sockets are bound, while the chain is formed, in
  // the middle of operations.
  for (int handlers = 0; handlers < 120; handlers += 3) {
    CAPTURE(handlers);
    world all;
    int completed = 0;
    {
      node one{all.context.get_executor(), all.config(1)};
      one.async_run([&](std::error_code error) { completed += error ? 1 : 100; });
      one.async_next_event([&](std::error_code, const node_event&) { ++completed; });
      one.async_put("k", std::string(100'000, 'v'), [&](std::error_code, const auto&) { ++completed; });
      one.async_read("k", replication::eventual, [&](std::error_code, const auto&) { ++completed; });
      for (int i = 0; i < handlers; ++i) all.context.poll_one();
    }
    all.context.restart();
    all.context.run_for(10s);
    CHECK(all.context.stopped());  // nothing is left to run
    CHECK(completed == 4);
  }
}

TEST_CASE("a node outlives a context that never ran again without a leak", "[node]") {
  // The leak sanitizer is the judge: the parts hold handlers, the handlers must not hold the parts.
  world all;
  auto& one = all.start(all.config(1));
  REQUIRE(all.until([&] { return formed(one); }));
  one.node->async_put("k", "v", [](std::error_code, const auto&) {});
  one.node->async_read("k", replication::eventual, [](std::error_code, const auto&) {});
  CHECK(formed(one));
}

TEST_CASE("a node may be destroyed and moved inside a handler of its own", "[node]") {
  world all;
  auto one = std::make_unique<node>(all.context.get_executor(), all.config(1));
  node moved = std::move(*one);
  *one = std::move(moved);
  std::optional<std::error_code> ended;
  one->async_run([&](std::error_code error) { ended = error; });
  one->async_put("k", "v", [&](std::error_code, const auto&) { one.reset(); });
  REQUIRE(all.until([&] { return ended.has_value(); }));
  CHECK(*ended == asio::error::operation_aborted);
  CHECK(one == nullptr);
}

TEST_CASE("a node serves several threads at once", "[node][threads]") {
  asio::io_context context;
  auto config = world{}.config(1);
  node one{context.get_executor(), config};
  auto work = asio::make_work_guard(context);
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) threads.emplace_back([&] { context.run(); });
  auto ended = one.async_run(asio::use_future);
  std::atomic<int> wrong{0};
  std::vector<std::thread> users;
  for (int user = 0; user < 2; ++user) {
    users.emplace_back([&, user] {
      const std::string key = "k" + std::to_string(user);
      for (int i = 0; i < 50; ++i) {
        one.async_put(key, std::to_string(i), asio::use_future).get();
        const auto result = one.async_read(key, strong, asio::use_future).get();
        if (!result.found() || result.value->text() != std::to_string(i)) ++wrong;
        const auto local = one.try_read(key);
        if (local.found() && local.value.text() != std::to_string(i)) ++wrong;
        static_cast<void>(one.status());
        static_cast<void>(one.members());
        static_cast<void>(one.chain());
        one.metrics([](std::string_view, std::uint64_t) {});
      }
    });
  }
  for (auto& user : users) user.join();
  CHECK(wrong == 0);
  CHECK_NOTHROW(one.async_leave(asio::use_future).get());
  CHECK_NOTHROW(ended.get());
  work.reset();
  for (auto& thread : threads) thread.join();
}

TEST_CASE("a user's own composition feeds what a beacon finds to a cluster", "[node][adapters]") {
  world all;
  auto& one = all.start(all.config(1));

  discovery::config of_beacon;
  of_beacon.cluster = all.config(1).cluster;
  of_beacon.port = all.config(1).discovery_port;
  of_beacon.interfaces = {"lo"};
  auto of_cluster = membership::config::local();
  of_cluster.cluster = of_beacon.cluster;
  discovery::beacon beacon{all.context.get_executor(), of_beacon};
  membership::cluster cluster{all.context.get_executor(), of_cluster};
  beacon.browse(node_service_type);
  asio::cancellation_signal cancel;
  std::optional<std::error_code> fed;
  beacon.async_run([](std::error_code) {});
  cluster.async_run([](std::error_code) {});
  async_feed_seeds(beacon, cluster,
                   asio::bind_cancellation_slot(cancel.slot(), [&](std::error_code error) { fed = error; }));
  REQUIRE_FALSE(all.error_of([&](auto done) { cluster.async_join(std::move(done)); }));
  REQUIRE(all.until([&] { return one.node->status().members == 2; }));
  CHECK_FALSE(fed);
  cancel.emit(asio::cancellation_type::total);
  REQUIRE(all.until([&] { return fed.has_value(); }));
  CHECK(*fed == asio::error::operation_aborted);
}

TEST_CASE("a user's own composition feeds what a cluster reports to a replica", "[node][adapters]") {
  world all;
  auto settings = membership::config::local();
  settings.cluster = all.config(1).cluster;
  std::array<std::optional<membership::cluster>, 2> clusters;
  for (auto& cluster : clusters) {
    cluster.emplace(all.context.get_executor(), settings);
    cluster->async_run([](std::error_code) {});
  }
  const auto [error, at] = all.result_of<endpoint>([&](auto done) { clusters[1]->async_ready(std::move(done)); });
  REQUIRE_FALSE(error);

  replication::view chain;
  chain.chain = 1;
  chain.epoch = 1;
  const endpoint nobody = endpoint::v4(127, 0, 0, 1, 1);
  for (const auto& cluster : clusters) chain.replicas.push_back({{cluster->id(), 1}, nobody});
  chain.leases = replication::lease_mode::timed;
  chain.lease = std::chrono::seconds{1};
  for (const auto& each : chain.replicas) chain.readers.push_back(each.id);
  replication::plain_register decides;
  decides.begin(chain);
  replication::replica_config of_replica;
  of_replica.self = chain.replicas[0].id;
  of_replica.failed_after = std::chrono::hours{1};  // what the replica sees by itself does not matter
  replication::replica replica{all.context.get_executor(), of_replica, {}, decides};
  replica.async_run([](std::error_code) {});
  REQUIRE(all.until([&] { return replica.status().epoch == 1; }));

  asio::cancellation_signal cancel;
  std::optional<std::error_code> fed;
  async_feed_hints(*clusters[0], replica,
                   asio::bind_cancellation_slot(cancel.slot(), [&](std::error_code ended) { fed = ended; }));
  clusters[0]->add_seed(at);
  REQUIRE(all.until([&] { return replica.counters().hints > 0; }));  // joined
  const auto before = replica.counters().hints;
  clusters[1].reset();
  REQUIRE(all.until([&] { return replica.counters().hints > before; }));      // suspected, failed
  REQUIRE(all.until([&] { return decides.newest().replicas.size() == 1; }));  // so that a view without it is chosen
  CHECK_FALSE(fed);
  cancel.emit(asio::cancellation_type::total);
  REQUIRE(all.until([&] { return fed.has_value(); }));
  CHECK(*fed == asio::error::operation_aborted);
}
