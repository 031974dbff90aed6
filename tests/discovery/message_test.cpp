#include "discovery/message.hpp"

#include <cstdint>
#include <string>
#include <vector>

#include "artillery/error.hpp"
#include "base/cursor.hpp"
#include "base/random.hpp"
#include "base/wire.hpp"
#include "catch.hpp"

using namespace artillery;
using namespace artillery::discovery;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

const realm here = realm::of("golden");

frame_header header(frame_kind kind) {
  frame_header h;
  h.kind = kind;
  h.node = {0x0102030405060708, 0x090a0b0c0d0e0f10};
  h.at = {1'700'000'000'000'000, 7};
  h.ttl = seconds{36};
  h.query = 0x1122334455667788;
  h.answer_port = 40000;
  h.sent_us = 1'700'000'000'250'000;
  return h;
}

service printer() {
  service s;
  s.type = "printer";
  s.protocol = "ipp";
  s.name = "Büro";
  s.instance = {0xaabbccdd, 0x11223344};
  s.endpoints = {endpoint::v4(192, 0, 2, 7, 631), endpoint::v6({0x20, 0x01, 0x0d, 0xb8}, 631)};
  s.txt = {{"colour", "yes"}};
  s.load = 17;
  s.ttl = seconds{36};
  return s;
}

frame announce_frame() {
  return {header(frame_kind::announce), announcement{printer()}};
}
frame goodbye_frame() {
  return {header(frame_kind::goodbye), goodbye{{0xaabbccdd, 0x11223344}}};
}
frame seek_frame() {
  return {header(frame_kind::seek), question{"printer", {}, {1, 2, 3}, true}};
}

std::vector<std::byte> bytes_of(const frame& what, std::size_t size_min = 0) {
  std::vector<std::byte> out;
  encode(what, here, size_min, out);
  return out;
}

std::string hex(bytes_view view) {
  std::string out;
  for (std::byte b : view) {
    out += "0123456789abcdef"[std::to_integer<unsigned>(b) >> 4U];
    out += "0123456789abcdef"[std::to_integer<unsigned>(b) & 15U];
  }
  return out;
}

/// A frame whose body was changed and whose checksum is right again: what a newer version, or a liar, could send.
std::vector<std::byte> resealed(std::vector<std::byte> datagram) {
  detail::seal_datagram(datagram);
  return datagram;
}

void append_field(std::vector<std::byte>& out, std::uint8_t type, std::size_t size) {
  detail::writer{out}.put(type).put(static_cast<std::uint16_t>(size));
  out.resize(out.size() + size);
  const auto total = static_cast<std::uint16_t>(out.size());
  out[detail::datagram_header_size] = static_cast<std::byte>(total & 0xffU);
  out[detail::datagram_header_size + 1] = static_cast<std::byte>(total >> 8U);
  detail::seal_datagram(out);
}

}  // namespace

TEST_CASE("each kind of frame reads back as it was written", "[discovery][message]") {
  frame offer{header(frame_kind::offer), announcement{printer()}};
  for (const frame& f : {announce_frame(), goodbye_frame(), seek_frame(), offer}) {
    const auto decoded = decode(bytes_of(f), here);
    REQUIRE_FALSE(decoded.error);
    CHECK(decoded.what == f);
  }
}

TEST_CASE("the frames have their golden bytes", "[discovery][message]") {
  CHECK(hex(bytes_of(goodbye_frame())) ==
        "a701220000460a0ea9c595642a6000008fe27af67670bf0d0807060504030201100f0e0d0c0b0a0900401e18240a06000700"
        "0000a08c0000887766554433221100409c90102218240a06000000861000ddccbbaa000000004433221100000000");
  CHECK(hex(bytes_of(seek_frame())) ==
        "a701230100460a0ea9d72006a97200008fe27af67670bf0d0807060504030201100f0e0d0c0b0a0900401e18240a06000700"
        "0000a08c0000887766554433221100409c90102218240a060000008407007072696e74657205180001000000000000000200"
        "0000000000000300000000000000");
  CHECK(hex(bytes_of(announce_frame())) ==
        "a701210000460a0ea96d9e15c4a000008fe27af67670bf0d0807060504030201100f0e0d0c0b0a0900401e18240a06000700"
        "0000a08c0000887766554433221100409c90102218240a06000000812300ddccbbaa00000000443322110000000011077072"
        "696e746572036970700542c3bc726f821b000204c000020777020620010db80000000000000000000000007702030c000106"
        "636f6c6f757203796573");
}

