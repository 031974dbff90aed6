#include "membership/recorder.hpp"

using namespace bench;

namespace {

std::vector<std::byte> sound_gossip(const peer& p) {
  std::vector<std::byte> buffer;
  membership::datagram_writer writer{buffer, detail::cluster_tag("default"), 1'400};
  writer.begin(membership::gossip{});
  writer.add(p.claim());
  static_cast<void>(writer.seal());
  return buffer;
}

}  // namespace

TEST_CASE("whatever comes from the network is counted and dropped, and the next good datagram is served",
          "[membership][robust]") {
  table t;
  const auto sound = sound_gossip(make_peer(1));
  const auto from = connection::datagram(make_peer(9).at);
  for (std::size_t size = 0; size < sound.size(); ++size) {
    t.core.receive(from, bytes_view{sound}.first(size), t.now, t.out);
  }
  for (std::size_t bit = 0; bit < sound.size() * 8; ++bit) {
    auto flipped = sound;
    flipped[bit / 8] ^= std::byte{1} << static_cast<int>(bit % 8);
    t.core.receive(from, flipped, t.now, t.out);
  }
  const auto& c = t.core.counted();
  CHECK(c.dropped_malformed + c.dropped_checksum_mismatch + c.dropped_unsupported_version + c.dropped_wrong_cluster ==
        c.datagrams_received);
  CHECK(t.core.table().size() == 0);
  t.core.receive(from, sound, t.now, t.out);
  CHECK(t.core.table().size() == 1);
}

TEST_CASE("members beyond the limit are dropped and counted", "[membership][robust]") {
  membership::config config;
  config.members_max = 8;
  table t{config};
  for (std::uint64_t i = 1; i <= 20; ++i) t.meet(make_peer(i));
  CHECK(t.core.table().size() == 8);
  CHECK(t.core.counted().dropped_over_limit == 12);
}

TEST_CASE("requests to ping others are limited, and only members are pinged", "[membership][robust]") {
  table t;
  t.meet(make_peer(1));
  t.out.clear();
  for (std::uint32_t i = 0; i < 1'000; ++i) {
    t.receive(make_peer(2).at,
              membership::ping_request{
                  .sequence = i, .target = membership::shorten(make_peer(1).id), .addressee = 0, .left_ms = 500});
  }
  CHECK(t.out.all<membership::ping>().size() == membership::relays_max);
  t.receive(make_peer(2).at, membership::ping_request{.sequence = 1, .target = {12345}, .addressee = 0, .left_ms = 1});
  CHECK(t.out.all<membership::ping>().size() == membership::relays_max);
}

TEST_CASE("streams beyond the limit are closed, and rubbish on one ends it", "[membership][robust]") {
  membership::config config;
  config.streams_max = 4;
  table t{config};
  for (std::uint64_t i = 1; i <= 10; ++i) {
    t.core.link(connection::stream(2 * i, make_peer(9).at), link_state::up, t.now, t.out);
  }
  CHECK(t.out.closed.size() == 6);
  const std::vector<std::byte> rubbish(40, std::byte{0xA7});
  t.core.receive(connection::stream(2), rubbish, t.now, t.out);
  CHECK(t.out.closed.size() == 7);
  CHECK(t.core.counted().dropped_malformed == 1);
  t.pass(10s);
  CHECK(t.out.closed.size() == 10);  // silent ones are given up
}

TEST_CASE("hostile streams of sound messages leave every promise intact", "[membership][robust]") {
  detail::random random{GENERATE(1U, 2U, 3U, 4U)};
  table t;
  for (int step = 0; step < 5'000; ++step) {
    const std::uint64_t who = random.between(1, 6);
    peer p = make_peer(who);
    p.boot = random.between(1, 3);
    p.incarnation = random.below(5);
    if (random.chance(1, 20)) p.id = t.core.self().id;
    auto c = p.claim(static_cast<membership::member_state>(random.below(4)));
    c.accuser = {random.below(6)};
    std::vector<membership::event_record> events;
    if (random.chance(1, 2)) {
      const std::uint64_t sequence = random.between(1, 600);
      const std::uint64_t previous = random.below(sequence);
      events.push_back({.origin = membership::shorten(p.id),
                        .boot = p.boot,
                        .sequence = sequence,
                        .previous = previous,
                        .lamport = random.next(),
                        .topic = "t",
                        .payload = "x"});
    }
    const auto sequence = static_cast<std::uint32_t>(random.next());
    switch (random.below(6)) {
      case 0: t.receive(p.at, membership::gossip{}, {c}, events); break;
      case 1:
        t.receive(p.at,
                  membership::view_summary{.step = membership::repair_step::question, .sender = {}, .entries = {}},
                  {c});
        break;
      case 2: t.receive(p.at, membership::stranger{sequence}, {c}); break;
      case 3: t.receive(p.at, membership::ping{sequence, sequence, membership::shorten(p.id), {}}, {c}); break;
      case 4:
        t.receive(p.at, membership::event_summary{
                            .answer = false,
                            .complete = true,
                            .sender = membership::shorten(p.id),
                            .entries = {{membership::shorten(p.id), p.boot, random.below(700), random.next()}}});
        break;
      default: t.pass(std::chrono::milliseconds{random.below(300)}); break;
    }
    t.core.check_invariants();
    t.out.clear();
  }
  CHECK(t.core.held() < 2'000);
}
