#pragma once

#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "artillery/replication.hpp"
#include "catch.hpp"
#include "net/event_loop.hpp"

namespace artillery::replication {

using namespace std::chrono_literals;

/// A handler that remembers what it was called with.
template <class Result>
class outcome {
public:
  void operator()(std::error_code error, Result result) const {
    state_->error = error;
    state_->result = std::move(result);
    ++state_->calls;
  }
  void operator()(std::error_code error) const { (*this)(error, {}); }

  [[nodiscard]] bool done() const { return state_->calls > 0; }
  [[nodiscard]] int calls() const { return state_->calls; }
  [[nodiscard]] std::error_code error() const { return state_->error; }
  [[nodiscard]] const Result& result() const { return state_->result; }

private:
  struct state {
    std::error_code error;
    Result result;
    int calls = 0;
  };
  std::shared_ptr<state> state_ = std::make_shared<state>();
};

struct nothing {};
using run_outcome = outcome<nothing>;
using read_outcome = outcome<read_result>;
using write_outcome = outcome<write_result>;
using event_outcome = outcome<event>;

inline replica_id name_of(std::size_t number) {
  return {{1, number + 1}, 1};
}

inline replica_config config_of(std::size_t number) {
  replica_config config;
  config.cluster = "test";
  config.self = name_of(number);
  config.reconnect_max = 50ms;
  config.stopped_after = 200ms;
  return config;
}

/// A chain of replicas with real sockets on one context that this test's thread runs, and a client of it.
class loopback_chain {
public:
  explicit loopback_chain(std::size_t length, read_mode reads = read_mode::apportioned) {
    for (std::size_t i = 0; i < length; ++i) {
      replicas_.push_back(std::make_unique<replica>(io_.get_executor(), config_of(i)));
      replicas_.back()->async_run(asio::detached);
    }
    REQUIRE(until([&] { return all([](const replica& r) { return !r.local_endpoint().none(); }); }));
    view_.chain = 1;
    view_.epoch = 1;
    view_.reads = reads;
    for (std::size_t i = 0; i < length; ++i) view_.replicas.push_back({name_of(i), replicas_[i]->local_endpoint()});
    for (auto& each : replicas_) each->async_adopt(view_, asio::detached);
    REQUIRE(
        until([&] { return all([](const replica& r) { return r.status().epoch == 1 && r.status().successor_up; }); }));
    client_.emplace(make_client());
    client_->async_run(asio::detached);
  }

  [[nodiscard]] asio::io_context& io() noexcept { return io_; }
  [[nodiscard]] const replication::view& view() const noexcept { return view_; }
  [[nodiscard]] replica& at(std::size_t number) { return *replicas_.at(number); }
  [[nodiscard]] replication::client& client() { return *client_; }
  [[nodiscard]] std::size_t size() const noexcept { return replicas_.size(); }
  void kill(std::size_t number) { replicas_.at(number).reset(); }
  void drop_client() { client_.reset(); }

  [[nodiscard]] client_config config_of_client() const {
    client_config config;
    config.cluster = "test";
    for (const member& each : view_.replicas) config.replicas.push_back(each.at);
    return config;
  }
  [[nodiscard]] replication::client make_client() {
    return replication::client{io_.get_executor(), config_of_client()};
  }

  template <class Predicate>
  [[nodiscard]] bool until(Predicate done) {
    return net::runs_until(io_, done);
  }

  // Operations of the client, run until they complete.
  [[nodiscard]] write_outcome put(std::string_view key, bytes value) {
    return wait([&](write_outcome done) { client_->async_put(key, std::move(value), done); }, write_outcome{});
  }
  [[nodiscard]] write_outcome erase(std::string_view key) {
    return wait([&](write_outcome done) { client_->async_erase(key, done); }, write_outcome{});
  }
  [[nodiscard]] write_outcome compare_and_swap(std::string_view key, version expected, bytes value) {
    return wait([&](write_outcome done) { client_->async_compare_and_swap(key, expected, std::move(value), done); },
                write_outcome{});
  }
  [[nodiscard]] read_outcome read(std::string_view key, consistency level = strong, routing where = {}) {
    return wait([&](read_outcome done) { client_->async_read(key, level, read_options{where}, done); }, read_outcome{});
  }
  [[nodiscard]] read_outcome read_at(std::size_t number, std::string_view key, consistency level = strong) {
    return read(key, level, routing::to(name_of(number).node));
  }

  template <class Start, class Outcome>
  [[nodiscard]] Outcome wait(Start start, Outcome result) {
    start(result);
    REQUIRE(until([&] { return result.done(); }));
    return result;
  }

private:
  template <class Predicate>
  [[nodiscard]] bool all(Predicate holds) const {
    for (const auto& each : replicas_) {
      if (!holds(*each)) return false;
    }
    return true;
  }

  asio::io_context io_;
  std::vector<std::unique_ptr<replica>> replicas_;
  replication::view view_;
  std::optional<replication::client> client_;
};

}  // namespace artillery::replication
