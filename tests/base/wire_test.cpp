#include "base/wire.hpp"

#include "base/random.hpp"
#include "catch.hpp"

using namespace artillery;
namespace wire = artillery::detail;

namespace {

constexpr auto membership = wire::module::membership;

std::vector<std::byte> datagram(std::string_view body, std::string_view cluster = "test") {
  std::vector<std::byte> out;
  wire::begin_datagram(out, {membership, 3, 0}, wire::cluster_tag(cluster));
  wire::writer{out}.put_raw(as_bytes(body));
  wire::seal_datagram(out);
  return out;
}

std::string hex(bytes_view view) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (std::byte b : view) {
    out += digits[std::to_integer<unsigned>(b) >> 4U];
    out += digits[std::to_integer<unsigned>(b) & 15U];
  }
  return out;
}

std::error_code opened(bytes_view raw) {
  return wire::open_datagram(raw, membership, wire::cluster_tag("test")).error;
}

}  // namespace

TEST_CASE("a datagram is opened as it was sealed", "[base][wire]") {
  const auto raw = datagram("hello");
  const auto result = wire::open_datagram(raw, membership, wire::cluster_tag("test"));
  REQUIRE_FALSE(result.error);
  REQUIRE(result.prefix.kind == 3);
  REQUIRE(as_text(result.body) == "hello");
}

TEST_CASE("the datagram layout has these bytes", "[base][wire][golden]") {
  REQUIRE(hex(datagram("hello")) == "a7014300003ad6aa46b18236db68656c6c6f");
}

TEST_CASE("the handshake layout has these bytes", "[base][wire][golden]") {
  std::vector<std::byte> out;
  wire::writer to{out};
  wire::put_handshake(to, {wire::module::replication, 1, 0}, wire::cluster_tag("test"));
  REQUIRE(hex(out) == "a7016100003ad6aa460101");
}

TEST_CASE("a datagram of another cluster, module or version is refused by name", "[base][wire]") {
  REQUIRE(opened(datagram("hello", "other")) == errc::wrong_cluster);
  REQUIRE(wire::open_datagram(datagram("hello"), wire::module::discovery, wire::cluster_tag("test")).error ==
          errc::malformed);
  auto newer = datagram("hello");
  newer[1] = std::byte{wire::wire_version + 1};
  REQUIRE(opened(newer) == errc::unsupported_version);
  auto keyed = datagram("hello");
  keyed[4] = std::byte{1};
  REQUIRE(opened(keyed) == errc::wrong_cluster);
}

TEST_CASE("a datagram truncated anywhere or with any bit flipped is refused", "[base][wire]") {
  const auto raw = datagram("hello");
  for (std::size_t length = 0; length < raw.size(); ++length) REQUIRE(opened({raw.data(), length}));
  for (std::size_t bit = 0; bit < raw.size() * 8; ++bit) {
    if (bit / 8 == 3) continue;  // the flags are the room's to judge; the checksum covers them below
    auto flipped = raw;
    flipped[bit / 8] ^= std::byte{1} << static_cast<int>(bit % 8);
    INFO(bit);
    REQUIRE(opened(flipped));
  }
  auto flags = raw;
  flags[3] = std::byte{1};
  REQUIRE(opened(flags) == errc::checksum_mismatch);
}

TEST_CASE("two sides speak the newest version that both know", "[base][wire]") {
  std::vector<std::byte> out;
  wire::writer to{out};
  wire::put_handshake(to, {membership, 1, 0}, wire::cluster_tag("test"));
  const auto take = [&](bytes_view raw, std::uint8_t& version) {
    wire::reader in{raw};
    wire::wire_prefix prefix;
    return wire::take_handshake(in, membership, wire::cluster_tag("test"), prefix, version);
  };
  std::uint8_t version = 0;
  out[10] = std::byte{9};  // the peer knows up to 9, and still speaks ours
  REQUIRE_FALSE(take(out, version));
  REQUIRE(version == wire::wire_version);
  out[9] = std::byte{9};  // the peer has forgotten ours
  REQUIRE(take(out, version) == errc::unsupported_version);
  for (std::size_t length = 0; length < out.size(); ++length)
    REQUIRE(take({out.data(), length}, version) == errc::malformed);
}
