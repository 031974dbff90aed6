#include <set>

#include "artillery/clock.hpp"
#include "artillery/endpoint.hpp"
#include "artillery/error.hpp"
#include "artillery/node_id.hpp"
#include "base/assert.hpp"
#include "base/crc32c.hpp"
#include "base/log_table.hpp"
#include "base/random.hpp"
#include "catch.hpp"

using namespace artillery;

TEST_CASE("an endpoint is read as it is written", "[base][endpoint]") {
  for (const char* text : {"127.0.0.1:7000", "0.0.0.0:0", "[::1]:65535", "[fe80::1%3]:1", "[2001:db8::1]:80"}) {
    const auto parsed = parse_endpoint(text);
    REQUIRE(parsed.has_value());
    REQUIRE(to_string(*parsed) == text);
  }
}

TEST_CASE("what is no endpoint is refused", "[base][endpoint]") {
  for (const char* text : {"", ":", "localhost:80", "1.2.3.4", "1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:-1", "1.2.3:80",
                           "::1:80", "[::1]", "[::1]:x", "[::1%eth0]:80", "1.2.3.4:80 "}) {
    INFO(text);
    REQUIRE_FALSE(parse_endpoint(text).has_value());
  }
}

TEST_CASE("addresses know their kind", "[base][endpoint]") {
  REQUIRE(endpoint::v4(127, 1, 2, 3, 0).is_loopback());
  REQUIRE(parse_endpoint("[::1]:0")->is_loopback());
  REQUIRE(endpoint::v4(224, 0, 0, 251, 0).is_multicast());
  REQUIRE(endpoint{}.is_any());
  REQUIRE_FALSE(endpoint::v4(10, 0, 0, 1, 0).is_loopback());
}

TEST_CASE("a node id is read as it is written", "[base][node_id]") {
  const node_id id{0x0123456789abcdef, 0xfedcba9876543210};
  REQUIRE(to_string(id) == "0123456789abcdeffedcba9876543210");
  REQUIRE(to_short_string(id) == "01234567");
  REQUIRE(parse_node_id(to_string(id)) == id);
  REQUIRE_FALSE(parse_node_id("0123").has_value());
  REQUIRE_FALSE(parse_node_id(std::string(32, 'g')).has_value());
}

TEST_CASE("every error code has a message of its own", "[base][error]") {
  std::set<std::string> messages;
  int codes = 0;
  for (int value = 1; make_error_code(static_cast<errc>(value)).message() != "unknown error"; ++value, ++codes) {
    messages.insert(make_error_code(static_cast<errc>(value)).message());
  }
  REQUIRE(codes == static_cast<int>(errc::foreign_data));
  REQUIRE(messages.size() == static_cast<std::size_t>(codes));
  REQUIRE(std::string{error_category().name()} == "artillery");
}

TEST_CASE("a broken invariant says where", "[base][assert]") {
  const auto break_one = [](int two) { ARTILLERY_INVARIANT(two == 3); };
  REQUIRE_NOTHROW(break_one(3));
  try {
    break_one(2);
    FAIL("nothing was thrown");
  } catch (const detail::broken_invariant& broken) {
    REQUIRE(std::string{broken.what()} == "two == 3");
    REQUIRE(std::string{broken.file()}.ends_with("values_test.cpp"));
  }
}

TEST_CASE("the checksum is CRC-32C, by instruction as by table", "[base][crc32c]") {
  REQUIRE(detail::crc32c(as_bytes("123456789")) == 0xe3069283);  // RFC 3720's check value
  REQUIRE(detail::crc32c(bytes_view{}) == 0);
  std::string text;
  for (int length = 0; length < 100; ++length) {
    REQUIRE(detail::crc32c(as_bytes(text)) == detail::crc32c_portable(as_bytes(text)));
    text += static_cast<char>(length * 7);
  }
  REQUIRE(detail::crc32c(as_bytes("6789"), detail::crc32c(as_bytes("12345"))) == 0xe3069283);
}

TEST_CASE("random streams are the same on every machine, and named ones do not disturb each other", "[base][random]") {
  detail::random random{42};
  const detail::random before = random.fork("loss");
  REQUIRE(random.next() == 0xc757960b442b0ac3ULL);
  detail::random one = detail::random{42}.fork("loss");
  detail::random other = detail::random{42}.fork("delay");
  REQUIRE(one.next() == detail::random{before}.next());
  REQUIRE(one.next() != other.next());
}

TEST_CASE("draws stay in their bounds and reach both ends", "[base][random]") {
  detail::random random{3};
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(random.between(5, 9));
  REQUIRE(seen == std::set<std::uint64_t>{5, 6, 7, 8, 9});
  REQUIRE(random.below(0) == 0);
  REQUIRE_FALSE(random.chance(0, 10));
  REQUIRE(random.chance(10, 10));
}

TEST_CASE("the integer logarithm agrees with the real one to a thousandth", "[base][log_table]") {
  REQUIRE(detail::log10_milli(0) == 0);
  REQUIRE(detail::log10_milli(1) == 0);
  REQUIRE(detail::log10_milli(2) == 301);
  REQUIRE(detail::log10_milli(32) == 1505);
  REQUIRE(detail::log10_milli(5000) == 3699);
  REQUIRE(detail::log10_milli(1'000'000) == 6000);
}

TEST_CASE("the clock counts forward", "[base][clock]") {
  const time_point first = clock::now();
  const time_point second = clock::now();
  REQUIRE(second >= first);
  REQUIRE(first > time_point{});
}
