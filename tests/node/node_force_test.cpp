#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "artillery/node.hpp"
#include "catch.hpp"
#include "node/node_world.hpp"
#include "tool/scratch_directory.hpp"

// Chains that lost the majority of their voters for good, and what is forced in their place, on real sockets.

using namespace artillery;
using namespace node_world;
using replication::strong;

namespace {

/// Nodes with directories, which can be lost with them.
class lossy_town {
public:
  world all;
  std::vector<std::string> remarks;

  watched& start(const std::string& name, std::size_t expect = 3) {
    node_config config = all.config(expect);
    config.name = name;
    config.directory = scratch_.file(name);
    config.log = [this](log_level level, std::string_view, std::string_view message) {
      if (level == log_level::error) remarks.emplace_back(message);
    };
    return all.start(config);
  }
  std::vector<watched*> start_three() { return start_chain({"a", "b", "c"}); }
  std::vector<watched*> start_chain(const std::vector<std::string>& names) {
    std::vector<watched*> nodes;
    for (const std::string& name : names) nodes.push_back(&start(name, names.size()));
    REQUIRE(all.until([&] {
      return std::all_of(nodes.begin(), nodes.end(),
                         [](const watched* one) { return one->last<chain_formed>() != nullptr && is_replica(*one); });
    }));
    return nodes;
  }
  /// It ends at once, without a word.
  static void kill(watched& one) { one.node.reset(); }
  void lose_directory(const std::string& name) { std::filesystem::remove_all(scratch_.file(name)); }
  [[nodiscard]] std::string directory(const std::string& name) const { return scratch_.file(name); }

  std::error_code put(watched& at, const std::string& key, const std::string& value, duration timeout = 15s) {
    return all
        .result_of<replication::write_result>(
            [&](auto done) { at.node->async_put(key, value, call_options{timeout}, std::move(done)); })
        .first;
  }
  std::string read(watched& at, const std::string& key) {
    auto [error, result] = all.result_of<replication::read_result>(
        [&](auto done) { at.node->async_read(key, strong, call_options{15s}, std::move(done)); });
    INFO(error.message());
    REQUIRE_FALSE(error);
    return result.found() ? std::string{result.value->text()} : std::string{};
  }
  std::pair<std::error_code, forced_chain> force(watched& at) {
    return all.result_of<forced_chain>([&](auto done) { at.node->async_force_chain(std::move(done)); });
  }
  static bool is_replica(const watched& one) {
    const auto role = one.node->status().replica.role;
    return role != replication::role::none && role != replication::role::learner;
  }
  static std::set<node_id> replicas(const watched& at) {
    std::set<node_id> ids;
    if (const auto view = at.node->chain()) {
      for (const auto& each : view->replicas) ids.insert(each.id.node);
    }
    return ids;
  }

private:
  tests::scratch_directory scratch_;
};

node_id own_id(const watched& one) {
  return one.node->self().id;
}

bool says(const std::vector<std::string>& remarks, std::string_view words) {
  return std::any_of(remarks.begin(), remarks.end(),
                     [&](const std::string& remark) { return remark.find(words) != std::string::npos; });
}

}  // namespace

