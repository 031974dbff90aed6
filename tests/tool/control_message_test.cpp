#include "control/message.hpp"

#include <optional>
#include <string>
#include <vector>

#include "artillery/error.hpp"
#include "catch.hpp"
#include "control/reply.hpp"

namespace {

using tool::control::decoder;
using tool::control::message;

/// All messages of `bytes` when they arrive in pieces of `step`.
std::vector<message> decode(const std::string& bytes, std::size_t step, const decoder::limits& limits = {}) {
  decoder decoder{limits};
  std::vector<message> found;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    decoder.feed(std::string_view{bytes}.substr(at, step));
    while (auto next = decoder.next()) found.push_back(std::move(*next));
  }
  return found;
}

std::string refusal_of(const std::string& bytes) {
  try {
    (void)decode(bytes, bytes.size());
  } catch (const tool::control::malformed& wrong) {
    return wrong.what();
  }
  return "it was accepted";
}

}  // namespace

TEST_CASE("messages arrive whole in pieces of any size", "[tool][control]") {
  const std::string body{"\n{}\0\xff binary", 12};
  const std::string bytes = tool::control::encode({{"op", "put"}, {"key", "k\n"}}, body) +
                            tool::control::encode({{"op", "members"}}) + tool::control::encode({{"op", "put"}}, "");
  for (std::size_t step = 1; step <= bytes.size(); ++step) {
    const auto found = decode(bytes, step);
    REQUIRE(found.size() == 3);
    CHECK(found[0].head.at("key") == "k\n");
    CHECK(found[0].body == body);
    CHECK(found[1].head.at("op") == "members");
    CHECK(found[1].body.empty());
    CHECK(found[2].body_size == 0);
  }
}

TEST_CASE("lines that are not one JSON object are refused", "[tool][control]") {
  for (const char* line : {"\n", "hello\n", "[]\n", "5\n", "{\n", "{}{}\n", "{\"a\":}\n", "\xff\xfe\n", "null\n"}) {
    INFO(line);
    CHECK_THAT(refusal_of(line), Catch::Contains("one JSON object"));
  }
}

TEST_CASE("a length that makes no sense is refused before anything is kept for it", "[tool][control]") {
  for (const char* line : {"{\"body\":-1}\n", "{\"body\":\"5\"}\n", "{\"body\":1.5}\n", "{\"body\":67108865}\n",
                           "{\"body\":18446744073709551616}\n", "{\"body\":null}\n", "{\"body\":[]}\n"}) {
    INFO(line);
    CHECK_THAT(refusal_of(line), Catch::Contains("body must be"));
  }
}

TEST_CASE("a line longer than its limit is refused, with and without an end", "[tool][control]") {
  const std::string long_line = "{\"a\":\"" + std::string(tool::control::request_line_max, 'x') + "\"}";
  CHECK_THAT(refusal_of(long_line), Catch::Contains("at most 16384 bytes"));
  CHECK_THAT(refusal_of(long_line + "\n"), Catch::Contains("at most 16384 bytes"));
  const std::string fitting =
      "{\"a\":\"" + std::string(tool::control::request_line_max - 8, 'x') + "\"}";  // 8 for what is around it
  REQUIRE(fitting.size() == tool::control::request_line_max);
  CHECK(decode(fitting + "\n", 1000).size() == 1);
}

TEST_CASE("a body beyond the reader's limit is thrown away and the next message is served", "[tool][control]") {
  const std::string bytes =
      tool::control::encode({{"op", "put"}}, std::string(5000, 'v')) + tool::control::encode({{"op", "get"}}, "fine");
  for (const std::size_t step : {1U, 7U, 4096U, 100'000U}) {
    const auto found = decode(bytes, step, {1000, 4999});
    REQUIRE(found.size() == 2);
    CHECK(found[0].body_dropped);
    CHECK(found[0].body_size == 5000);
    CHECK(found[0].body.empty());
    CHECK_FALSE(found[1].body_dropped);
    CHECK(found[1].body == "fine");
  }
}

TEST_CASE("a truncated message is not taken for a whole one", "[tool][control]") {
  const std::string bytes = tool::control::encode({{"op", "put"}}, "value");
  for (std::size_t size = 0; size < bytes.size(); ++size) CHECK(decode(bytes.substr(0, size) + "", 3).empty());
}

TEST_CASE("errors of the library reach the command with the exit code that fits", "[tool][control]") {
  const auto code_of = [](artillery::errc error) {
    try {
      tool::control::require_ok(tool::control::error_reply(make_error_code(error)));
    } catch (const tool::failure& failed) {
      CHECK(failed.what() == make_error_code(error).message());
      return failed.code();
    }
    return tool::exit_code::done;
  };
  CHECK(code_of(artillery::errc::timed_out) == tool::exit_code::timed_out);
  CHECK(code_of(artillery::errc::outcome_unknown) == tool::exit_code::outcome_unknown);
  CHECK(code_of(artillery::errc::not_serving) == tool::exit_code::failed);
  CHECK(code_of(artillery::errc::too_large) == tool::exit_code::failed);
  CHECK_NOTHROW(tool::control::require_ok({{"ok", true}}));
  CHECK_THROWS_AS(tool::control::require_ok({{"ok", "yes"}}), tool::failure);
  CHECK_THROWS_AS(tool::control::require_ok({{"ok", false}, {"error", 5}}), tool::failure);
}
