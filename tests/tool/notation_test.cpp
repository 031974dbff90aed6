#include "notation.hpp"

#include <chrono>
#include <string>

#include "byte_json.hpp"
#include "catch.hpp"
#include "nlohmann/json.hpp"

using namespace std::chrono_literals;

TEST_CASE("durations are a whole number and a unit", "[tool][notation]") {
  CHECK(tool::parse_duration("50ms") == artillery::duration{50ms});
  CHECK(tool::parse_duration("24h") == artillery::duration{24h});
  for (const char* wrong : {"", "5", "ms", "-5ms", "5 ms", "1.5s", "5x", "25h", "99999999999999999999s"}) {
    INFO(wrong);
    CHECK_FALSE(tool::parse_duration(wrong));
  }
  for (const artillery::duration each : {artillery::duration{0}, artillery::duration{1}, artillery::duration{90s},
                                         artillery::duration{1500us}, artillery::duration{2h}}) {
    CHECK(tool::parse_duration(tool::to_text(each)) == each);
  }
}

TEST_CASE("versions and consistencies are read as they are written", "[tool][notation]") {
  CHECK(tool::parse_version("1.42") == artillery::replication::version{1, 42});
  for (const char* wrong : {"", "1", "1.", ".1", "1.2.3", "0.1", "1.0", "a.b", "1.-2"}) {
    INFO(wrong);
    CHECK_FALSE(tool::parse_version(wrong));
  }
  for (const char* text : {"strong", "eventual", "bounded:50ms", "bounded:3", "bounded:0", "bounded:0s"}) {
    INFO(text);
    REQUIRE(tool::parse_consistency(text));
    CHECK(tool::to_text(*tool::parse_consistency(text)) == text);
  }
  for (const char* wrong : {"", "Strong", "bounded", "bounded:", "bounded:x", "bounded:4294967296"})
    CHECK_FALSE(tool::parse_consistency(wrong));
}

TEST_CASE("sizes are read and shown", "[tool][notation]") {
  CHECK(tool::parse_size("4096") == 4096U);
  CHECK(tool::parse_size("64K") == 65536U);
  CHECK(tool::parse_size("1MiB") == 1048576U);
  CHECK_FALSE(tool::parse_size("1G"));
  CHECK_FALSE(tool::parse_size("99999999999999999999"));
  CHECK(tool::to_size_text(512) == "512 B");
  CHECK(tool::to_size_text(17'920) == "17.5 KiB");
  CHECK(tool::to_size_text(std::uint64_t{1} << 20U) == "1.0 MiB");
}

TEST_CASE("text that is UTF-8 stays text in JSON, other bytes become base64", "[tool][notation]") {
  CHECK(tool::bytes_to_json("käse") == "käse");
  CHECK(tool::bytes_to_json(std::string{"\xff\x00z", 3}) == nlohmann::json{{"base64", "/wB6"}});
  std::string every_byte;
  for (int byte = 0; byte < 256; ++byte) every_byte += static_cast<char>(byte);
  for (std::size_t size = 0; size <= every_byte.size(); ++size) {
    const std::string bytes = every_byte.substr(256 - size);
    REQUIRE(tool::bytes_from_json(nlohmann::json::parse(tool::to_line(tool::bytes_to_json(bytes)))) == bytes);
  }
}

TEST_CASE("what is not UTF-8 is recognized", "[tool][notation]") {
  for (const char* good : {"", "a", "ä", "€", "😀", "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"}) CHECK(tool::is_utf8(good));
  for (const char* wrong :
       {"\x80", "\xc0\x80", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf5", "a\xff"})
    CHECK_FALSE(tool::is_utf8(wrong));
}

TEST_CASE("base64 that nobody writes is refused", "[tool][notation]") {
  for (const char* wrong : {"A", "AA", "AAA", "AA=A", "A===", "AB==", "AAB=", "AA A", "====", "AAAA=AAA", "/w\n="})
    CHECK_FALSE(tool::from_base64(wrong));
  for (const nlohmann::json& wrong : {nlohmann::json{{"base64", 5}}, nlohmann::json{{"base64", "AA=="}, {"more", 1}},
                                      nlohmann::json{7}.front(), nlohmann::json(nullptr)})
    CHECK_FALSE(tool::bytes_from_json(wrong));
}

TEST_CASE("how long something has lasted is told in its two largest units", "[tool][notation]") {
  using namespace std::chrono_literals;
  CHECK(tool::to_age_text(-1s) == "0s");
  CHECK(tool::to_age_text(59'999ms) == "59s");
  CHECK(tool::to_age_text(60s) == "1m 0s");
  CHECK(tool::to_age_text(3h - 1s) == "2h 59m");
  CHECK(tool::to_age_text(127h + 5min) == "5d 7h");
}
