#pragma once

#include <unistd.h>

#include <asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <string>
#include <vector>

#include "artillery/discovery.hpp"
#include "net/own_port.hpp"

/// Beacons in one process on the loopback interface, on a port and in a cluster of their own.
namespace meeting {

using namespace artillery;
using tests::own_port;

inline discovery::config on_loopback(std::uint16_t port) {
  discovery::config options;
  options.cluster = "test-" + std::to_string(::getpid());
  options.port = port;
  options.interfaces = {"lo"};
  return options;
}

inline discovery::service a_service(const std::string& name, const std::string& type = "kv") {
  discovery::service s;
  s.type = type;
  s.protocol = "udp";
  s.name = name;
  s.endpoints = {endpoint::v4(0, 0, 0, 0, 9000)};
  return s;
}

/// Runs the context until `done`, or a deadline that only a failure reaches.
inline bool run_until(asio::io_context& context, const std::function<bool()>& done,
                      std::chrono::milliseconds deadline = std::chrono::seconds{10}) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  context.restart();
  while (!done()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    context.run_one_for(std::chrono::milliseconds{50});
    if (context.stopped()) context.restart();
  }
  return true;
}

/// A beacon that runs and keeps all it is told.
struct running_beacon {
  running_beacon(asio::io_context& context, discovery::config options)
      : beacon{context.get_executor(), std::move(options)} {
    beacon.async_run([this](std::error_code why) {
      ended = true;
      end = why;
    });
    pull();
  }

  void pull() {
    beacon.async_next_event([this](std::error_code error, discovery::event event) {
      if (error) return;
      events.push_back(std::move(event));
      pull();
    });
  }

  template <class Fact>
  const Fact* told_of(const std::string& name) const {
    for (const auto& e : events)
      if (const auto* fact = std::get_if<Fact>(&e); fact != nullptr && fact->what.name == name) return fact;
    return nullptr;
  }
  template <class Fact>
  bool told() const {
    for (const auto& e : events)
      if (std::holds_alternative<Fact>(e)) return true;
    return false;
  }
  std::uint64_t metric(const std::string& wanted) const {
    std::uint64_t result = 0;
    beacon.metrics([&](std::string_view name, std::uint64_t value) {
      if (name == wanted) result = value;
    });
    return result;
  }

  discovery::beacon beacon;
  std::vector<discovery::event> events;
  bool ended = false;
  std::error_code end;
};

}  // namespace meeting
