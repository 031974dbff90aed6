#include "membership/message.hpp"

#include <array>

#include "catch.hpp"

using namespace artillery;
using namespace artillery::membership;

namespace {

const std::uint32_t cluster = detail::cluster_tag("default");

std::string hex(bytes_view view) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (std::byte b : view) {
    out += digits[std::to_integer<unsigned>(b) >> 4U];
    out += digits[std::to_integer<unsigned>(b) & 15U];
  }
  return out;
}

claim alive_claim() {
  return {.about = {1, 2},
          .boot = 3,
          .incarnation = 4,
          .state = member_state::alive,
          .accuser = {},
          .facts = std::make_shared<const facts>(facts{
              .name = "ann", .at = endpoint::v4(192, 0, 2, 1, 7946), .tags = {{"role", "db"}}, .events_sent = 5})};
}

event_record some_event() {
  return {.origin = {7}, .boot = 3, .sequence = 12, .previous = 10, .lamport = 99, .topic = "t", .payload = "payload"};
}

std::vector<std::byte> ping_with_items() {
  std::vector<std::byte> buffer;
  datagram_writer writer{buffer, cluster, 1'400};
  writer.begin(ping{.sequence = 1, .addressee = 2, .sender = {3}, .digests = {4, 5}});
  writer.add(alive_claim());
  writer.add(some_event());
  static_cast<void>(writer.seal());
  return buffer;
}

}  // namespace