TEST_CASE("a frame cut at any length, or with something behind it, is refused", "[discovery][message]") {
  for (const frame& f : {announce_frame(), goodbye_frame(), seek_frame()}) {
    const auto whole = bytes_of(f);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      CHECK(decode(bytes_view{whole}.first(size), here).error);
      std::vector<std::byte> cut{whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)};
      if (size >= detail::datagram_header_size) CHECK(decode(resealed(cut), here).error == errc::malformed);
    }
    auto longer = whole;
    longer.push_back(std::byte{0});
    CHECK(decode(resealed(longer), here).error == errc::malformed);
  }
}

TEST_CASE("a frame with any bit flipped is refused", "[discovery][message]") {
  for (const frame& f : {announce_frame(), goodbye_frame(), seek_frame()}) {
    auto datagram = bytes_of(f);
    for (std::size_t bit = 0; bit < datagram.size() * 8; ++bit) {
      datagram[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
      REQUIRE(decode(datagram, here).error);
      datagram[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    }
  }
}

TEST_CASE("whatever a liar seals is a frame or an error, never more", "[discovery][message]") {
  detail::random random{1};
  std::size_t accepted = 0;
  for (int round = 0; round < 20'000; ++round) {
    auto datagram = bytes_of(round % 3 == 0 ? announce_frame() : round % 3 == 1 ? goodbye_frame() : seek_frame());
    const auto changes = random.between(1, 4);
    for (std::uint64_t i = 0; i < changes; ++i) {
      const auto at = static_cast<std::size_t>(random.below(datagram.size()));
      datagram[at] = static_cast<std::byte>(random.below(256));
    }
    const auto decoded = decode(resealed(std::move(datagram)), here);
    if (decoded.error) continue;
    ++accepted;
    if (const auto* a = std::get_if<announcement>(&decoded.what.body)) CHECK(a->what.validate().empty());
  }
  CHECK(accepted > 100);  // ids, sequences and the like may be anything
}

TEST_CASE("a frame of another cluster is dropped before anything else", "[discovery][message]") {
  const auto datagram = bytes_of(announce_frame());
  CHECK(decode(datagram, realm::of("other")).error == errc::wrong_cluster);
  // The same tag by chance, but not the same hash.
  CHECK(decode(datagram, {here.tag, here.hash + 1}).error == errc::wrong_cluster);
}

TEST_CASE("a frame of another wire version is not read", "[discovery][message]") {
  auto datagram = bytes_of(announce_frame());
  datagram[1] = std::byte{2};
  CHECK(decode(resealed(datagram), here).error == errc::unsupported_version);
}

TEST_CASE("a total length that lies is malformed", "[discovery][message]") {
  auto datagram = bytes_of(goodbye_frame());
  datagram[detail::datagram_header_size] ^= std::byte{1};
  CHECK(decode(resealed(datagram), here).error == errc::malformed);
}

TEST_CASE("an unknown field is skipped, an unknown critical one refuses the frame", "[discovery][message]") {
  auto datagram = bytes_of(goodbye_frame());
  append_field(datagram, 0x70, 5);
  CHECK(decode(datagram, here).what == goodbye_frame());
  append_field(datagram, 0xf0, 5);
  CHECK(decode(datagram, here).error == errc::unsupported_version);
}

TEST_CASE("a datagram larger than any of ours is malformed", "[discovery][message]") {
  auto datagram = bytes_of(seek_frame(), frame_size_max);
  CHECK(datagram.size() == frame_size_max);
  CHECK_FALSE(decode(datagram, here).error);
  append_field(datagram, 0x07, 1);
  CHECK(decode(datagram, here).error == errc::malformed);
}

TEST_CASE("the largest service and the longest question fit into a frame", "[discovery][message]") {
  service s = printer();
  s.type = std::string(service::type_max, 't');
  s.protocol = std::string(service::protocol_max, 'p');
  s.name = std::string(service::name_max, 'n');
  s.endpoints.assign(service::endpoints_max, endpoint::v6({0xfe, 0x80}, 1, 3));
  s.txt = {{"k", std::string(service::txt_size_max - 3, 'v')}};
  REQUIRE(s.validate().empty());
  const frame announced{header(frame_kind::announce), announcement{s}};
  CHECK(bytes_of(announced).size() <= frame_size_max);
  CHECK(decode(bytes_of(announced), here).what == announced);

  question q{std::string(service::type_max, 't'), {1, 2}, std::vector<std::uint64_t>(question::known_max, 5), false};
  const frame asked{header(frame_kind::seek), q};
  CHECK(bytes_of(asked).size() <= frame_size_max);
  CHECK(decode(bytes_of(asked), here).what == asked);
}

TEST_CASE("nobody is believed for longer than an hour, and not for no time", "[discovery][message]") {
  auto f = announce_frame();
  f.header.ttl = std::chrono::hours{1000};
  CHECK(decode(bytes_of(f), here).what.header.ttl == service::ttl_max);
  f.header.ttl = milliseconds{0};
  CHECK(decode(bytes_of(f), here).error == errc::malformed);
}

TEST_CASE("a service says which of its fields is wrong", "[discovery]") {
  const auto problem_with = [](auto change) {
    service s = printer();
    change(s);
    return s.validate();
  };
  CHECK(printer().validate().empty());
  CHECK(problem_with([](service& s) { s.type = "a b"; }).find("type") == 0);
  CHECK(problem_with([](service& s) { s.protocol = ""; }).find("protocol") == 0);
  CHECK(problem_with([](service& s) { s.name = "\x1b[2J"; }).find("name") == 0);
  CHECK(problem_with([](service& s) { s.name = std::string(64, 'x'); }).find("name") == 0);
  CHECK(problem_with([](service& s) { s.endpoints.clear(); }).find("endpoints") == 0);
  CHECK(problem_with([](service& s) { s.endpoints.front() = endpoint::v4(1, 2, 3, 4, 0); }).find("endpoints") == 0);
  CHECK(problem_with([](service& s) { s.txt = {{"a=b", ""}}; }).find("txt") == 0);
  CHECK(problem_with([](service& s) { s.txt = {{"a", std::string(400, 'x')}}; }).find("txt") == 0);
  CHECK(problem_with([](service& s) { s.ttl = milliseconds{1}; }).find("ttl") == 0);
}

TEST_CASE("a configuration says which of its options is wrong", "[discovery]") {
  const auto problem_with = [](auto change) {
    config c;
    change(c);
    return c.validate();
  };
  CHECK(config{}.validate().empty());
  CHECK(problem_with([](config& c) { c.cluster = ""; }).find("cluster") == 0);
  CHECK(problem_with([](config& c) { c.port = 0; }).find("port") == 0);
  CHECK(problem_with([](config& c) { c.announce_interval = milliseconds{1}; }).find("announce_interval") == 0);
  CHECK(problem_with([](config& c) { c.event_queue_max = 1; }).find("event_queue_max") == 0);
  CHECK(problem_with([](config& c) { c.interfaces = {""}; }).find("interfaces") == 0);
  CHECK(problem_with([](config& c) { c.static_peers = {endpoint{}}; }).find("static_peers") == 0);
}
