#pragma once

#include <functional>
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

/// How a simulated_healing_chain begins.
struct healing_chain_setup {
  std::size_t length = 3;
  std::size_t spares = 0;
  std::optional<std::size_t> wanted = {};  ///< nothing: as many as it begins with
  std::size_t replicas_min = 1;
  artillery::duration lease = std::chrono::milliseconds{150};
  artillery::duration authority_timeout = std::chrono::milliseconds{20};
  artillery::duration runs_for = std::chrono::milliseconds{50};  ///< before anything else
  std::optional<artillery::duration> sync_takes_max = {};        ///< replicas have disks
};

/// A chain in virtual time whose view changes, with one client, for scenarios. Replicas that crash come back when they
/// are told to, with what their disk has.
class simulated_healing_chain {
public:
  using setup = healing_chain_setup;
  using question = artillery::replication::authority_question;
  using answer = artillery::replication::authority_answer;
  /// How much later something passes between a node and the authority; nothing: it is lost.
  using delay = std::optional<artillery::duration>;
  struct ended_read {
    std::error_code error;
    artillery::replication::read_result result;
  };
  static constexpr artillery::duration patience = std::chrono::seconds{30};

  explicit simulated_healing_chain(std::size_t length, std::size_t spares = 0)
      : simulated_healing_chain{setup{.length = length, .spares = spares}} {}
  explicit simulated_healing_chain(const setup& with)
      : authority_{world, genesis(with), {}, 1, [this](const auto& who, const auto& told) { pass_answer(who, told); }} {
    const std::size_t length = with.length;
    const std::size_t spares = with.spares;
    config_.failed_after = std::chrono::milliseconds{100};
    config_.value_size_max = std::size_t{64} << 10U;
    config_.silence_max = std::chrono::milliseconds{200};
    config_.authority_timeout = with.authority_timeout;
    config_.replicas_wanted = with.wanted.value_or(length);
    config_.replicas_min = with.replicas_min;
    for (std::size_t i = 0; with.sync_takes_max && i < length + spares; ++i) {
      disks_.push_back(std::make_shared<artillery::sim::replica_disk>(1, i + 1, *with.sync_takes_max));
    }
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
                              if (!error) reads_[request] = text_of(result);
                              ended_reads_[request] = {error, result};
                            },
                            [this](auto request, std::error_code error, const auto&) { writes_[request] = error; }));
    world.run_for(with.runs_for);
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

  /// `patient_for`: how long the client tries; nothing: for ever.
  artillery::replication::request_id begin_put(const std::string& key, const std::string& value,
                                               std::optional<artillery::duration> patient_for = {}) {
    const auto request = ++requests_;
    call<artillery::sim::client_program>(client_, [=](auto& p, artillery::time_point now, auto& out) {
      std::optional<artillery::time_point> deadline;
      if (patient_for) deadline = now + *patient_for;
      p.write(request, artillery::replication::write::put(key, value), deadline, now, out);
    });
    return request;
  }
  [[nodiscard]] bool has_ended(artillery::replication::request_id request) const { return writes_.contains(request); }
  [[nodiscard]] bool written(artillery::replication::request_id request) {
    REQUIRE(world.run_until([&] { return writes_.contains(request); }, patience));
    return !writes_.at(request);
  }
  void put(const std::string& key, const std::string& value) { REQUIRE(written(begin_put(key, value))); }
  [[nodiscard]] std::string read(const std::string& key, std::size_t at_node) {
    const auto request = ++requests_;
    const auto where = artillery::replication::routing::to(node(at_node));
    call<artillery::sim::client_program>(client_, [=](auto& p, artillery::time_point now, auto& out) {
      p.read(request, key, artillery::replication::strong, where, {}, std::nullopt, now, out);
    });
    REQUIRE(world.run_until([&] { return reads_.contains(request); }, patience));
    return reads_.at(request);
  }
  /// What became of a read that is asked after a session token.
  [[nodiscard]] ended_read read_after(const artillery::replication::session_token& after, const std::string& key,
                                      const artillery::replication::consistency& level,
                                      const artillery::replication::routing& where = {}) {
    const auto request = ++requests_;
    call<artillery::sim::client_program>(client_, [=](auto& p, artillery::time_point now, auto& out) {
      p.read(request, key, level, where, after, std::nullopt, now, out);
    });
    REQUIRE(world.run_until([&] { return ended_reads_.contains(request); }, patience));
    return ended_reads_.at(request);
  }
  /// The same, asked by the process of a replica of itself, whoever can reach it.
  [[nodiscard]] ended_read read_here_after(const artillery::replication::session_token& after, const std::string& key,
                                           const artillery::replication::consistency& level, std::size_t at_node) {
    const auto request = ++requests_;
    call<artillery::sim::replica_program>(host(at_node), [=](auto& p, artillery::time_point now, auto& out) {
      p.read(request, key, level, after, std::nullopt, now, out);
    });
    REQUIRE(world.run_until([&] { return ended_reads_.contains(request); }, patience));
    return ended_reads_.at(request);
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

  void crash(std::size_t i) {
    world.crash(host(i));
    if (!disks_.empty()) disks_[i]->crash();
  }
  /// With what it finds on its disk.
  void restart(std::size_t i) {
    ++restarts_;
    world.restart(host(i), make_replica(i));
  }
  [[nodiscard]] artillery::sim::replica_disk& disk(std::size_t i) { return *disks_.at(i); }
  void hold_back(std::size_t i, bool holds) {
    disk(i).hold_back(holds);
    hint(i, i, artillery::replication::peer_hint::present);  // whoever waits for its disk looks again
  }
  /// Waits until the chain is so long, whoever it is, and its tail has opened.
  [[nodiscard]] bool grows_to(std::size_t length) {
    return world.run_until(
        [&] { return order().size() == length && newest().learners.empty() && has_opened(order().back()); }, patience);
  }
  [[nodiscard]] bool has_opened(std::size_t i) {
    return world.is_up(host(i)) && replica(i).core().status().tail == artillery::replication::tail_state::open;
  }

  /// By the process of the replica itself, whoever can reach it; nothing: without an answer for a while.
  [[nodiscard]] std::optional<std::string> read_within(const std::string& key, std::size_t at_node) {
    const auto request = ++requests_;
    call<artillery::sim::replica_program>(host(at_node), [=](auto& p, artillery::time_point now, auto& out) {
      p.read(request, artillery::bytes::copy(artillery::as_bytes(key)), artillery::replication::strong, {},
             std::nullopt, now, out);
    });
    if (!world.run_until([&] { return reads_.contains(request); }, std::chrono::milliseconds{50})) return std::nullopt;
    return reads_.at(request);
  }
  /// A replica is told by others that a node has failed, and believes it.
  void say_failed(std::size_t at_node, std::size_t about) {
    hint(at_node, about, artillery::replication::peer_hint::failed);
  }
  void hint(std::size_t at_node, std::size_t about, artillery::replication::peer_hint what) {
    call<artillery::sim::replica_program>(
        host(at_node), [=](auto& p, artillery::time_point now, auto& out) { p.hint(node(about), what, now, out); });
  }

  /// What an operator asks of a replica.
  [[nodiscard]] std::error_code change(std::size_t at_node, const artillery::replication::view_change& what,
                                       artillery::duration within) {
    const auto request = ++requests_;
    call<artillery::sim::replica_program>(host(at_node), [=](auto& p, artillery::time_point now, auto& out) {
      p.change(request, what, now + within, now, out);
    });
    REQUIRE(world.run_until([&] { return changes_.contains(request); }, patience));
    return changes_.at(request);
  }

  artillery::sim::world world{4711};
  /// Asked for everything that is to pass between a node and the authority.
  std::function<delay(std::size_t, const question&)> on_question;
  std::function<delay(std::size_t, const answer&)> on_answer;

private:
  using asker = artillery::sim::plain_authority::asker;

  [[nodiscard]] static artillery::endpoint at(std::size_t i) {
    return artillery::endpoint::v4(10, 0, 0, static_cast<std::uint8_t>(i), 7000);
  }
  [[nodiscard]] static artillery::replication::view genesis(const setup& with) {
    artillery::replication::view v;
    v.chain = 1;
    v.epoch = 1;
    v.leases = artillery::replication::lease_mode::timed;
    v.lease = with.lease;
    for (std::size_t i = 0; i < with.length; ++i) {
      v.replicas.push_back({{node(i), 1}, at(i)});
      v.readers.push_back(v.replicas.back().id);
    }
    return v;
  }

  [[nodiscard]] std::unique_ptr<artillery::sim::replica_program> make_replica(std::size_t i) {
    artillery::replication::replica_config config = config_;
    const bool restarts = !disks_.empty() && disks_[i]->was_used();
    config.self = {node(i), restarts ? disks_[i]->incarnation() : 1};
    artillery::sim::replica_callers callers;
    if (!disks_.empty()) callers.disk = disks_[i];
    callers.on_read = [this](auto request, std::error_code error, const auto& result) {
      if (!error) reads_[request] = text_of(result);
      ended_reads_[request] = {error, result};
    };
    callers.on_change = [this](auto request, std::error_code error) { changes_[request] = error; };
    callers.seat = artillery::sim::authority_seat{
        .listens_at = at(i),
        .ask = [this, i, process = process_of(i)](const question& asked) { pass_question(i, process, asked); },
        .next_incarnation = [this] { return ++incarnation_; }};
    return std::make_unique<artillery::sim::replica_program>(config, newest(), i + 1, artillery::sim::replica_driving{},
                                                             std::move(callers));
  }

  [[nodiscard]] static std::string text_of(const artillery::replication::read_result& result) {
    return result.value ? std::string{result.value->text()} : "(absent)";
  }

  /// Each life has its own, and tells the node.
  [[nodiscard]] std::uint64_t process_of(std::size_t i) const { return restarts_ * nodes_max + i; }

  void pass_question(std::size_t i, std::uint64_t process, const question& asked) {
    const delay later = on_question ? on_question(i, asked) : artillery::duration{};
    if (!later) return;
    const auto* here = static_cast<const artillery::sim::replica_program*>(world.running(replicas_[i]));
    const artillery::replication::replica_id first{node(i), 1};
    const asker who{.at = replicas_[i], .process = process, .who = here ? here->core().self() : first};
    if (*later == artillery::duration{}) return authority_.ask(who, asked);
    world.schedule(world.now() + *later, [this, who, asked] { authority_.ask(who, asked); });
  }

  void pass_answer(const asker& who, const answer& told) {
    const delay later = on_answer ? on_answer(who.process % nodes_max, told) : artillery::duration{};
    if (!later) return;
    if (*later == artillery::duration{}) return tell(who, told);
    world.schedule(world.now() + *later, [this, who, told] { tell(who, told); });
  }

  void tell(const asker& who, const answer& told) {
    call<artillery::sim::replica_program>(
        who.at, [told](auto& p, artillery::time_point now, auto& out) { p.answered(told, now, out); });
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
  std::vector<std::shared_ptr<artillery::sim::replica_disk>> disks_;
  static constexpr std::uint64_t nodes_max = 64;
  std::uint64_t restarts_ = 0;
  std::uint64_t incarnation_ = 1;
  artillery::replication::request_id requests_ = 0;
  std::map<artillery::replication::request_id, std::string> reads_;
  std::map<artillery::replication::request_id, ended_read> ended_reads_;
  std::map<artillery::replication::request_id, std::error_code> writes_;
  std::map<artillery::replication::request_id, std::error_code> changes_;
};
