#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/random.hpp"
#include "discovery/core.hpp"

/// One core on one link in virtual time, for scenarios: what it sends and tells is kept, what it hears is written by
/// hand.
namespace scenario {

using namespace artillery;
using namespace artillery::discovery;
using std::chrono::milliseconds;
using std::chrono::seconds;

inline const endpoint everyone = endpoint::v4(10, 0, 0, 255, 27946);
inline const endpoint neighbour = endpoint::v4(10, 0, 0, 2, 40000);

inline service a_service(const std::string& type = "kv", std::uint64_t number = 1) {
  service s;
  s.type = type;
  s.protocol = "udp";
  s.name = "service " + std::to_string(number);
  s.instance = {number << 32U, number};
  s.endpoints = {endpoint::v4(10, 0, 0, 2, 9000)};
  return s;
}

class one_node final : public core_effects {
public:
  struct sent {
    time_point at;
    connection to;
    frame what;
    std::size_t size;
  };

  one_node() : core_{config_of_core(), detail::random{1}} {
    core_.answer_at(50000);
    core_.interfaces_changed({link(1)}, now, *this);
    events.clear();
  }

  static core_config config_of_core() {
    core_config c;
    c.cluster = "scenario";
    c.node = {1, 1};
    c.epoch_us = 1000;
    c.announce_interval = seconds{10};
    c.started = time_point{seconds{100}};
    return c;
  }
  static discovery::interface link(std::uint8_t last) {
    return {1, endpoint::v4(10, 0, 0, last, 0), endpoint::v4(10, 0, 0, 255, 0), 24};
  }

  /// Lets time pass, with every deadline served when it comes.
  void pass(duration length) {
    const time_point end = now + length;
    for (;;) {
      const auto next = core_.next_deadline();
      if (!next || *next > end) break;
      now = std::max(now, *next);
      core_.expire(now, *this);
    }
    now = end;
  }

  /// A frame of a neighbour, sent from its private port.
  static frame said(frame_kind kind, std::uint32_t sequence, std::uint64_t epoch = 5) {
    frame f;
    f.header.kind = kind;
    f.header.node = {2, 2};
    f.header.at = {epoch, sequence};
    f.header.ttl = seconds{30};
    f.header.answer_port = neighbour.port();
    return f;
  }
  static frame announcing(const service& what, std::uint32_t sequence, std::uint64_t epoch = 5) {
    frame f = said(frame_kind::announce, sequence, epoch);
    f.body = announcement{what};
    return f;
  }
  static frame leaving(const service& what, std::uint32_t sequence, std::uint64_t epoch = 5) {
    frame f = said(frame_kind::goodbye, sequence, epoch);
    f.body = goodbye{what.instance};
    return f;
  }
  static frame asking(question what, std::uint64_t query, std::uint32_t sequence = 1) {
    frame f = said(frame_kind::seek, sequence);
    f.header.query = query;
    f.body = std::move(what);
    return f;
  }

  void hear(const frame& what, const endpoint& from = neighbour, std::size_t size_min = 0,
            std::string_view cluster = "scenario") {
    std::vector<std::byte> datagram;
    encode(what, realm::of(cluster), size_min, datagram);
    hear_bytes(datagram, from);
  }
  void hear_bytes(bytes_view datagram, const endpoint& from = neighbour) {
    core_.receive(connection::datagram(from, 1), datagram, now, *this);
  }

  std::vector<sent> take_sent(frame_kind kind) {
    std::vector<sent> result;
    for (const sent& s : log)
      if (s.what.header.kind == kind) result.push_back(s);
    std::erase_if(log, [&](const sent& s) { return s.what.header.kind == kind; });
    return result;
  }
  std::vector<core_event> take_events() { return std::exchange(events, {}); }

  void send(const connection& to, bytes_view header, std::span<const bytes>) override {
    const auto decoded = decode(header, realm::of("scenario"));
    log.push_back({now, to, decoded.what, header.size()});
  }
  void open(std::uint64_t, const endpoint&) override {}
  void close(std::uint64_t) override {}
  void persist(operation, std::span<const bytes>) override {}
  void deliver(core_event event) override { events.push_back(std::move(event)); }

  core& node() { return core_; }

  time_point now{seconds{100}};
  std::vector<sent> log;
  std::vector<core_event> events;

private:
  core core_;
};

template <class Fact>
const Fact* fact(const core_event& what) {
  const auto* e = std::get_if<event>(&what);
  return e == nullptr ? nullptr : std::get_if<Fact>(e);
}

}  // namespace scenario
