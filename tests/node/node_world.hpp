#pragma once

#include <asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "artillery/node.hpp"
#include "catch.hpp"
#include "net/own_port.hpp"

/// Nodes on loopback in this process, on one thread, and what they told.
namespace node_world {

using namespace std::chrono_literals;
using artillery::node;
using artillery::node_config;
using artillery::node_event;

struct watched {
  std::unique_ptr<artillery::node> node;
  std::vector<node_event> events;
  std::optional<std::error_code> ended;

  template <class Fact>
  [[nodiscard]] const Fact* last() const {
    const Fact* found = nullptr;
    for (const node_event& event : events) {
      if (const auto* fact = std::get_if<Fact>(&event)) found = fact;
    }
    return found;
  }
  template <class Fact>
  [[nodiscard]] const Fact* last_of_membership() const {
    const Fact* found = nullptr;
    for (const node_event& event : events) {
      if (const auto* of = std::get_if<artillery::membership::event>(&event)) {
        if (const auto* fact = std::get_if<Fact>(of)) found = fact;
      }
    }
    return found;
  }
};

class world {
public:
  asio::io_context context;

  /// A configuration for nodes of this world that expect `expect` of them.
  [[nodiscard]] node_config config(std::size_t expect) const {
    node_config made;
    made.cluster = "test-" + std::to_string(port_);
    made.discovery_port = port_;
    made.timings = artillery::timing_preset::local;
    made.expect = expect;
    return made;
  }

  watched& start(node_config of) {
    auto& one = *nodes_.emplace_back(std::make_unique<watched>());
    one.node = std::make_unique<node>(context.get_executor(), std::move(of));
    one.node->async_run([&one](std::error_code error) { one.ended = error; });
    pull(one);
    return one;
  }

  /// Runs until `reached` or for the deadline; what it says then.
  bool until(const std::function<bool()>& reached, std::chrono::milliseconds deadline = 20s) {
    const auto end = std::chrono::steady_clock::now() + deadline;
    while (!reached()) {
      const auto left = end - std::chrono::steady_clock::now();
      if (left <= left.zero()) return false;
      context.restart();
      context.run_one_for(left);
    }
    return true;
  }

  /// What an operation came to. `start(handler)` begins it.
  template <class Result, class Start>
  std::pair<std::error_code, Result> result_of(Start start) {
    const auto outcome = std::make_shared<std::optional<std::pair<std::error_code, Result>>>();
    start([outcome](std::error_code error, Result result) { outcome->emplace(error, std::move(result)); });
    REQUIRE(until([&] { return outcome->has_value(); }));
    return **outcome;
  }
  template <class Start>
  std::error_code error_of(Start start) {
    const auto outcome = std::make_shared<std::optional<std::error_code>>();
    start([outcome](std::error_code error) { *outcome = error; });
    REQUIRE(until([&] { return outcome->has_value(); }));
    return **outcome;
  }

private:
  static void pull(watched& one) {
    one.node->async_next_event([&one](std::error_code error, node_event event) {
      if (error) return;
      one.events.push_back(std::move(event));
      if (one.node != nullptr) pull(one);
    });
  }

  std::uint16_t port_ = tests::own_port();
  std::vector<std::unique_ptr<watched>> nodes_;
};

}  // namespace node_world
