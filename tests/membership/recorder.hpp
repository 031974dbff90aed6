#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "catch.hpp"
#include "membership/core.hpp"

/// One core on a table: what it sends is kept decoded, what it reports is kept, time is what the test says.
namespace bench {

using namespace artillery;
using namespace std::chrono_literals;

inline constexpr time_point begin{std::chrono::hours{1}};

struct sent_datagram {
  endpoint to;
  membership::packet message;
  std::size_t size;
};

class recorder final : public membership::core::effects_type {
public:
  using network_effects::send;
  void send(const connection& to, bytes_view header, std::span<const bytes> body) override {
    if (to.is_stream) {
      std::vector<std::byte> whole{header.begin(), header.end()};
      for (const bytes& slice : body) whole.insert(whole.end(), slice.view().begin(), slice.view().end());
      frames.emplace_back(to.number, bytes::copy(whole));
      return;
    }
    auto read = membership::read_datagram(header, detail::cluster_tag("default"));
    REQUIRE_FALSE(read.error);
    datagrams.push_back({to.peer, std::move(read.value), header.size()});
  }
  void open(std::uint64_t number, const endpoint& to) override { opened.emplace_back(number, to); }
  void close(std::uint64_t number) override { closed.push_back(number); }
  void persist(operation, std::span<const bytes>) override {}
  void deliver(membership::event event) override { events.push_back(std::move(event)); }

  template <class Body>
  [[nodiscard]] std::vector<sent_datagram> all() const {
    std::vector<sent_datagram> result;
    std::copy_if(datagrams.begin(), datagrams.end(), std::back_inserter(result),
                 [](const sent_datagram& d) { return std::holds_alternative<Body>(d.message.body); });
    return result;
  }
  template <class Event>
  [[nodiscard]] std::size_t count() const {
    return static_cast<std::size_t>(std::count_if(
        events.begin(), events.end(), [](const membership::event& e) { return std::holds_alternative<Event>(e); }));
  }
  void clear() {
    datagrams.clear();
    frames.clear();
    opened.clear();
    closed.clear();
    events.clear();
  }

  std::vector<sent_datagram> datagrams;
  std::vector<std::pair<std::uint64_t, bytes>> frames;
  std::vector<std::pair<std::uint64_t, endpoint>> opened;
  std::vector<std::uint64_t> closed;
  std::vector<membership::event> events;
};

/// Other nodes, as far as a core under test can tell.
struct peer {
  node_id id;
  std::uint64_t boot = 1;
  std::uint64_t incarnation = 0;
  endpoint at;

  [[nodiscard]] membership::claim claim(membership::member_state state = membership::member_state::alive) const {
    membership::claim c{
        .about = id, .boot = boot, .incarnation = incarnation, .state = state, .accuser = {}, .facts = nullptr};
    if (state == membership::member_state::alive) {
      c.facts = std::make_shared<const membership::facts>(
          membership::facts{.name = to_short_string(id), .at = at, .tags = {}});
    }
    return c;
  }
};

inline peer make_peer(std::uint64_t number) {
  return {.id = {number, number}, .at = endpoint::v4(10, 0, 0, static_cast<std::uint8_t>(number), 7946)};
}

class table {
public:
  explicit table(membership::config config = membership::config::lan())
      : core{std::move(config), {.id = {0xAAAA, 1}, .boot = 5}, detail::random{7}} {
    core.start(self_at, now, out);
  }

  void receive(const endpoint& from, const membership::message_body& body,
               const std::vector<membership::claim>& claims = {},
               const std::vector<membership::event_record>& events = {}) {
    std::vector<std::byte> buffer;
    membership::datagram_writer writer{buffer, detail::cluster_tag("default"), 1'400};
    writer.begin(body);
    for (const auto& c : claims) REQUIRE(writer.add(c));
    for (const auto& e : events) REQUIRE(writer.add(e));
    core.receive(connection::datagram(from), writer.seal(), now, out);
  }
  void meet(const peer& p) { receive(p.at, membership::gossip{}, {p.claim()}); }

  /// Lets time pass, timer by timer.
  void pass(duration length) {
    const time_point end = now + length;
    while (const auto due = core.next_deadline()) {
      if (*due > end) break;
      now = std::max(now, *due);
      core.expire(now, out);
    }
    now = end;
  }
  /// Lets time pass until the next regular probe, and returns its ping.
  sent_datagram next_ping() {
    out.clear();
    const auto probes = core.counted().probes;
    for (int i = 0; i < 100'000; ++i) {
      const auto due = core.next_deadline();
      REQUIRE(due);
      now = std::max(now, *due);
      core.expire(now, out);
      if (core.counted().probes > probes) return out.all<membership::ping>().back();
      out.datagrams.clear();
    }
    FAIL("no ping");
    return {};
  }
  void answer(const sent_datagram& ping) {
    receive(ping.to, membership::ack{std::get<membership::ping>(ping.message.body).sequence,
                                     std::get<membership::ping>(ping.message.body).digests});
  }
  [[nodiscard]] membership::member_state state_of(const peer& p) const {
    const auto* row = core.table().find(p.id);
    REQUIRE(row != nullptr);
    return row->standing.state;
  }

  endpoint self_at = endpoint::v4(10, 0, 0, 200, 7946);
  time_point now = begin;
  membership::core core;
  recorder out;
};

}  // namespace bench