TEST_CASE("a chain that lost two of three voters is forced to go on at the third, with all its data", "[node][force]") {
  lossy_town town;
  const auto three = town.start_three();
  for (int i = 0; i < 20; ++i) REQUIRE_FALSE(town.put(*three[0], "k" + std::to_string(i), "v" + std::to_string(i)));
  watched& left = *three[2];
  const std::uint64_t lost_epoch = left.node->chain()->epoch;
  for (watched* one : {three[0], three[1]}) lossy_town::kill(*one);
  town.lose_directory("a");
  town.lose_directory("b");
  CHECK(town.put(left, "k", "nobody answers", 2s) != std::error_code{});

  const auto [error, made] = town.force(left);
  INFO(error.message());
  REQUIRE_FALSE(error);
  CHECK(made.view.epoch > lost_epoch);
  CHECK(made.view.replicas.size() == 1);
  CHECK(made.view.voters.size() == 1);
  CHECK(std::filesystem::exists(made.former_vote));
  CHECK_FALSE(town.put(left, "after", "on"));
  for (int i = 0; i < 20; ++i) CHECK(town.read(left, "k" + std::to_string(i)) == "v" + std::to_string(i));
  CHECK(town.read(left, "after") == "on");
  CHECK(lossy_town::replicas(left) == std::set{own_id(left)});
  CHECK(left.last<chain_formed>()->view.epoch >= made.view.epoch);

  // Nodes that know nothing of what was find the chain and become its replicas.
  watched& fresh = town.start("d");
  REQUIRE(town.all.until([&] { return lossy_town::replicas(left) == std::set{own_id(left), own_id(fresh)}; }));
  REQUIRE(town.all.until([&] { return lossy_town::is_replica(fresh); }));
  CHECK(town.read(fresh, "k7") == "v7");
  CHECK_FALSE(town.put(fresh, "k7", "new"));
  CHECK(town.read(left, "k7") == "new");
}

TEST_CASE("a spare that runs goes over to the chain that is forced in the place of the lost one", "[node][force]") {
  lossy_town town;
  const auto three = town.start_three();
  watched& user = town.start("user", 0);
  REQUIRE_FALSE(town.put(user, "k", "v"));
  watched& left = *three[1];
  // What is there, is there at all times: the three are a majority until two of them end in the same moment.
  watched& spare = town.start("spare");
  REQUIRE(town.all.until([&] { return spare.last<chain_formed>() != nullptr; }));
  for (watched* one : {three[0], three[2]}) lossy_town::kill(*one);
  REQUIRE(town.all.until([&] { return left.node->status().members == 3; }));
  REQUIRE_FALSE(lossy_town::is_replica(spare));

  REQUIRE_FALSE(town.force(left).first);
  CHECK(town.read(user, "k") == "v");
  CHECK_FALSE(town.put(user, "k", "on"));
  REQUIRE(town.all.until([&] { return lossy_town::is_replica(spare); }));
  CHECK(town.read(spare, "k") == "on");
}

TEST_CASE("another replica of the lost chain that is left is told of, and changes nothing", "[node][force]") {
  lossy_town town;
  const auto five = town.start_chain({"a", "b", "c", "d", "e"});
  REQUIRE_FALSE(town.put(*five[0], "k", "v"));
  for (const std::size_t gone : {0U, 2U, 4U}) lossy_town::kill(*five[gone]);
  watched& left = *five[1];
  watched& other = *five[3];
  const auto forced = town.force(left);
  INFO(forced.first.message());
  REQUIRE_FALSE(forced.first);
  REQUIRE_FALSE(town.put(left, "k", "on"));
  for (watched* one : {&left, &other}) {
    REQUIRE(town.all.until([&] { return one->last<chain_conflict>() != nullptr; }));
    CHECK(one->last<chain_conflict>()->why == chain_conflict::reason::two_chains);
  }
  // It has no right to read any more, and nobody who could lend it one.
  CHECK(other.node->try_read("k").what == replication::local_read::outcome::ask);
  CHECK(town.read(left, "k") == "on");
  // What it writes for its users is sent as a client's, and ends where the higher epoch is.
  CHECK_FALSE(town.put(other, "k", "over"));
  CHECK(town.read(left, "k") == "over");
  CHECK(lossy_town::replicas(left) == std::set{own_id(left)});

  lossy_town::kill(other);
  town.lose_directory("d");
  REQUIRE(town.all.until([&] { return left.node->status().members == 1; }));
  watched& again = town.start("d", 5);
  REQUIRE(town.all.until([&] { return lossy_town::is_replica(again); }));
  CHECK(town.read(again, "k") == "over");
}

