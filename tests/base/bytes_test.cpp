#include "artillery/bytes.hpp"

#include <cstring>

#include "catch.hpp"

using artillery::bytes;
using artillery::bytes_buffer;

TEST_CASE("a copy and a slice share memory with the original", "[base][bytes]") {
  const bytes whole = "hello, world";
  const bytes copy = whole;
  const bytes part = whole.slice(7, 5);
  REQUIRE(copy.data() == whole.data());
  REQUIRE(part.data() == whole.data() + 7);
  REQUIRE(part.text() == "world");
}

TEST_CASE("a slice outlives the run that it was cut from", "[base][bytes]") {
  bytes part;
  {
    const bytes whole = "hello, world";
    part = whole.slice(7);
  }
  REQUIRE(part.text() == "world");
}

TEST_CASE("a slice beyond the end is clamped, and an empty one keeps nothing alive", "[base][bytes]") {
  const bytes whole = "abc";
  REQUIRE(whole.slice(2, 100).text() == "c");
  REQUIRE(whole.slice(3).empty());
  REQUIRE(whole.slice(99, 1).retained() == 0);
}

TEST_CASE("compact frees a small slice of its large run, and leaves a large slice alone", "[base][bytes]") {
  const bytes whole = std::string(1000, 'x');
  REQUIRE(whole.slice(0, 10).compact().retained() == 10);
  REQUIRE(whole.slice(0, 10).compact().text() == "xxxxxxxxxx");
  const bytes most = whole.slice(0, 900);
  REQUIRE(most.compact().data() == most.data());
}

TEST_CASE("a buffer is filled and frozen without a copy", "[base][bytes]") {
  bytes_buffer buffer{64};
  std::memcpy(buffer.data(), "filled", 6);
  const auto* memory = buffer.data();
  const bytes first = buffer.share(0, 3);
  const bytes frozen = std::move(buffer).freeze(6);
  REQUIRE(frozen.data() == memory);
  REQUIRE(frozen.text() == "filled");
  REQUIRE(first.text() == "fil");
}

TEST_CASE("runs compare by what they hold", "[base][bytes]") {
  REQUIRE(bytes{"a"} == bytes{"a"});
  REQUIRE(bytes{"a"} < bytes{"b"});
  REQUIRE(bytes{} == bytes{""});
  REQUIRE(bytes{"a"} != bytes{"ab"});
}

TEST_CASE("an object assigned to itself keeps its bytes", "[base][bytes]") {
  bytes self = "self";
  const bytes& alias = self;
  self = alias;
  REQUIRE(self.text() == "self");
}
