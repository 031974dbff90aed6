#pragma once

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "artillery/sim.hpp"

// A program that writes down what happens to it, and two hosts that run one each: what the kernel's tests look at.

namespace sim_tests {

namespace sim = artillery::sim;
using artillery::bytes;
using artillery::connection;
using artillery::endpoint;
using artillery::link_state;
using artillery::network_effects;
using artillery::time_point;
using namespace std::chrono_literals;

/// Writes down what happens to it, and answers "ping" with "pong".
class recorder final : public sim::program {
public:
  std::size_t recover(const std::vector<bytes>& records) override {
    for (const bytes& record : records) recovered.emplace_back(record.text());
    return std::min(records.size(), keeps);
  }
  void start(time_point now, network_effects&) override { started = now; }
  void completed(artillery::operation op, std::error_code error, time_point, network_effects&) override {
    completions.emplace_back(op, error);
  }
  void receive(const connection& from, const bytes& message, time_point now, network_effects& out) override {
    received.emplace_back(message.text());
    senders.push_back(from);
    last = now;
    if (message.text() == "ping") out.send(from, artillery::as_bytes("pong"));
  }
  void link(const connection& which, link_state state, time_point, network_effects&) override {
    links.emplace_back(which, state);
  }
  void expire(time_point now, network_effects& out) override {
    if (!deadline || now < *deadline) return;
    ++expiries;
    deadline.reset();
    if (!on_expiry.none()) out.send(connection::datagram(on_expiry), artillery::as_bytes("tick"));
  }
  std::optional<time_point> next_deadline() const override { return deadline; }

  std::size_t keeps = 1'000;
  std::vector<std::string> recovered;
  std::vector<std::pair<artillery::operation, std::error_code>> completions;
  time_point started;
  time_point last;
  std::vector<std::string> received;
  std::vector<connection> senders;
  std::vector<std::pair<connection, link_state>> links;
  std::optional<time_point> deadline;
  endpoint on_expiry;
  int expiries = 0;
};

inline endpoint address(std::uint8_t number) {
  return endpoint::v4(10, 0, 0, number, 7000);
}

struct pair_of_hosts {
  explicit pair_of_hosts(std::uint64_t seed = 1, const sim::link_faults& faults = {}) : world{seed, faults} {
    a = world.add(address(1), std::make_unique<recorder>());
    b = world.add(address(2), std::make_unique<recorder>());
  }
  recorder& at(sim::host which) { return dynamic_cast<recorder&>(*world.running(which)); }
  void say(sim::host from, sim::host to, const std::string& what) {
    world.call(from, [&](sim::program&, time_point, network_effects& out) {
      out.send(connection::datagram(world.at(to)), artillery::as_bytes(what));
    });
  }
  void open(sim::host from, std::uint64_t number, sim::host to) {
    world.call(from, [&](sim::program&, time_point, network_effects& out) { out.open(number, world.at(to)); });
  }
  void say_on(sim::host from, std::uint64_t number, const std::string& what) {
    world.call(from, [&](sim::program&, time_point, network_effects& out) {
      out.send(connection::stream(number), artillery::as_bytes(what));
    });
  }

  void persist(sim::host which, artillery::operation op, const std::string& what) {
    world.call(which, [&](sim::program&, time_point, network_effects& out) {
      const bytes record{what};
      out.persist(op, {&record, 1});
    });
  }
  void set_timer(sim::host which, artillery::duration in) {
    world.call(which, [in](sim::program& p, time_point now, network_effects&) {
      dynamic_cast<recorder&>(p).deadline = now + in;
    });
  }

  sim::world world;
  sim::host a = 0;
  sim::host b = 0;
};

}  // namespace sim_tests