TEST_CASE("nothing is forced while a majority of the voters answers", "[node][force]") {
  lossy_town town;
  const auto three = town.start_three();
  REQUIRE_FALSE(town.put(*three[0], "k", "v"));
  CHECK(town.force(*three[0]).first == errc::has_quorum);
  lossy_town::kill(*three[1]);
  CHECK(town.force(*three[0]).first == errc::has_quorum);
  CHECK_FALSE(town.put(*three[0], "k", "on"));
  CHECK(town.read(*three[2], "k") == "on");
}

TEST_CASE("nothing is forced at a node that is no replica of the chain", "[node][force]") {
  lossy_town town;
  const auto three = town.start_three();
  watched& user = town.start("user", 0);
  watched& spare = town.start("spare");
  watched& alone = town.start("alone", 1);
  for (watched* one : {&user, &spare, &alone})
    REQUIRE(town.all.until([&] { return one->last<chain_formed>() != nullptr; }));
  for (watched* one : {three[0], three[1]}) lossy_town::kill(*one);
  for (watched* one : {&user, &spare, &alone}) CHECK(town.force(*one).first == errc::not_serving);
}

TEST_CASE("a node of the lost chain that comes back does not disturb the one in its place", "[node][force]") {
  lossy_town town;
  const auto three = town.start_three();
  REQUIRE_FALSE(town.put(*three[0], "k", "v"));
  watched& left = *three[2];
  for (watched* one : {three[0], three[1]}) lossy_town::kill(*one);
  REQUIRE_FALSE(town.force(left).first);
  CHECK_FALSE(town.put(left, "k", "on"));

  town.remarks.clear();
  watched& one = town.start("a");
  REQUIRE(town.all.until([&] { return one.last<chain_formed>() != nullptr; }));
  CHECK(town.read(one, "k") == "on");  // as a client
  REQUIRE(town.all.until([&] { return says(town.remarks, "was founded with other voters than are configured here"); }));
  CHECK_FALSE(lossy_town::is_replica(one));
  // Two of them are a majority of the lost chain's voters, and can do nothing but say so.
  watched& other = town.start("b");
  REQUIRE(town.all.until([&] { return left.last<chain_conflict>() != nullptr; }));
  CHECK(left.last<chain_conflict>()->why == chain_conflict::reason::two_chains);
  CHECK_FALSE(town.put(left, "k", "still"));
  CHECK(town.read(left, "k") == "still");
  CHECK(lossy_town::replicas(left) == std::set{own_id(left)});
  CHECK_FALSE(lossy_town::is_replica(other));

  // With empty directories they are nodes like any others.
  for (watched* old : {&one, &other}) lossy_town::kill(*old);
  town.lose_directory("a");
  watched& again = town.start("a");
  REQUIRE(town.all.until([&] { return lossy_town::is_replica(again); }));
  CHECK(town.read(again, "k") == "still");
}

TEST_CASE("what was forced keeps its vote over a restart, and may be forced again", "[node][force]") {
  lossy_town town;
  const auto three = town.start_three();
  REQUIRE_FALSE(town.put(*three[0], "k", "v"));
  watched& left = *three[0];
  for (watched* one : {three[1], three[2]}) lossy_town::kill(*one);
  const auto first = town.force(left);
  REQUIRE_FALSE(first.first);
  watched& fresh = town.start("d");
  REQUIRE(town.all.until([&] { return lossy_town::is_replica(fresh); }));
  lossy_town::kill(left);
  REQUIRE(town.all.until([&] { return fresh.node->status().members == 1; }));
  watched& again = town.start("a");
  REQUIRE(town.all.until([&] { return lossy_town::is_replica(again); }));
  CHECK(town.read(again, "k") == "v");

  lossy_town::kill(again);
  const auto second = town.force(fresh);
  INFO(second.first.message());
  REQUIRE_FALSE(second.first);
  CHECK(second.second.view.epoch > first.second.view.epoch);
  CHECK(second.second.former_vote.empty());
  CHECK(town.read(fresh, "k") == "v");
}