TEST_CASE("a ping has the bytes that docs/membership.md shows", "[membership][message]") {
  std::vector<std::byte> buffer;
  datagram_writer writer{buffer, cluster, 1'400};
  writer.begin(
      ping{.sequence = 0x01020304, .addressee = 0x0a0b0c0d, .sender = {0x1122334455667788}, .digests = {6, 7}});
  const bytes_view datagram = writer.seal();
  CHECK(datagram.size() == 37);
  CHECK(hex(datagram.first(5)) == "a701410000");  // magic, version, module 2 and kind 1, flags, no key
  CHECK(hex(datagram.subspan(13)) ==
        "04030201"
        "0d0c0b0a"
        "8877665544332211"
        "06000000"
        "07000000");
}

TEST_CASE("an idle probe and its answer stay within the budget of bytes", "[membership][message]") {
  std::vector<std::byte> buffer;
  datagram_writer writer{buffer, cluster, 1'400};
  writer.begin(ping{});
  const std::size_t asked = writer.seal().size();
  writer.begin(ack{});
  CHECK(asked + writer.seal().size() <= 83);
}

TEST_CASE("a claim and an event have the bytes that docs/membership.md shows", "[membership][message]") {
  std::vector<std::byte> buffer;
  datagram_writer writer{buffer, cluster, 1'400};
  writer.begin(gossip{});
  writer.add(alive_claim());
  CHECK(hex(bytes_view{buffer}.subspan(13)) ==
        "04"
        "01000000000000000200000000000000"
        "0300000000000000"
        "04"
        "03616e6e"
        "04c00002010a1f"
        "0104726f6c65026462"
        "0500000000000000"
        "0101");
  writer.begin(gossip{});
  writer.add(some_event());
  CHECK(hex(bytes_view{buffer}.subspan(13)) ==
        "80"
        "0700000000000000"
        "0300000000000000"
        "0c"
        "02"
        "63"
        "0174"
        "07"
        "7061796c6f6164");
}

TEST_CASE("a message to one member and its receipt have the bytes that docs/membership.md shows",
          "[membership][message]") {
  const direct m{.sender = {7},
                 .boot = 3,
                 .addressee = 0x0a0b0c0d,
                 .number = 300,
                 .question = 5,
                 .topic = "t",
                 .payload = "payload"};
  std::vector<std::byte> buffer;
  datagram_writer writer{buffer, cluster, 1'400};
  writer.begin(m);
  const std::string body =
      "0700000000000000"
      "0300000000000000"
      "0d0c0b0a"
      "ac02"
      "05"
      "0174"
      "07"
      "7061796c6f6164";
  CHECK(hex(bytes_view{buffer}.subspan(13)) == body);
  write_direct_head(buffer, cluster, false, m);
  CHECK(hex(buffer) + "7061796c6f6164" == "0b" + body);  // a frame's payload is not copied
  write_frame(buffer, cluster, false, receipt{.number = 300, .verdict = verdict::renumber, .highest = 5});
  CHECK(hex(buffer) == "0cac020305");
}

TEST_CASE("a query and the replies to it have the bytes that docs/membership.md shows", "[membership][message]") {
  event_record asked = some_event();
  asked.question =
      std::make_shared<const question>(question{.timeout_ms = 300, .tags = {{"role", "db"}}, .members = {{8}}});
  std::vector<std::byte> buffer;
  datagram_writer writer{buffer, cluster, 1'400};
  writer.begin(gossip{});
  writer.add(asked);
  CHECK(hex(bytes_view{buffer}.subspan(13)) ==
        "81"
        "0700000000000000"
        "0300000000000000"
        "0c"
        "02"
        "63"
        "0174"
        "ac02"
        "0104726f6c65026462"
        "010800000000000000"
        "07"
        "7061796c6f6164");
  const auto read = read_datagram(writer.seal(), cluster);
  REQUIRE_FALSE(read.error);
  REQUIRE(read.value.items.events.size() == 1);
  CHECK(read.value.items.events[0].question->tags == asked.question->tags);
  CHECK(read.value.items.events[0].payload == bytes{"payload"});
  writer.begin(
      reply{.sender = {7}, .boot = 3, .addressee = 0x0a0b0c0d, .question = 300, .answers = true, .payload = "payload"});
  CHECK(hex(bytes_view{buffer}.subspan(13)) ==
        "0700000000000000"
        "0300000000000000"
        "0d0c0b0a"
        "ac02"
        "01"
        "07"
        "7061796c6f6164");
  writer.begin(reply_receipt{.question = 300, .answers = true});
  CHECK(hex(bytes_view{buffer}.subspan(13)) == "ac0201");
}

TEST_CASE("a notice, and how its event is asked for, have the bytes that docs/membership.md shows",
          "[membership][message]") {
  event_record large = some_event();
  large.payload = bytes{std::string(2'000, 'x')};
  std::vector<std::byte> buffer;
  datagram_writer writer{buffer, cluster, 1'400};
  writer.begin(gossip{});
  writer.add(large);
  CHECK(hex(bytes_view{buffer}.subspan(13)) ==
        "82"
        "0700000000000000"
        "0300000000000000"
        "0c"
        "02"
        "63"
        "0174"
        "d00f");
  const auto read = read_datagram(writer.seal(), cluster);
  REQUIRE_FALSE(read.error);
  CHECK(read.value.items.events[0].fetch_size == 2'000);
  write_frame(buffer, cluster, false, event_request{.origin = {7}, .boot = 3, .number = 12});
  CHECK(hex(buffer) ==
        "0f"
        "0700000000000000"
        "0300000000000000"
        "0c");
  write_event_reply_head(buffer, cluster, false, some_event());
  CHECK(hex(buffer) ==
        "1001"
        "80"
        "0700000000000000"
        "0300000000000000"
        "0c"
        "02"
        "63"
        "0174"
        "07");
  writer.begin(event_request{.origin = {7}, .boot = 3, .number = 12});
  CHECK(read_datagram(writer.seal(), cluster).error == errc::malformed);  // for streams only
}

TEST_CASE("a query that nobody may ask is refused", "[membership][message][robust]") {
  const auto read_back = [](question q) {
    event_record asked = some_event();
    asked.question = std::make_shared<const question>(std::move(q));
    std::vector<std::byte> buffer;
    datagram_writer writer{buffer, cluster, 8'900};
    writer.begin(gossip{});
    writer.add(asked);
    return read_datagram(writer.seal(), cluster).error;
  };
  CHECK_FALSE(read_back({.timeout_ms = 3'600'000, .tags = {}, .members = std::vector<short_name>(32, short_name{1})}));
  CHECK(read_back({.timeout_ms = 0, .tags = {}, .members = {}}) == errc::malformed);
  CHECK(read_back({.timeout_ms = 3'600'001, .tags = {}, .members = {}}) == errc::malformed);
  CHECK(read_back({.timeout_ms = 1, .tags = {}, .members = std::vector<short_name>(33, short_name{1})}) ==
        errc::malformed);
  CHECK(read_back({.timeout_ms = 1, .tags = {{"k", std::string(254, 'x')}}, .members = {}}) == errc::malformed);
}

TEST_CASE("a message to one member that contradicts itself is refused", "[membership][message][robust]") {
  const direct sound{
      .sender = {7}, .boot = 3, .addressee = 1, .number = 1, .question = 0, .topic = "t", .payload = "payload"};
  std::vector<std::byte> whole;
  write_frame(whole, cluster, false, sound);
  CHECK_FALSE(read_frame(whole, cluster, false).error);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CHECK(read_frame(bytes_view{whole}.first(size), cluster, false).error);
  }
  direct unnumbered = sound;
  unnumbered.number = 0;
  write_frame(whole, cluster, false, unnumbered);
  CHECK(read_frame(whole, cluster, false).error == errc::malformed);
  direct long_topic = sound;
  long_topic.topic = std::string(topic_size_max + 1, 't');
  write_frame(whole, cluster, false, long_topic);
  CHECK(read_frame(whole, cluster, false).error == errc::malformed);
  write_frame(whole, cluster, false, receipt{.number = 1, .verdict = verdict::taken, .highest = 0});
  whole[2] = std::byte{4};
  CHECK(read_frame(whole, cluster, false).error == errc::malformed);
}

TEST_CASE("what is written is read back", "[membership][message]") {
  const auto read = read_datagram(ping_with_items(), cluster);
  REQUIRE_FALSE(read.error);
  CHECK(std::get<ping>(read.value.body).sender.value == 3);
  REQUIRE(read.value.items.claims.size() == 1);
  CHECK(*read.value.items.claims[0].facts == *alive_claim().facts);
  REQUIRE(read.value.items.events.size() == 1);
  CHECK(read.value.items.events[0].previous == 10);
  CHECK(read.value.items.events[0].payload == bytes{"payload"});
}

TEST_CASE("a datagram cut short at any length is refused", "[membership][message][robust]") {
  const auto whole = ping_with_items();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CHECK(read_datagram(bytes_view{whole}.first(size), cluster).error);
  }
}

TEST_CASE("a datagram with any bit flipped is refused", "[membership][message][robust]") {
  const auto whole = ping_with_items();
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    auto flipped = whole;
    flipped[bit / 8] ^= std::byte{1} << static_cast<int>(bit % 8);
    CHECK(read_datagram(flipped, cluster).error);
  }
}

TEST_CASE("bodies of any bytes behind a sound header are read or refused, never more",
          "[membership][message][robust]") {
  detail::random random{3};
  std::vector<std::byte> buffer;
  for (int i = 0; i < 20'000; ++i) {
    const auto kind = static_cast<std::uint8_t>(random.below(18));
    detail::begin_datagram(buffer, {detail::module::membership, kind, 0}, cluster);
    const std::uint64_t size = random.below(120);
    for (std::uint64_t k = 0; k < size; ++k) buffer.push_back(static_cast<std::byte>(random.below(256)));
    detail::seal_datagram(buffer);
    static_cast<void>(read_datagram(buffer, cluster));
  }
  SUCCEED("20,000 bodies");
}

TEST_CASE("mutated bodies with a sound checksum are read or refused, never more", "[membership][message][robust]") {
  detail::random random{4};
  const auto whole = ping_with_items();
  std::size_t read = 0;
  for (int i = 0; i < 20'000; ++i) {
    auto mutated = whole;
    const std::uint64_t changes = random.between(1, 4);
    for (std::uint64_t k = 0; k < changes; ++k) {
      const auto at = static_cast<std::size_t>(random.between(13, whole.size() - 1));
      mutated[at] = static_cast<std::byte>(random.below(256));
    }
    if (random.chance(1, 3)) mutated.resize(static_cast<std::size_t>(random.between(13, whole.size())));
    detail::seal_datagram(mutated);
    if (!read_datagram(mutated, cluster).error) ++read;
  }
  CHECK(read > 0);
  CHECK(read < 20'000);
}

TEST_CASE("a count larger than what is left is refused before anything is allocated", "[membership][message][robust]") {
  std::vector<std::byte> buffer;
  detail::begin_datagram(buffer, {detail::module::membership, static_cast<std::uint8_t>(message_kind::view_summary), 0},
                         cluster);
  detail::writer{buffer}.put(std::uint8_t{0}).put(std::uint64_t{1}).put(std::uint64_t{0}).put(~std::uint64_t{0});
  detail::writer{buffer}.put_varint(~std::uint64_t{0});
  detail::seal_datagram(buffer);
  CHECK(read_datagram(buffer, cluster).error == errc::malformed);
}

TEST_CASE("datagrams of another cluster, version or module are told apart", "[membership][message][robust]") {
  auto whole = ping_with_items();
  CHECK(read_datagram(whole, cluster + 1).error == errc::wrong_cluster);
  whole[1] = std::byte{9};
  CHECK(read_datagram(whole, cluster).error == errc::unsupported_version);
  whole[1] = std::byte{1};
  whole[2] = std::byte{0x21};
  CHECK(read_datagram(whole, cluster).error == errc::malformed);
}

TEST_CASE("a push-pull survives the way through frames", "[membership][message]") {
  push_pull part{
      .joining = true, .answer = false, .last = true, .before_you = 3, .entries = {{alive_claim(), 17, true}}};
  std::vector<std::byte> buffer;
  write_frame(buffer, cluster, true, part);
  const auto first = read_frame(buffer, cluster, true);
  REQUIRE_FALSE(first.error);
  CHECK(std::get<push_pull>(first.value.body).before_you == 3);
  CHECK(std::get<push_pull>(first.value.body).entries[0].events_base == 17);
  CHECK(std::get<push_pull>(first.value.body).entries[0].firm);
  for (std::size_t size = 0; size < buffer.size(); ++size) {
    CHECK(read_frame(bytes_view{buffer}.first(size), cluster, true).error);
  }
  write_frame(buffer, cluster, false, part);
  CHECK_FALSE(read_frame(buffer, cluster, false).error);
  CHECK(read_frame(buffer, cluster, true).error);
}

TEST_CASE("nothing is added to a datagram beyond its limit", "[membership][message]") {
  std::vector<std::byte> buffer;
  datagram_writer writer{buffer, cluster, datagram_size_least};
  writer.begin(gossip{});
  while (writer.add(alive_claim())) {
  }
  CHECK(writer.size() <= datagram_size_least);
  CHECK(writer.size() > datagram_size_least - 80);
  CHECK_FALSE(read_datagram(writer.seal(), cluster).error);
}
