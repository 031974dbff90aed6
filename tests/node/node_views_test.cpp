#include <algorithm>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/error.hpp>
#include <fstream>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "artillery/node.hpp"
#include "catch.hpp"
#include "node/node_world.hpp"
#include "tool/scratch_directory.hpp"

// Chains of nodes that lose nodes and get others, on real sockets.

using namespace artillery;
using namespace node_world;
using replication::strong;
using replication::view_change;

namespace {

/// Nodes of one cluster, by the names of their directories.
class chain_of_nodes_world {
public:
  static constexpr std::size_t expect = 3;

  world all;

  watched& start(const std::string& name) {
    node_config config = all.config(expect);
    config.name = name;
    config.directory = scratch_.file(name);
    return all.start(config);
  }
  std::vector<watched*> start_three() {
    std::vector<watched*> three;
    for (const char* name : {"a", "b", "c"}) three.push_back(&start(name));
    const bool is_formed = all.until([&] { return std::all_of(three.begin(), three.end(), has_chain); });
    INFO(account(three));
    REQUIRE(is_formed);
    return three;
  }
  [[nodiscard]] std::string directory(const std::string& name) const { return scratch_.file(name); }

  void put(watched& at, const std::string& value) {
    auto [error, result] = all.result_of<replication::write_result>(
        [&](auto done) { at.node->async_put("k", value, call_options{15s}, std::move(done)); });
    INFO(error.message());
    REQUIRE_FALSE(error);
    REQUIRE(result.applied);
  }
  std::string read(watched& at) {
    auto [error, result] = all.result_of<replication::read_result>(
        [&](auto done) { at.node->async_read("k", strong, call_options{15s}, std::move(done)); });
    INFO(error.message());
    REQUIRE_FALSE(error);
    return result.found() ? std::string{result.value->text()} : std::string{};
  }
  /// The ids of the chain as this node knows it, head first.
  static std::vector<node_id> order(const watched& at) {
    std::vector<node_id> ids;
    if (const auto view = at.node->chain()) {
      for (const auto& each : view->replicas) ids.push_back(each.id.node);
    }
    return ids;
  }
  bool becomes(const std::vector<watched*>& at, const std::set<node_id>& wanted) {
    return all.until([&] {
      return std::all_of(at.begin(), at.end(), [&](const watched* one) {
        const auto ids = order(*one);
        return std::set<node_id>(ids.begin(), ids.end()) == wanted && ids.size() == wanted.size();
      });
    });
  }

private:
  static bool has_chain(const watched* one) {
    return one->last<chain_formed>() != nullptr && one->node->status().replica.role != replication::role::none &&
           order(*one).size() == expect;
  }

  /// What each node says of itself: for a run that went wrong.
  static std::string account(const std::vector<watched*>& of) {
    std::string text;
    for (const watched* one : of) {
      const node_status now = one->node->status();
      text += now.name + ": " + std::string{one->ended ? "ended: " + one->ended->message() : "runs"} + ", " +
              std::to_string(now.members) + " members, chain " + std::to_string(static_cast<int>(now.chain)) + " \"" +
              now.chain_remark + "\", role " + std::to_string(static_cast<int>(now.replica.role)) + ", epoch " +
              std::to_string(now.replica.view.epoch) + ", " + std::to_string(one->events.size()) + " events\n";
    }
    return text;
  }

  tests::scratch_directory scratch_;
};

node_id id_of(const watched& one) {
  return one.node->self().id;
}

watched& with_id(const std::vector<watched*>& all, const node_id& id) {
  return **std::find_if(all.begin(), all.end(), [&](const watched* one) { return id_of(*one) == id; });
}

}  // namespace

TEST_CASE("a chain of nodes goes on without its head, and the head comes back as its tail", "[node][views]") {
  chain_of_nodes_world town;
  const auto three = town.start_three();
  town.put(*three[0], "first");
  const auto before = chain_of_nodes_world::order(*three[0]);
  watched& head = with_id(three, before[0]);
  watched& middle = with_id(three, before[1]);
  watched& tail = with_id(three, before[2]);
  const std::string name = head.node->self().name;

  head.node.reset();
  REQUIRE(town.becomes({&middle, &tail}, {before[1], before[2]}));
  town.put(middle, "second");
  CHECK(town.read(tail) == "second");
  REQUIRE(middle.last<chain_changed>() != nullptr);
  CHECK(middle.last<chain_changed>()->here == replication::role::head);

  watched& again = town.start(name);
  CHECK(id_of(again) == before[0]);  // its directory knows who it is
  REQUIRE(town.becomes({&middle, &tail, &again}, {before[0], before[1], before[2]}));
  CHECK(chain_of_nodes_world::order(again).back() == before[0]);
  CHECK(town.read(again) == "second");
  town.put(again, "third");
  CHECK(town.read(middle) == "third");
}

