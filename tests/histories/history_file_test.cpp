// Histories as files: what was written is read again, and a line that is none is an error with its number.
#include "history_file.hpp"

#include <fstream>
#include <sstream>

#include "catch.hpp"

using histories::recording;
using operation = artillery::sim::history_operation;

namespace {

std::string sample() {
  std::ifstream in{HISTORIES "/sample.jsonl"};
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

recording read_all(const std::string& text) {
  std::istringstream in{text};
  recording taken;
  const auto bad = histories::read(in, taken);
  INFO((bad ? std::to_string(bad->number) + ": " + bad->what : ""));
  REQUIRE_FALSE(bad);
  return taken;
}

std::string written(const recording& recorded) {
  std::ostringstream out;
  histories::write(out, recorded.about, recorded.operations);
  return out.str();
}

const std::string head =
    R"({"format":"artillery-history","version":1,"recorder":"by hand","clock":"CLOCK_BOOTTIME","unit":"ns"})"
    "\n";

/// "number: what is wrong" for a file of a header and this line.
std::string refusal(const std::string& line, const std::string& header = head) {
  std::istringstream in{header + line + "\n"};
  recording taken;
  const auto bad = histories::read(in, taken);
  CHECK(taken.operations.empty());
  return bad ? std::to_string(bad->number) + ": " + bad->what : "taken";
}

}  // namespace

TEST_CASE("a history is written as it was read") {
  const recording taken = read_all(sample());
  CHECK(taken.operations.size() == 9);
  CHECK(written(taken) == sample());
}

TEST_CASE("a line of a history becomes the operation that the checkers know") {
  const recording taken = read_all(sample());
  const operation& put = taken.operations[0];
  CHECK(put.what == operation::kind::put);
  CHECK(put.when == artillery::replication::condition::absent());
  CHECK(put.invoked_at.time_since_epoch().count() == 1000);
  CHECK(put.version == artillery::replication::version{1, 1});
  const operation& unknown = taken.operations[3];
  CHECK(unknown.came_to == operation::outcome::pending);
  CHECK(unknown.completed == std::numeric_limits<std::uint64_t>::max());
  CHECK(taken.operations[5].level == artillery::replication::bounded(std::uint32_t{3}));
  CHECK(taken.operations[5].asked == 0);
  CHECK(taken.operations[6].came_to == operation::outcome::void_);
}

TEST_CASE("calls and answers get their places by time, and calls are first in the same nanosecond") {
  const recording taken = read_all(
      head +
      R"({"client":0,"kind":"erase","key":"a","invoked_ns":1,"outcome":"done","completed_ns":5,"applied":true,"version":[1,1]})"
      "\n"
      R"({"client":1,"kind":"read","key":"a","level":"strong","invoked_ns":5,"outcome":"done","completed_ns":5,"found":false,"local":true})");
  CHECK(taken.operations[0].invoked == 1);
  CHECK(taken.operations[1].invoked == 2);
  CHECK(taken.operations[0].completed == 3);
  CHECK(taken.operations[1].completed == 4);
}

TEST_CASE("a value that is long or no text is written as its length and checksum") {
  operation put;
  put.what = operation::kind::put;
  put.key = "a";
  for (const std::string& value : {std::string(300, 'x'), std::string{"\xff\xfe"}, std::string{"\0nul", 4}}) {
    put.value = value;
    const std::string text = written({{"by hand", "none"}, {put}});
    CHECK(text.find("{\"size\":" + std::to_string(value.size()) + ",\"crc32c\":") != std::string::npos);
    CHECK(read_all(text).operations[0].value.starts_with('\0'));
  }
}

TEST_CASE("a bad line is refused with its number and what is wrong with it") {
  CHECK(refusal("", "") == "1: is not JSON");
  CHECK(refusal("{}", "") == "1: lacks 'format'");
  CHECK(refusal("", R"({"format":"artillery-history","version":2,"unit":"ns"})") == "1: 'version' is not 1");
  CHECK(refusal("") == "2: is not JSON");
  CHECK(refusal("{\"client\":") == "2: is not JSON");
  CHECK(refusal("[1]") == "2: is not a JSON object");
  CHECK(refusal(std::string(100'000, '[')) == "2: is longer than 65536 bytes");
  CHECK(refusal(std::string(60'000, '[')) == "2: is not JSON");
  CHECK(refusal(R"({"client":-1})") == "2: 'client' is no whole number from 0 to 4294967294");
  CHECK(refusal(R"({"client":0,"kind":"append"})") == "2: 'kind' is not \"read\", \"put\" or \"erase\"");
  CHECK(refusal(R"({"client":0,"kind":"put","key":7})") == "2: 'key' is no text");
  CHECK(refusal(R"({"client":0,"kind":"put","key":"a"})") == "2: lacks 'value'");
  CHECK(refusal(R"({"client":0,"kind":"put","key":"a","value":"\u0000"})") ==
        "2: 'value' begins with NUL: give its size and crc32c");
  CHECK(refusal(R"({"client":0,"kind":"erase","key":"a","invoked_ns":1.5})") ==
        "2: 'invoked_ns' is no whole number from 0 to 9223372036854775806");
  const std::string erase = R"({"client":0,"kind":"erase","key":"a","invoked_ns":2,)";
  CHECK(refusal(erase + R"("outcome":"maybe"})") == "2: 'outcome' is not \"done\", \"void\" or \"pending\"");
  CHECK(refusal(erase + R"("outcome":"pending","completed_ns":3})") == "2: is pending, and has 'completed_ns'");
  CHECK(refusal(erase + R"("outcome":"void","completed_ns":1})") == "2: is completed before it is invoked");
  CHECK(refusal(erase + R"("outcome":"done","completed_ns":3,"applied":true})") == "2: lacks 'version'");
  CHECK(refusal(erase + R"("outcome":"done","completed_ns":3,"applied":true,"version":[1]})") ==
        "2: 'version' is not [epoch, seq]");
  CHECK(refusal(erase + R"("outcome":"done","completed_ns":3,"applied":true,"version":[1,0]})") ==
        "2: 'version' names no place: both count from 1");
  CHECK(refusal(R"({"client":0,"kind":"read","key":"a","level":"weak"})")
            .starts_with("2: 'level' is not \"strong\", \"eventual\""));
  CHECK(refusal(R"({"client":0,"kind":"put","key":"a","condition":{"if_version":"x"}})") ==
        "2: 'if_version' is not [epoch, seq]");
}

TEST_CASE("a history in which two puts have one value is refused: nobody could tell them apart") {
  const std::string put = R"({"client":0,"kind":"put","key":"a","value":"v","invoked_ns":1,"outcome":"pending"})";
  CHECK(refusal(put + "\n" + put) == "3: puts the same value as line 2");
}

TEST_CASE("a damaged file is an error, never a crash") {
  const std::string good = sample();
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (const char damage : {'\0', '"', '}', '9', '\n', '\xff'}) {
      std::string text = good;
      text[i] = damage;
      std::istringstream in{text};
      recording taken;
      const auto bad = histories::read(in, taken);
      if (bad) CHECK((bad->number >= 1 && bad->number <= 12));
    }
  }
}
