#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "loopback_chain.hpp"
#include "plain_register.hpp"

namespace artillery::replication {

/// Replicas with real sockets that follow the views of a register in memory, on one context that this test's thread
/// runs; and a client whose writes go on all the time.
class healing_chain {
public:
  /// `listed` of the `nodes` form the first chain; the others are spares.
  explicit healing_chain(std::size_t nodes, std::size_t listed = 3) {
    for (std::size_t i = 0; i < nodes; ++i) {
      replicas_.emplace_back();
      incarnations_.push_back(0);
      config(i).replicas_wanted = listed;
      start(i);
    }
    REQUIRE(until([&] {
      return std::all_of(replicas_.begin(), replicas_.end(), [](const auto& r) { return !r->local_endpoint().none(); });
    }));
    view genesis;
    genesis.chain = 1;
    genesis.epoch = 1;
    genesis.leases = lease_mode::timed;
    genesis.lease = 300ms;
    for (std::size_t i = 0; i < listed; ++i) {
      genesis.replicas.push_back({{node(i), 1}, at(i).local_endpoint()});
      genesis.readers.push_back(genesis.replicas.back().id);
    }
    register_.begin(genesis);
    REQUIRE(is_chain_of(listed));
    client_config contacts;
    contacts.cluster = "test";
    contacts.attempt_timeout = 200ms;
    for (std::size_t i = 0; i < nodes; ++i) contacts.replicas.push_back(at(i).local_endpoint());
    client_.emplace(io_.get_executor(), contacts);
    client_->async_run(asio::detached);
  }
  ~healing_chain() { is_over_ = true; }
  healing_chain(const healing_chain&) = delete;
  healing_chain& operator=(const healing_chain&) = delete;

  [[nodiscard]] static node_id node(std::size_t number) { return {1, number + 1}; }
  [[nodiscard]] replica& at(std::size_t number) { return *replicas_.at(number); }
  [[nodiscard]] plain_register& decides() noexcept { return register_; }
  [[nodiscard]] replication::client& client() noexcept { return *client_; }
  /// For the next life of a node.
  [[nodiscard]] replica_config& config(std::size_t number) {
    while (configs_.size() <= number) {
      configs_.push_back(config_of(configs_.size()));
      configs_.back().failed_after = 150ms;
      configs_.back().readmit_min = 10ms;
      configs_.back().readmit_max = 10ms;
    }
    return configs_[number];
  }

  void start(std::size_t number) {
    replica_config config = this->config(number);
    config.self = {node(number), ++incarnations_[number] * 1000 - 999};
    replica_options options;
    if (!places_.empty() && places_.size() > number) options.listen = places_[number];
    replicas_[number] = std::make_unique<replica>(io_.get_executor(), config, options, register_);
    ended_.resize(std::max(ended_.size(), number + 1));
    ended_[number] = run_outcome{};
    replicas_[number]->async_run(ended_[number]);
  }
  /// How the run of a node's last life ended, if it did.
  [[nodiscard]] const run_outcome& run_of(std::size_t number) const { return ended_.at(number); }
  /// Another process with the id of a node, of a later life than its present one.
  [[nodiscard]] std::unique_ptr<replica> twin_of(std::size_t number, std::uint64_t incarnation) {
    replica_config config = this->config(number);
    config.self = {node(number), incarnation};
    return std::make_unique<replica>(io_.get_executor(), config, replica_options{}, register_);
  }
  void kill(std::size_t number) {
    while (places_.size() <= number) places_.emplace_back(endpoint::v4(127, 0, 0, 1, 0));
    places_[number] = at(number).local_endpoint();
    replicas_[number].reset();
  }

  template <class Predicate>
  [[nodiscard]] bool until(Predicate done) {
    return net::runs_until(io_, done);
  }
  /// The chain has this length, no learners, and all its replicas know so and hold the same.
  [[nodiscard]] bool is_chain_of(std::size_t length) {
    return until([&] {
      const view now = register_.newest();
      if (now.replicas.size() != length || !now.learners.empty()) return false;
      return std::all_of(now.replicas.begin(), now.replicas.end(), [&](const member& each) {
        const replica* here = running(each.id.node);
        return here != nullptr && here->status().epoch == now.epoch && here->status().successor_up &&
               here->status().tail != tail_state::gated;
      });
    });
  }
  [[nodiscard]] std::error_code change(std::size_t at_number, const view_change& what) {
    run_outcome done;
    at(at_number).async_change(what, done);
    REQUIRE(until([&] { return done.done(); }));
    return done.error();
  }
  /// Where in the newest view this node is.
  [[nodiscard]] std::size_t tail() const {
    return static_cast<std::size_t>(register_.newest().replicas.back().id.node.low - 1);
  }

  // --- writes that go on ---

  void begin_load() {
    is_loaded_ = true;
    for (std::size_t key = 0; key < keys; ++key) write_next(key);
  }
  /// Until this many more writes were acknowledged.
  [[nodiscard]] bool goes_on(std::uint64_t writes = 20) {
    const std::uint64_t wanted = acknowledged_ + writes;
    return until([&] { return acknowledged_ >= wanted || !failures_.empty(); }) && failures_.empty();
  }
  /// No write failed, and every replica answers for each key what was acknowledged last.
  void end_load() {
    is_loaded_ = false;
    REQUIRE(until([&] { return under_way_ == 0; }));
    CHECK(failures_ == std::vector<std::error_code>{});
    for (const member& each : register_.newest().replicas) {
      for (std::size_t key = 0; key < keys; ++key) {
        read_outcome found;
        running(each.id.node)->async_read(name_of_key(key), strong, found);
        REQUIRE(until([&] { return found.done(); }));
        REQUIRE_FALSE(found.error());
        REQUIRE(found.result().found());
        CHECK(found.result().value->text() == std::to_string(written_[key]));
      }
    }
  }

private:
  static constexpr std::size_t keys = 8;

  static bytes name_of_key(std::size_t key) { return bytes{"key " + std::to_string(key)}; }

  [[nodiscard]] const replica* running(const node_id& who) const { return replicas_.at(who.low - 1).get(); }
  [[nodiscard]] replica* running(const node_id& who) { return replicas_.at(who.low - 1).get(); }

  void write_next(std::size_t key) {
    ++under_way_;
    client_->async_put(name_of_key(key), bytes{std::to_string(written_[key] + 1)}, write_options{15s},
                       [this, key](std::error_code error, const write_result&) {
                         if (is_over_) return;
                         --under_way_;
                         if (error) return failures_.push_back(error);
                         ++acknowledged_;
                         ++written_[key];
                         if (is_loaded_) write_next(key);
                       });
  }

  bool is_over_ = false;
  asio::io_context io_;
  plain_register register_;
  std::vector<replica_config> configs_;
  std::vector<std::uint64_t> incarnations_;
  std::vector<endpoint> places_;
  std::vector<run_outcome> ended_;
  std::vector<std::unique_ptr<replica>> replicas_;
  std::optional<replication::client> client_;
  bool is_loaded_ = false;
  std::size_t under_way_ = 0;
  std::uint64_t acknowledged_ = 0;
  std::array<std::uint64_t, keys> written_{};
  std::vector<std::error_code> failures_;
};

}  // namespace artillery::replication