TEST_CASE("a session that is handed from node to node reads what it wrote, however weak its reads are",
          "[node][views][tokens]") {
  chain_of_nodes_world town;
  const auto three = town.start_three();
  replication::session_token session;
  for (int round = 0; round < 20; ++round) {
    const bytes value{"v" + std::to_string(round)};
    watched& writer = *three[static_cast<std::size_t>(round) % 3];
    const auto [written, place] = town.all.result_of<replication::write_result>(
        [&](auto handler) { writer.node->async_put("session", value, call_options{15s}, std::move(handler)); });
    REQUIRE_FALSE(written);
    session.include(place);
    for (watched* const reader : three) {
      const auto [error, found] = town.all.result_of<replication::read_result>([&](auto handler) {
        reader->node->async_read("session", replication::eventual, call_options{15s}.after(session),
                                 std::move(handler));
      });
      REQUIRE_FALSE(error);
      CHECK(found.value == value);
      session.include(found);
    }
  }
}

TEST_CASE("a spare node takes the place of one that failed", "[node][views]") {
  chain_of_nodes_world town;
  const auto three = town.start_three();
  watched& spare = town.start("spare");
  REQUIRE(town.all.until([&] { return spare.last<chain_formed>() != nullptr; }));
  CHECK(spare.last<chain_formed>()->here == replication::role::none);
  town.put(spare, "kept");
  const auto before = chain_of_nodes_world::order(*three[0]);
  watched& first = with_id(three, before[0]);
  watched& last = with_id(three, before[2]);
  with_id(three, before[1]).node.reset();
  REQUIRE(town.becomes({&first, &last, &spare}, {before[0], before[2], id_of(spare)}));
  CHECK(town.read(spare) == "kept");
  CHECK(spare.node->status().replica.role == replication::role::tail);
}

TEST_CASE("a node that leaves is let go of without a wait for its failure", "[node][views]") {
  chain_of_nodes_world town;
  const auto three = town.start_three();
  const auto before = chain_of_nodes_world::order(*three[0]);
  watched& leaver = with_id(three, before[2]);
  CHECK_FALSE(town.all.error_of([&](auto done) { leaver.node->async_leave(std::move(done)); }));
  REQUIRE(town.becomes({&with_id(three, before[0]), &with_id(three, before[1])}, {before[0], before[1]}));
  town.put(with_id(three, before[0]), "on");
  CHECK(town.read(with_id(three, before[1])) == "on");
}

TEST_CASE("a replica is removed on demand, kept out, and added again", "[node][views]") {
  chain_of_nodes_world town;
  const auto three = town.start_three();
  const auto before = chain_of_nodes_world::order(*three[0]);
  watched& head = with_id(three, before[0]);
  watched& removed = with_id(three, before[1]);
  watched& tail = with_id(three, before[2]);
  const auto change = [&](watched& at, view_change what) {
    return town.all.error_of([&](auto done) { at.node->async_change_chain(what, call_options{15s}, std::move(done)); });
  };
  CHECK_FALSE(change(head, view_change::remove(before[1])));
  CHECK(chain_of_nodes_world::order(head) == std::vector{before[0], before[2]});
  town.put(head, "without");
  CHECK(town.read(removed) == "without");  // as a client
  CHECK(change(head, view_change::add(before[1])) == errc::not_tail);
  CHECK_FALSE(change(tail, view_change::add(before[1])));
  REQUIRE(town.becomes({&head, &removed, &tail}, {before[0], before[1], before[2]}));
  CHECK(town.read(removed) == "without");
}

TEST_CASE("a directory that is in use, damaged or another node's ends the run and says what to do", "[node][views]") {
  chain_of_nodes_world town;
  watched& first = town.start("a");
  REQUIRE(town.all.until([&] { return first.last<node_started>() != nullptr; }));
  watched& second = town.start("a");
  REQUIRE(town.all.until([&] { return second.ended.has_value(); }));
  CHECK(*second.ended == errc::directory_in_use);

  std::string remarks;
  node_config config = town.all.config(3);
  config.directory = town.directory("a");
  config.id = node_id{1, 2};
  config.log = [&](log_level, std::string_view, std::string_view message) { remarks += message; };
  watched& stranger = town.all.start(config);
  REQUIRE(town.all.until([&] { return stranger.ended.has_value(); }));
  CHECK(*stranger.ended == errc::invalid_configuration);
  CHECK_THAT(remarks, Catch::Contains("give each node a directory of its own"));

  first.node.reset();
  std::ofstream{town.directory("a") + "/node"} << "nonsense\n";
  watched& damaged = town.start("a");
  REQUIRE(town.all.until([&] { return damaged.ended.has_value(); }));
  CHECK(*damaged.ended == errc::invalid_configuration);
}

TEST_CASE("whoever stops waiting for a change of the chain is told so", "[node][views][cancel]") {
  chain_of_nodes_world town;
  const auto three = town.start_three();
  watched& tail = with_id(three, chain_of_nodes_world::order(*three[0]).back());
  asio::cancellation_signal stop;
  std::optional<std::error_code> changed;
  tail.node->async_change_chain(
      view_change::add(node_id{1, 2}), call_options{1h},
      asio::bind_cancellation_slot(stop.slot(), [&](std::error_code error) { changed = error; }));
  stop.emit(asio::cancellation_type::total);
  REQUIRE(town.all.until([&] { return changed.has_value(); }));
  CHECK(*changed == asio::error::operation_aborted);
}
