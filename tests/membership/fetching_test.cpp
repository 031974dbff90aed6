#include "membership/recorder.hpp"

using namespace bench;

namespace {

const std::string large_payload(20'000, 'x');

membership::event_record event_from(const peer& p, std::uint64_t number, std::string payload = large_payload) {
  return {.origin = membership::shorten(p.id),
          .boot = p.boot,
          .sequence = number,
          .previous = number - 1,
          .lamport = number,
          .topic = "t",
          .payload = bytes{payload}};
}

membership::packet frame_of(const bytes& frame, bool first) {
  auto read = membership::read_frame(frame, detail::cluster_tag("default"), first);
  REQUIRE_FALSE(read.error);
  return std::move(read.value);
}

std::string numbers_told(const recorder& out) {
  std::string all;
  for (const auto& e : out.events) {
    if (const auto* u = std::get_if<membership::user_event>(&e)) all += std::to_string(u->lamport) + " ";
    if (const auto* g = std::get_if<membership::gap>(&e)) all += "gap(" + std::to_string(g->first) + ") ";
  }
  return all;
}

/// No other streams than those by which events are fetched.
membership::config undisturbed(membership::config config) {
  config.probe_interval = 1h;
  config.push_pull_interval = 24h;
  return config;
}

/// A table that hears of large events of its first peer, also through the second.
struct fetcher : table {
  explicit fetcher(membership::config config = membership::config::lan()) : table{undisturbed(std::move(config))} {
    meet(origin);
    meet(teller);
    pass(500ms);
    out.clear();
  }
  /// What does not fit goes as a notice.
  void hear(std::uint64_t number, const peer& from, const std::string& payload = large_payload) {
    receive(from.at, membership::gossip{}, {}, {event_from(origin, number, payload)});
  }
  void connect(std::size_t which) {
    core.link(connection::stream(out.opened[which].first, out.opened[which].second), link_state::up, now, out);
  }
  void answer(std::size_t which, const membership::event_record* with) {
    std::vector<std::byte> frame;
    if (with == nullptr) {
      membership::write_frame(frame, detail::cluster_tag("default"), true, membership::event_reply{.found = false});
    } else {
      membership::write_event_reply_head(frame, detail::cluster_tag("default"), true, *with);
      frame.insert(frame.end(), with->payload.view().begin(), with->payload.view().end());
    }
    core.receive(connection::stream(out.opened[which].first, out.opened[which].second), frame, now, out);
  }

  const peer origin = make_peer(1);
  const peer teller = make_peer(2);
};

}  // namespace

TEST_CASE("a broadcast that no datagram holds goes as a notice", "[membership][events][fetch]") {
  fetcher t;
  REQUIRE_FALSE(t.core.broadcast("t", large_payload, t.now, t.out));
  const auto sent = t.out.all<membership::gossip>();
  REQUIRE_FALSE(sent.empty());
  REQUIRE(sent[0].message.items.events.size() == 1);
  CHECK(sent[0].message.items.events[0].fetch_size == large_payload.size());
  CHECK(sent[0].message.items.events[0].payload.size() == 0);
  CHECK(sent[0].size < 100);
}

TEST_CASE("an event that a notice tells of is fetched from whoever told it, and passed on", "[membership][fetch]") {
  fetcher t;
  t.hear(1, t.teller);
  REQUIRE(t.out.opened.size() == 1);
  CHECK(t.out.opened[0].second == t.teller.at);
  t.connect(0);
  REQUIRE(t.out.frames.size() == 1);
  const auto asked = std::get<membership::event_request>(frame_of(t.out.frames[0].second, true).body);
  CHECK(asked.origin == membership::shorten(t.origin.id));
  CHECK(asked.number == 1);
  CHECK(numbers_told(t.out).empty());
  const auto whole = event_from(t.origin, 1);
  t.answer(0, &whole);
  CHECK(numbers_told(t.out) == "1 ");
  CHECK(std::get<membership::user_event>(t.out.events[0]).payload == bytes{large_payload});
  CHECK(t.out.closed.size() == 1);
  t.out.clear();
  t.pass(50ms);
  const auto passed_on = t.out.all<membership::gossip>();
  REQUIRE_FALSE(passed_on.empty());
  REQUIRE_FALSE(passed_on[0].message.items.events.empty());
  CHECK(passed_on[0].message.items.events[0].fetch_size == large_payload.size());
  t.hear(1, t.teller);
  CHECK(t.out.opened.empty());
  CHECK(numbers_told(t.out).empty());
}

TEST_CASE("an event that is kept here is served to whoever asks", "[membership][fetch]") {
  fetcher t;
  REQUIRE_FALSE(t.core.broadcast("t", large_payload, t.now, t.out));
  t.core.link(connection::stream(2, t.teller.at), link_state::up, t.now, t.out);
  const auto ask = [&](std::uint64_t number, bool first) {
    std::vector<std::byte> frame;
    membership::write_frame(frame, detail::cluster_tag("default"), first,
                            membership::event_request{membership::shorten(t.core.self().id), 5, number});
    t.core.receive(connection::stream(2, t.teller.at), frame, t.now, t.out);
  };
  ask(1, true);
  ask(2, false);
  REQUIRE(t.out.frames.size() == 2);
  const auto found = frame_of(t.out.frames[0].second, true);
  CHECK(std::get<membership::event_reply>(found.body).found);
  REQUIRE(found.items.events.size() == 1);
  CHECK(found.items.events[0].payload == bytes{large_payload});
  const auto missing = frame_of(t.out.frames[1].second, false);
  CHECK_FALSE(std::get<membership::event_reply>(missing.body).found);
}

TEST_CASE("what waits behind an event that is fetched keeps its order", "[membership][fetch]") {
  fetcher t;
  t.hear(1, t.origin);
  t.hear(2, t.origin, "small");
  t.pass(4s);
  CHECK(numbers_told(t.out).empty());  // it is on its way: no gap
  t.connect(0);
  const auto whole = event_from(t.origin, 1);
  t.answer(0, &whole);
  CHECK(numbers_told(t.out) == "1 2 ");
}

TEST_CASE("who does not have an event is not its only source, and what nobody has is a gap", "[membership][fetch]") {
  fetcher t;
  t.hear(1, t.teller);
  t.hear(2, t.teller, "small");
  std::vector<endpoint> asked;
  for (std::size_t i = 0; i < membership::fetch_attempts_max; ++i) {
    t.pass(200ms * static_cast<int>(i));
    REQUIRE(t.out.opened.size() == i + 1);
    asked.push_back(t.out.opened[i].second);
    t.connect(i);
    t.answer(i, nullptr);
  }
  CHECK(std::count(asked.begin(), asked.end(), t.teller.at) == 4);
  CHECK(std::count(asked.begin(), asked.end(), t.origin.at) == 4);
  CHECK(numbers_told(t.out).empty());
  t.pass(3s);
  CHECK(t.out.opened.size() == membership::fetch_attempts_max);
  CHECK(numbers_told(t.out) == "gap(1) 2 ");
  CHECK(t.core.held() < 10);
}

TEST_CASE("few events are fetched at a time, and the next when one has come", "[membership][fetch]") {
  fetcher t;
  for (std::uint64_t i = 1; i <= 6; ++i) t.hear(i, t.teller);
  REQUIRE(t.out.opened.size() == membership::fetches_at_once);
  t.connect(0);
  const auto whole = event_from(t.origin, 1);
  t.answer(0, &whole);
  CHECK(t.out.opened.size() == membership::fetches_at_once + 1);
}

TEST_CASE("notices without end do not grow memory, nor open streams to strangers", "[membership][fetch][robust]") {
  fetcher t;
  for (std::uint64_t i = 1; i <= 200; ++i) {
    t.receive(make_peer(9).at, membership::gossip{}, {}, {event_from(t.origin, i)});
    t.core.check_invariants();
  }
  CHECK(t.core.counted().dropped_over_limit == 200 - membership::fetches_max);
  for (const auto& [number, to] : t.out.opened) CHECK(to == t.origin.at);
}

TEST_CASE("an event above the limit is refused at the call, and not fetched", "[membership][fetch]") {
  membership::config config;
  config.event_size_max = 10'000;
  config.broadcast_bytes_max = 15'000;
  fetcher t{config};
  CHECK(t.core.broadcast("t", std::string(10'001, 'x'), t.now, t.out) == errc::too_large);
  CHECK_FALSE(t.core.broadcast("t", std::string(10'000, 'x'), t.now, t.out));
  CHECK(t.core.broadcast("t", std::string(10'000, 'x'), t.now, t.out) == errc::would_overflow);
  t.hear(1, t.teller);
  t.hear(2, t.teller, "small");
  CHECK(t.out.opened.empty());
  t.pass(3s);
  CHECK(numbers_told(t.out) == "gap(1) 2 ");
}

TEST_CASE("an answer that is not what was asked for is dropped", "[membership][fetch][robust]") {
  fetcher t;
  t.hear(2, t.teller);
  t.connect(0);
  const auto other = event_from(t.origin, 3);
  t.answer(0, &other);
  CHECK(numbers_told(t.out).empty());
  t.pass(500ms);
  CHECK(t.out.opened.size() == 2);
}
