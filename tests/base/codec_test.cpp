#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>

#include "base/archive.hpp"
#include "base/cursor.hpp"
#include "base/random.hpp"
#include "catch.hpp"

using namespace artillery;
using detail::reader;
using detail::writer;

namespace {

struct letter {
  std::uint32_t number = 0;
  std::string text;
  std::vector<node_id> ids;
  bytes payload;
  endpoint from;
  bool urgent = false;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(number, text, ids, payload, from, urgent);
  }
  bool operator==(const letter&) const = default;
};

letter sample() {
  return {7, "dear reader", {{1, 2}, {3, 4}}, "payload", endpoint::v6({0xfe, 0x80}, 80, 3), true};
}

std::vector<std::byte> encoded(const letter& value) {
  std::vector<std::byte> out;
  detail::encode(value, out);
  return out;
}

}  // namespace

TEST_CASE("fields are written little-endian and read back", "[base][codec]") {
  std::vector<std::byte> out;
  writer{out}.put(std::uint32_t{0x01020304}).put_varint(300).put_sized("ab");
  REQUIRE(out == std::vector<std::byte>{std::byte{4}, std::byte{3}, std::byte{2}, std::byte{1}, std::byte{0xac},
                                        std::byte{2}, std::byte{2}, std::byte{'a'}, std::byte{'b'}});
  reader in{out};
  REQUIRE(in.take<std::uint32_t>() == 0x01020304);
  REQUIRE(in.take_varint() == 300);
  REQUIRE(as_text(in.take_sized(2)) == "ab");
  REQUIRE(in.complete());
}

TEST_CASE("a reader that failed reads zeros for ever", "[base][codec]") {
  const std::vector<std::byte> three(3, std::byte{1});
  reader in{three};
  REQUIRE(in.take<std::uint32_t>() == 0);
  REQUIRE(in.take<std::uint8_t>() == 0);
  REQUIRE(in.failed());
  REQUIRE_FALSE(in.complete());
}

TEST_CASE("a varint has one encoding and fits in 64 bits", "[base][codec]") {
  for (const std::uint64_t value : {std::uint64_t{0}, std::uint64_t{127}, std::uint64_t{128}, ~std::uint64_t{0}}) {
    std::vector<std::byte> out;
    writer{out}.put_varint(value);
    reader in{out};
    REQUIRE(in.take_varint() == value);
    REQUIRE(in.complete());
  }
  const std::vector<std::byte> padded{std::byte{0x80}, std::byte{0}};
  reader in{padded};
  REQUIRE(in.take_varint() == 0);
  REQUIRE(in.failed());
  const std::vector<std::byte> endless(11, std::byte{0xff});
  reader long_one{endless};
  REQUIRE(long_one.take_varint() == 0);
  REQUIRE(long_one.failed());
}

TEST_CASE("a count larger than what is left is refused before anything is allocated", "[base][codec]") {
  std::vector<std::byte> out;
  writer{out}.put_varint(1'000'000);
  reader in{out};
  REQUIRE(in.take_count(2'000'000, 16) == 0);
  REQUIRE(in.failed());
}

TEST_CASE("a message survives the archive", "[base][codec]") {
  REQUIRE(detail::decode<letter>(encoded(sample())) == sample());
}

TEST_CASE("a message truncated at any length, or with a byte too many, is refused", "[base][codec]") {
  std::vector<std::byte> out = encoded(sample());
  for (std::size_t length = 0; length < out.size(); ++length) {
    INFO(length);
    REQUIRE_FALSE(detail::decode<letter>({out.data(), length}).has_value());
  }
  out.push_back(std::byte{0});
  REQUIRE_FALSE(detail::decode<letter>(out).has_value());
}

TEST_CASE("random and flipped bytes are decoded or refused, never anything else", "[base][codec]") {
  detail::random random{1};
  const std::vector<std::byte> good = encoded(sample());
  for (int round = 0; round < 20'000; ++round) {
    std::vector<std::byte> bad = good;
    for (std::uint64_t flips = 1 + random.below(4); flips > 0; --flips) {
      bad[random.below(bad.size())] = static_cast<std::byte>(random.below(256));
    }
    const auto decoded = detail::decode<letter>(bad);
    if (decoded) REQUIRE(detail::decode<letter>(encoded(*decoded)) == decoded);
  }
}
