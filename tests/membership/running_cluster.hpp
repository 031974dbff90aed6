#pragma once

#include <asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "artillery/membership.hpp"
#include "catch.hpp"

/// Clusters on loopback sockets, and all that they reported.
namespace running {

using namespace artillery;
using namespace std::chrono_literals;

inline membership::config quick(std::string name) {
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

inline bool run_until(asio::io_context& context, const std::function<bool()>& done, duration limit = 10s) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!done()) {
    if (std::chrono::steady_clock::now() > end) return false;
    context.run_one_for(50ms);
  }
  return true;
}

inline endpoint ready(asio::io_context& context, node& n) {
  std::optional<endpoint> at;
  n.cluster.async_ready([&](std::error_code error, endpoint bound) {
    REQUIRE_FALSE(error);
    at = bound;
  });
  REQUIRE(run_until(context, [&] { return at.has_value(); }));
  return *at;
}

}  // namespace running
