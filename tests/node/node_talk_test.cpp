#include <algorithm>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/error.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "artillery/membership.hpp"
#include "artillery/node.hpp"
#include "catch.hpp"
#include "node/node_world.hpp"

using namespace artillery;
using namespace node_world;

namespace {

/// Nodes that know each other, each of them a chain of its own.
std::vector<watched*> acquainted(world& all, std::size_t count) {
  std::vector<watched*> nodes;
  while (nodes.size() < count) nodes.push_back(&all.start(all.config(1)));
  REQUIRE(all.until([&] {
    return std::all_of(nodes.begin(), nodes.end(), [&](watched* one) { return one->node->status().members == count; });
  }));
  return nodes;
}

std::uint64_t ask(world& all, watched& at, const std::string& topic, membership::query_options options = {}) {
  const auto [error, query] = all.result_of<std::uint64_t>(
      [&](auto done) { at.node->async_query(topic, "what?", std::move(options), std::move(done)); });
  INFO(error.message());
  REQUIRE_FALSE(error);
  return query;
}

membership::query_progress next(world& all, watched& at, std::uint64_t query) {
  auto [error, progress] =
      all.result_of<membership::query_progress>([&](auto done) { at.node->async_next_answer(query, std::move(done)); });
  INFO(error.message());
  REQUIRE_FALSE(error);
  return progress;
}

/// What was asked of a node, once it was told.
membership::query asked_of(world& all, watched& one) {
  REQUIRE(all.until([&] { return one.last_of_membership<membership::query>() != nullptr; }));
  return *one.last_of_membership<membership::query>();
}

}  // namespace

