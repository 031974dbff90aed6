#include "node/chain_tags.hpp"

#include <array>
#include <cstdint>
#include <string>

#include "artillery/membership/types.hpp"
#include "artillery/node/types.hpp"
#include "catch.hpp"

using namespace artillery;
using namespace artillery::detail;

TEST_CASE("the tags of a chain read back what was written", "[node][bootstrap]") {
  const replica_tag replica{endpoint::v4(192, 0, 2, 1, 7000), 0x1234567890abcdefU, 3, 7001};
  CHECK(to_string(replica) == "192.0.2.1:7000 1234567890abcdef 3 7001");
  CHECK(parse_replica_tag(to_string(replica)) == replica);

  const chain_tag confirmed{{1, 0xffffffffffffffffU, 3}, 0};
  CHECK(to_string(confirmed) == "0000000000000001,ffffffffffffffff,0000000000000003");
  CHECK(parse_chain_tag(to_string(confirmed)) == confirmed);
  const chain_tag founded{{}, 0x1234567890abcdefU};
  CHECK(to_string(founded) == "genesis 1234567890abcdef");
  CHECK(parse_chain_tag(to_string(founded)) == founded);
}

TEST_CASE("a tag that makes no sense is refused", "[node][bootstrap]") {
  for (const char* text :
       {"", " ", "192.0.2.1:7000", "192.0.2.1:7000 1234567890abcdef", "192.0.2.1:7000 1234567890abcdef 3",
        "192.0.2.1:7000 12 3 1", "192.0.2.1:0 1234567890abcdef 3 1", "0.0.0.0:7000 1234567890abcdef 3 1",
        "192.0.2.1:7000 0000000000000000 3 1", "192.0.2.1:7000 1234567890ABCDEF 3 1",
        "192.0.2.1:7000 1234567890abcdef 0 1", "192.0.2.1:7000 1234567890abcdef 8 1",
        "192.0.2.1:7000 1234567890abcdef 3 4 5", "192.0.2.1:7000 1234567890abcdef -3 1",
        "192.0.2.1:7000 1234567890abcdef 3 0", "192.0.2.1:7000 1234567890abcdef 1 1",
        "192.0.2.1:7000 1234567890abcdef 3 65536", "192.0.2.1:7000 1234567890abcdef 99999999999999999999999 1",
        "host:7000 1234567890abcdef 3 1"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_replica_tag(text));
  }
  const std::string one = "0000000000000001";
  const std::string two = "0000000000000002";
  for (const std::string& text :
       {std::string{}, one, one + ",", one + "," + one, one + ";" + two, one + "," + two + ",", one + "," + two + " ",
        std::string{"genesis "}, "genesis" + one, "genesis " + one + " ", one + "," + "000000000000000g",
        one + "," + "0000000000000000", std::string{"genesis 0000000000000000"}, one + "  " + two}) {
    CAPTURE(text);
    CHECK_FALSE(parse_chain_tag(text));
  }
  std::string eight = one;
  for (char digit = '2'; digit <= '8'; ++digit) eight += ",000000000000000" + std::string(1, digit);
  CHECK_FALSE(parse_chain_tag(eight));
  CHECK(parse_chain_tag(eight.substr(0, 7 * 17 - 1)));
}

TEST_CASE("a tag that is cut off at any length, or has any byte changed, reads as nothing or as another one",
          "[node][bootstrap]") {
  for (const chain_tag& tag :
       {chain_tag{{0x1111111111111111U, 0x2222222222222222U, 3}, 0}, chain_tag{{}, 0x1111111111111111U}}) {
    const std::string whole = to_string(tag);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const auto parsed = parse_chain_tag(std::string_view{whole}.substr(0, size));
      CHECK((!parsed || to_string(*parsed) == whole.substr(0, size)));
    }
    for (std::size_t at = 0; at < whole.size(); ++at) {
      std::string changed = whole;
      changed[at] = static_cast<char>(changed[at] ^ 1);
      const auto parsed = parse_chain_tag(changed);
      CHECK((!parsed || to_string(*parsed) == changed));
    }
  }
}

TEST_CASE("the tags of the longest chain fit into a member's, whatever the addresses", "[node][bootstrap]") {
  std::array<std::uint8_t, 16> address{};
  address.fill(0xee);
  for (std::size_t expect = 1; expect <= node_config::expect_max; ++expect) {
    const replica_tag replica{endpoint::v6(address, 65535, 4294967295U), ~0ULL, expect, 65535};
    std::size_t size = node_config::replica_tag.size() + to_string(replica).size() + 2;
    if (expect > 1)
      size += node_config::chain_tag.size() + to_string(chain_tag{chain_list(expect, ~0ULL), 0}).size() + 2;
    CHECK(size <= chain_tags_size_max(expect));
    CHECK(chain_tags_size_max(expect) < membership::tags_size_max);
  }
  CHECK(node_config::tags_size_max(7) >= 32);
}
