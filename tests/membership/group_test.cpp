#include "membership/recorder.hpp"

using namespace bench;
using membership::member_state;

namespace {

const endpoint group = endpoint::v4(239, 1, 2, 3, 7947);

membership::config with_group() {
  membership::config config = membership::config::lan();
  config.group = group;
  return config;
}

std::vector<sent_datagram> to_group(const table& t) {
  std::vector<sent_datagram> sent;
  for (const auto& d : t.out.datagrams) {
    if (d.to == group) sent.push_back(d);
  }
  return sent;
}

}  // namespace

TEST_CASE("an own event goes to the group once, and by gossip as ever", "[membership][group]") {
  table t{with_group()};
  for (std::uint64_t i = 1; i <= 3; ++i) t.meet(make_peer(i));
  for (int i = 0; i < 3; ++i) t.answer(t.next_ping());
  t.out.clear();
  REQUIRE_FALSE(t.core.broadcast("topic", bytes::copy(as_bytes("hello")), t.now, t.out));
  REQUIRE(to_group(t).size() == 1);
  REQUIRE(to_group(t).front().message.items.events.size() == 1);
  CHECK(to_group(t).front().message.items.events.front().payload.text() == "hello");
  t.pass(600ms);
  CHECK(to_group(t).size() == 1);
  std::size_t gossiped = 0;
  for (const auto& d : t.out.datagrams) gossiped += d.to == group ? 0 : d.message.items.events.size();
  CHECK(gossiped >= 4);
}

TEST_CASE("what is heard from others is not said to the group again", "[membership][group]") {
  table t{with_group()};
  t.meet(make_peer(1));
  t.pass(5s);
  t.out.clear();
  t.receive(make_peer(1).at, membership::gossip{}, {make_peer(2).claim(), make_peer(3).claim()});
  t.pass(100ms);
  CHECK(to_group(t).empty());
}

TEST_CASE("own suspicions, verdicts and the own farewell go to the group", "[membership][group]") {
  table t{with_group()};
  const peer p = make_peer(1);
  t.meet(p);
  t.pass(60s);
  REQUIRE(t.state_of(p) == member_state::failed);
  std::vector<member_state> said;
  for (const auto& d : to_group(t)) {
    for (const auto& c : d.message.items.claims) {
      if (c.about == p.id) said.push_back(c.state);
    }
  }
  CHECK(said == std::vector{member_state::suspect, member_state::failed});
  t.meet(make_peer(2));
  t.out.clear();
  REQUIRE_FALSE(t.core.leave(t.now, t.out));
  REQUIRE(to_group(t).size() == 1);
  CHECK(to_group(t).front().message.items.claims.front().state == member_state::left);
}

TEST_CASE("what comes by the group is taken as gossip is", "[membership][group]") {
  table t{with_group()};
  std::vector<std::byte> buffer;
  membership::datagram_writer writer{buffer, detail::cluster_tag("default"), 1'400};
  writer.begin(membership::gossip{});
  REQUIRE(writer.add(make_peer(1).claim()));
  t.core.receive(connection::datagram(make_peer(1).at, 1), writer.seal(), t.now, t.out);
  CHECK(t.out.count<membership::joined>() == 1);
}

TEST_CASE("a group datagram is never over the limit, nor over the bytes of a second", "[membership][group]") {
  membership::config config = with_group();
  config.bytes_per_second_max = std::size_t{16} * (config.gossip_fanout + 1) * config.datagram_max;
  table t{config};
  for (std::uint64_t i = 1; i <= 3; ++i) t.meet(make_peer(i));
  t.pass(5s);
  const auto before = t.core.counted().datagram_bytes_sent;
  std::size_t taken = 0;
  for (int i = 0; i < 500; ++i) {
    if (!t.core.broadcast("topic", bytes::copy(std::vector<std::byte>(1'300)), t.now, t.out)) ++taken;
    t.pass(2ms);
  }
  CHECK(taken > 10);
  for (const auto& d : t.out.datagrams) CHECK(d.size <= config.datagram_max);
  CHECK(t.core.counted().datagram_bytes_sent - before <= config.bytes_per_second_max * 9 / 8);
  CHECK(to_group(t).size() <= taken);
}

TEST_CASE("without a group nothing goes beside gossip", "[membership][group]") {
  table t;
  t.meet(make_peer(1));
  REQUIRE_FALSE(t.core.broadcast("topic", bytes::copy(as_bytes("hello")), t.now, t.out));
  t.pass(1s);
  CHECK(t.core.counted().group_datagrams_sent == 0);
}