TEST_CASE("a message goes to one member, reliably or as a datagram", "[node][talk]") {
  world all;
  const auto nodes = acquainted(all, 3);
  const node_id to = nodes[1]->node->self().id;
  const std::string large(100'000, 'x');
  CHECK_FALSE(all.error_of([&](auto done) { nodes[0]->node->async_send(to, "topic", large, {}, std::move(done)); }));
  REQUIRE(all.until([&] { return nodes[1]->last_of_membership<membership::message>() != nullptr; }));
  CHECK(nodes[1]->last_of_membership<membership::message>()->payload.text() == large);
  CHECK(nodes[1]->last_of_membership<membership::message>()->origin == nodes[0]->node->self().id);

  const membership::send_options datagram{.delivery = membership::delivery::best_effort};
  CHECK_FALSE(
      all.error_of([&](auto done) { nodes[0]->node->async_send(to, "topic", "small", datagram, std::move(done)); }));
  REQUIRE(all.until([&] { return nodes[1]->last_of_membership<membership::message>()->payload.text() == "small"; }));
  CHECK(nodes[2]->last_of_membership<membership::message>() == nullptr);

  const auto error_to = [&](const node_id& whom) {
    return all.error_of([&](auto done) { nodes[0]->node->async_send(whom, "topic", "x", {}, std::move(done)); });
  };
  CHECK(error_to(node_id{1, 2}) == errc::unknown_member);
  CHECK(error_to(nodes[0]->node->self().id) == errc::invalid_argument);
}

TEST_CASE("a query is answered by who wants to, and ends when all have", "[node][talk]") {
  world all;
  const auto nodes = acquainted(all, 3);
  const std::uint64_t query = ask(all, *nodes[0], "load", {.tags = {}, .members = {}, .timeout = 20s});
  for (std::size_t i = 1; i < nodes.size(); ++i) {
    const membership::query asked = asked_of(all, *nodes[i]);
    CHECK(asked.topic == "load");
    CHECK(asked.payload.text() == "what?");
    CHECK(asked.origin == nodes[0]->node->self().id);
    const auto answer = [&] {
      return all.error_of([&](auto done) { nodes[i]->node->async_answer(asked, std::to_string(i), std::move(done)); });
    };
    CHECK_FALSE(answer());
    const auto progress = next(all, *nodes[0], query);
    REQUIRE(std::holds_alternative<membership::answer>(progress));
    CHECK(std::get<membership::answer>(progress).from == nodes[i]->node->self().id);
    CHECK(std::get<membership::answer>(progress).payload.text() == std::to_string(i));
    CHECK(answer());  // once only
  }
  const auto end = next(all, *nodes[0], query);
  REQUIRE(std::holds_alternative<membership::query_end>(end));
  CHECK(std::get<membership::query_end>(end).asked == 2);
  CHECK(std::get<membership::query_end>(end).answered == 2);
  CHECK(all.result_of<membership::query_progress>(
               [&](auto done) { nodes[0]->node->async_next_answer(query, std::move(done)); })
            .first == errc::invalid_argument);
}

TEST_CASE("a query goes to the members that it names, and ends when its time is over", "[node][talk]") {
  world all;
  const auto nodes = acquainted(all, 3);
  const node_id named = nodes[2]->node->self().id;
  const std::uint64_t query = ask(all, *nodes[0], "load", {.tags = {}, .members = {named}, .timeout = 300ms});
  CHECK(asked_of(all, *nodes[2]).timeout == 300ms);
  const auto end = next(all, *nodes[0], query);
  REQUIRE(std::holds_alternative<membership::query_end>(end));
  CHECK(std::get<membership::query_end>(end).asked == 1);
  CHECK(std::get<membership::query_end>(end).answered == 0);
  CHECK(nodes[1]->last_of_membership<membership::query>() == nullptr);
}

TEST_CASE("a query that is given up ends the wait for its answers", "[node][talk]") {
  world all;
  const auto nodes = acquainted(all, 2);
  const std::uint64_t query = ask(all, *nodes[0], "load");
  std::optional<std::error_code> waited;
  nodes[0]->node->async_next_answer(query, [&](std::error_code error, const auto&) { waited = error; });
  nodes[0]->node->drop_query(query);
  REQUIRE(all.until([&] { return waited.has_value(); }));
  CHECK(*waited == errc::invalid_argument);
}

TEST_CASE("whoever stops waiting for an answer or a message is told so, and nothing is lost", "[node][talk][cancel]") {
  world all;
  const auto nodes = acquainted(all, 2);
  const std::uint64_t query = ask(all, *nodes[0], "load");
  std::vector<std::error_code> errors;
  asio::cancellation_signal stop;
  const auto note = [&](std::error_code error, const auto&...) { errors.push_back(error); };
  const auto cancelled = [&](const auto& start) {
    errors.clear();
    start(asio::bind_cancellation_slot(stop.slot(), note));
    stop.emit(asio::cancellation_type::total);
    REQUIRE(all.until([&] { return !errors.empty(); }));
    return errors.front() == asio::error::operation_aborted;
  };
  CHECK(cancelled([&](auto done) { nodes[0]->node->async_next_answer(query, std::move(done)); }));
  CHECK(cancelled(
      [&](auto done) { nodes[0]->node->async_send(nodes[1]->node->self().id, "topic", "kept", {}, std::move(done)); }));
  // What was to be sent is sent, and the answer that comes later is not lost.
  REQUIRE(all.until([&] { return nodes[1]->last_of_membership<membership::message>() != nullptr; }));
  const membership::query asked = asked_of(all, *nodes[1]);
  CHECK_FALSE(all.error_of([&](auto done) { nodes[1]->node->async_answer(asked, "late", std::move(done)); }));
  CHECK(std::holds_alternative<membership::answer>(next(all, *nodes[0], query)));
}

TEST_CASE("every node answers a ping by itself, and its user hears nothing of it", "[node][talk]") {
  world all;
  const auto nodes = acquainted(all, 3);
  const std::uint64_t query = ask(all, *nodes[0], std::string{node_config::ping_topic});
  std::size_t answers = 0;
  membership::query_progress progress = next(all, *nodes[0], query);
  for (; std::holds_alternative<membership::answer>(progress); progress = next(all, *nodes[0], query)) {
    CHECK(std::get<membership::answer>(progress).payload.empty());
    ++answers;
  }
  CHECK(answers == 2);
  CHECK(std::get<membership::query_end>(progress).answered == 2);
  for (watched* one : nodes) CHECK(one->last_of_membership<membership::query>() == nullptr);
}

TEST_CASE("topics of the nodes' own are refused, and not told when a stranger uses them", "[node][talk]") {
  world all;
  const auto nodes = acquainted(all, 2);
  const node_id to = nodes[1]->node->self().id;
  watched& at = *nodes[0];
  CHECK(all.error_of([&](auto done) { at.node->async_broadcast("artillery.x", "p", std::move(done)); }) ==
        errc::invalid_argument);
  CHECK(all.error_of([&](auto done) { at.node->async_broadcast("artillery.ping", "p", std::move(done)); }) ==
        errc::invalid_argument);
  CHECK(all.error_of([&](auto done) { at.node->async_send(to, "artillery.ping", "p", {}, std::move(done)); }) ==
        errc::invalid_argument);
  CHECK(all.result_of<std::uint64_t>([&](auto done) { at.node->async_query("artillery.x", "p", {}, std::move(done)); })
            .first == errc::invalid_argument);

  auto settings = membership::config::local();
  settings.cluster = all.config(1).cluster;
  settings.bind = endpoint::v4(127, 0, 0, 1, 0);
  membership::cluster stranger{all.context.get_executor(), settings};
  stranger.async_run([](std::error_code) {});
  stranger.add_seed(at.node->self().at);
  REQUIRE_FALSE(all.error_of([&](auto done) { stranger.async_join(std::move(done)); }));
  REQUIRE(all.until([&] { return at.node->status().members == 3; }));
  const auto told = [&](const std::string& topic) {
    return all.error_of([&](auto done) { stranger.async_send(at.node->self().id, topic, "p", {}, std::move(done)); });
  };
  CHECK_FALSE(told("artillery.x"));
  CHECK_FALSE(told("artillery"));
  REQUIRE(all.until([&] { return at.last_of_membership<membership::message>() != nullptr; }));
  CHECK(at.last_of_membership<membership::message>()->topic == "artillery");
  std::size_t messages = 0;
  for (const node_event& event : at.events) {
    const auto* of = std::get_if<membership::event>(&event);
    if (of != nullptr && std::holds_alternative<membership::message>(*of)) ++messages;
  }
  CHECK(messages == 1);
}

TEST_CASE("what is said before a node runs, or after it has left, is refused", "[node][talk]") {
  world all;
  const auto nodes = acquainted(all, 2);
  const node_id other = nodes[1]->node->self().id;
  node idle{all.context.get_executor(), all.config(1)};
  const auto errors_at = [&](node& one) {
    return std::vector{
        all.error_of([&](auto done) { one.async_broadcast("t", "p", std::move(done)); }),
        all.error_of([&](auto done) { one.async_send(other, "t", "p", {}, std::move(done)); }),
        all.error_of([&](auto done) { one.async_answer({}, "p", std::move(done)); }),
        all.result_of<std::uint64_t>([&](auto done) { one.async_query("t", "p", {}, std::move(done)); }).first};
  };
  for (const std::error_code& error : errors_at(idle)) CHECK(error == errc::not_running);
  CHECK_FALSE(all.error_of([&](auto done) { nodes[0]->node->async_leave(std::move(done)); }));
  REQUIRE(all.until([&] { return nodes[0]->ended.has_value(); }));
  for (const std::error_code& error : errors_at(*nodes[0]->node)) CHECK(error == errc::not_running);
}

TEST_CASE("a node is asked and answers inside handlers, and is destroyed in one", "[node][talk]") {
  world all;
  const auto nodes = acquainted(all, 2);
  std::vector<std::string> said;
  std::optional<std::error_code> last;
  watched& asker = *nodes[0];
  watched& other = *nodes[1];
  asker.node->async_query("load", "what?", {}, [&](std::error_code error, std::uint64_t query) {
    REQUIRE_FALSE(error);
    asker.node->async_next_answer(query, [&, query](std::error_code, const membership::query_progress& progress) {
      said.emplace_back(std::get<membership::answer>(progress).payload.text());
      asker.node->async_next_answer(query, [&](std::error_code, const membership::query_progress& end) {
        CHECK(std::holds_alternative<membership::query_end>(end));
        // What is under way when the node goes is told so.
        asker.node->async_send(other.node->self().id, "t", "p", {}, [&](std::error_code gone) { last = gone; });
        asker.node.reset();
      });
    });
  });
  const membership::query asked = asked_of(all, other);
  other.node->async_answer(asked, "little", [&](std::error_code error) { CHECK_FALSE(error); });
  REQUIRE(all.until([&] { return last.has_value(); }));
  CHECK(said == std::vector<std::string>{"little"});
  CHECK(*last == asio::error::operation_aborted);
  REQUIRE(all.until([&] { return asker.ended.has_value(); }));
}
