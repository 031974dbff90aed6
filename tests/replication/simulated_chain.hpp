#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "artillery/sim.hpp"
#include "sim/chain_client.hpp"
#include "sim/chain_replica.hpp"

/// A chain in virtual time with one client, for scenarios: every call runs the world until it is answered.
class simulated_chain {
public:
  static constexpr artillery::duration patience = std::chrono::seconds{30};

  explicit simulated_chain(std::size_t size,
                           artillery::replication::read_mode reads = artillery::replication::read_mode::apportioned,
                           artillery::replication::replica_config config = {})
      : config_{std::move(config)} {
    chain_.chain = config_.chain;
    chain_.epoch = 1;
    chain_.reads = reads;
    for (std::size_t i = 0; i < size; ++i) chain_.replicas.push_back({{node(i), 1}, at(i)});
    for (std::size_t i = 0; i < size; ++i) replicas_.push_back(world.add(at(i), make_replica(i, 1)));
    client_ = add_client();
    world.run_for(std::chrono::milliseconds{20});
  }

  // --- shape ---
  [[nodiscard]] static artillery::node_id node(std::size_t i) { return {7, i + 1}; }
  [[nodiscard]] static artillery::endpoint at(std::size_t i) {
    return artillery::endpoint::v4(10, 0, 0, static_cast<std::uint8_t>(i), 7000);
  }
  [[nodiscard]] artillery::sim::host host(std::size_t i) const { return replicas_[i]; }
  [[nodiscard]] artillery::sim::host client_host() const { return client_; }
  [[nodiscard]] const artillery::sim::replica_program& replica(std::size_t i) {
    return static_cast<const artillery::sim::replica_program&>(*world.running(replicas_[i]));
  }
  [[nodiscard]] const artillery::replication::client_core& client() {
    return static_cast<const artillery::sim::client_program&>(*world.running(client_)).core();
  }
  [[nodiscard]] const artillery::replication::view& view() const { return chain_; }
  [[nodiscard]] std::unique_ptr<artillery::sim::replica_program> make_replica(std::size_t i,
                                                                              std::uint64_t incarnation) {
    artillery::replication::replica_config config = config_;
    config.self = {node(i), incarnation};
    return std::make_unique<artillery::sim::replica_program>(config, chain_, i + 1, artillery::sim::replica_driving{});
  }
  artillery::sim::host add_client(artillery::replication::client_config config = {}) {
    for (std::size_t i = 0; i < chain_.replicas.size(); ++i) config.replicas.push_back(at(i));
    auto program = std::make_unique<artillery::sim::client_program>(
        config, 99,
        [this](auto request, std::error_code error, const auto& result) { reads_[request] = {error, result}; },
        [this](auto request, std::error_code error, const auto& result) { writes_[request] = {error, result}; });
    return world.add(artillery::endpoint::v4(10, 0, 1, ++clients_, 9000), std::move(program));
  }

  /// Whose calls the following ones are.
  void speak_as(artillery::sim::host client) { client_ = client; }

  // --- calls ---
  struct write_answer {
    std::error_code error;
    artillery::replication::write_result result;
  };
  struct read_answer {
    std::error_code error;
    artillery::replication::read_result result;
    [[nodiscard]] std::string value() const { return result.value ? std::string{result.value->text()} : "(absent)"; }
  };

  artillery::replication::request_id begin_write(const artillery::replication::write& what,
                                                 std::optional<artillery::duration> within = {}) {
    const auto request = ++requests_;
    world.call(client_, [=](artillery::sim::program& p, artillery::time_point now, artillery::network_effects& out) {
      static_cast<artillery::sim::client_program&>(p).write(
          request, what, within ? std::optional{now + *within} : std::nullopt, now, out);
    });
    return request;
  }
  artillery::replication::request_id begin_read(const std::string& key,
                                                const artillery::replication::consistency& level = {},
                                                std::optional<std::size_t> replica = {},
                                                std::optional<artillery::duration> within = {},
                                                const artillery::replication::session_token& after = {}) {
    const auto request = ++requests_;
    const auto where =
        replica ? artillery::replication::routing::to(node(*replica)) : artillery::replication::routing{};
    world.call(client_, [=](artillery::sim::program& p, artillery::time_point now, artillery::network_effects& out) {
      static_cast<artillery::sim::client_program&>(p).read(
          request, key, level, where, after, within ? std::optional{now + *within} : std::nullopt, now, out);
    });
    return request;
  }
  [[nodiscard]] bool answered(artillery::replication::request_id request) const {
    return reads_.contains(request) || writes_.contains(request);
  }
  /// The answer; fails the test by `std::out_of_range` when none comes in time.
  write_answer end_write(artillery::replication::request_id request) {
    world.run_until([&] { return answered(request); }, patience);
    return writes_.at(request);
  }
  read_answer end_read(artillery::replication::request_id request) {
    world.run_until([&] { return answered(request); }, patience);
    return reads_.at(request);
  }
  write_answer write(const artillery::replication::write& what) { return end_write(begin_write(what)); }
  write_answer put(const std::string& key, const std::string& value, artillery::replication::condition when = {}) {
    return write(artillery::replication::write::put(key, value, when));
  }
  read_answer read(const std::string& key, const artillery::replication::consistency& level = {},
                   std::optional<std::size_t> replica = {}) {
    return end_read(begin_read(key, level, replica));
  }

  /// Holds back what `from` sends to its successor, so that records above stay dirty.
  void hold(std::size_t from) { world.cut(replicas_[from], replicas_[from + 1]); }
  void release(std::size_t from) { world.mend(replicas_[from], replicas_[from + 1]); }
  void run(artillery::duration length) { world.run_for(length); }

  artillery::sim::world world{4711};

private:
  artillery::replication::replica_config config_;
  artillery::replication::view chain_;
  std::vector<artillery::sim::host> replicas_;
  artillery::sim::host client_ = 0;
  std::uint8_t clients_ = 0;
  artillery::replication::request_id requests_ = 0;
  std::map<artillery::replication::request_id, read_answer> reads_;
  std::map<artillery::replication::request_id, write_answer> writes_;
};
