#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "artillery/sim.hpp"
#include "catch.hpp"
#include "sim/chain_client.hpp"
#include "sim/chain_replica.hpp"
#include "sim/plain_authority.hpp"

/// A chain in virtual time whose view changes, with one client, for scenarios. Replicas that crash do not come back.
class simulated_healing_chain {
public:
  static constexpr artillery::duration patience = std::chrono::seconds{30};

  explicit simulated_healing_chain(std::size_t length, std::size_t spares = 0)
      : authority_{world, genesis(length), {}, 1, [this](const auto& who, const auto& answer) { tell(who, answer); }} {
    config_.failed_after = std::chrono::milliseconds{100};
    config_.value_size_max = std::size_t{64} << 10U;
    config_.silence_max = std::chrono::milliseconds{200};
    config_.authority_timeout = std::chrono::milliseconds{20};
    config_.replicas_wanted = length;
    for (std::size_t i = 0; i < length + spares; ++i) {
      replicas_.push_back(i);  // hosts are numbered as they are added
      replicas_[i] = world.add(at(i), make_replica(i));
    }
    artillery::replication::client_config contacts;
    for (std::size_t i = 0; i < length + spares; ++i) contacts.replicas.push_back(at(i));
    client_ = world.add(artillery::endpoint::v4(10, 0, 1, 1, 9000),
                        std::make_unique<artillery::sim::client_program>(
                            contacts, 99,
                            [this](auto request, std::error_code error, const auto& result) {
                              if (!error)
                                reads_[request] = result.value ? std::string{result.value->text()} : "(absent)";
                            },
                            [this](auto request, std::error_code error, const auto&) { writes_[request] = error; }));
    world.run_for(std::chrono::milliseconds{50});
  }

  [[nodiscard]] static artillery::node_id node(std::size_t i) { return {7, i + 1}; }
  [[nodiscard]] artillery::sim::host host(std::size_t i) const { return replicas_.at(i); }
  [[nodiscard]] const artillery::sim::replica_program& replica(std::size_t i) {
    return static_cast<const artillery::sim::replica_program&>(*world.running(replicas_[i]));
  }
  [[nodiscard]] const artillery::replication::view& newest() const { return authority_.newest(); }
  /// Which nodes form the chain now, head first.
  [[nodiscard]] std::vector<std::size_t> order() const {
    std::vector<std::size_t> all;
    for (const auto& each : newest().replicas) all.push_back(static_cast<std::size_t>(each.id.node.low - 1));
    return all;
  }

  artillery::replication::request_id begin_put(const std::string& key, const std::string& value) {
    const auto request = ++requests_;
    call<artillery::sim::client_program>(client_, [=](auto& p, artillery::time_point now, auto& out) {
      p.write(request, artillery::replication::write::put(key, value), std::nullopt, now, out);
    });
    return request;
  }
  [[nodiscard]] bool written(artillery::replication::request_id request) {
    REQUIRE(world.run_until([&] { return writes_.contains(request); }, patience));
    return !writes_.at(request);
  }
  void put(const std::string& key, const std::string& value) { REQUIRE(written(begin_put(key, value))); }
  [[nodiscard]] std::string read(const std::string& key, std::size_t at_node) {
    const auto request = ++requests_;
    const auto where = artillery::replication::routing::to(node(at_node));
    call<artillery::sim::client_program>(client_, [=](auto& p, artillery::time_point now, auto& out) {
      p.read(request, key, artillery::replication::strong, where, std::nullopt, now, out);
    });
    REQUIRE(world.run_until([&] { return reads_.contains(request); }, patience));
    return reads_.at(request);
  }
  /// Waits until the chain is these nodes and its tail has opened.
  [[nodiscard]] bool becomes(const std::vector<std::size_t>& nodes) {
    using artillery::replication::tail_state;
    return world.run_until(
        [&] {
          return order() == nodes && newest().learners.empty() &&
                 replica(nodes.back()).core().status().tail == tail_state::open;
        },
        patience);
  }

  artillery::sim::world world{4711};

private:
  [[nodiscard]] static artillery::endpoint at(std::size_t i) {
    return artillery::endpoint::v4(10, 0, 0, static_cast<std::uint8_t>(i), 7000);
  }
  [[nodiscard]] static artillery::replication::view genesis(std::size_t length) {
    artillery::replication::view v;
    v.chain = 1;
    v.epoch = 1;
    v.leases = artillery::replication::lease_mode::timed;
    v.lease = std::chrono::milliseconds{150};
    for (std::size_t i = 0; i < length; ++i) {
      v.replicas.push_back({{node(i), 1}, at(i)});
      v.readers.push_back(v.replicas.back().id);
    }
    return v;
  }

  [[nodiscard]] std::unique_ptr<artillery::sim::replica_program> make_replica(std::size_t i) {
    artillery::replication::replica_config config = config_;
    config.self = {node(i), 1};
    artillery::sim::replica_callers callers;
    callers.seat = artillery::sim::authority_seat{
        .listens_at = at(i),
        .ask =
            [this, i](const auto& question) {
              const auto* here = static_cast<const artillery::sim::replica_program*>(world.running(replicas_[i]));
              const artillery::replication::replica_id first{node(i), 1};
              authority_.ask({.at = replicas_[i], .process = i, .who = here ? here->core().self() : first}, question);
            },
        .next_incarnation = [this] { return ++incarnation_; }};
    return std::make_unique<artillery::sim::replica_program>(config, newest(), i + 1, artillery::sim::replica_driving{},
                                                             std::move(callers));
  }

  void tell(const artillery::sim::plain_authority::asker& who, const artillery::replication::authority_answer& answer) {
    call<artillery::sim::replica_program>(
        who.at, [answer](auto& p, artillery::time_point now, auto& out) { p.answered(answer, now, out); });
  }

  template <class Program, class Input>
  void call(artillery::sim::host which, Input input) {
    world.call(which, [input](artillery::sim::program& p, artillery::time_point now, artillery::network_effects& out) {
      input(static_cast<Program&>(p), now, out);
    });
  }

  artillery::replication::replica_config config_;
  std::vector<artillery::sim::host> replicas_;
  artillery::sim::plain_authority authority_;
  artillery::sim::host client_ = 0;
  std::uint64_t incarnation_ = 1;
  artillery::replication::request_id requests_ = 0;
  std::map<artillery::replication::request_id, std::string> reads_;
  std::map<artillery::replication::request_id, std::error_code> writes_;
};
