#include <string>

#include "catch.hpp"
#include "nlohmann/json.hpp"
#include "output/event_text.hpp"
#include "output/screen.hpp"
#include "output/table.hpp"

using tool::output::printable;

TEST_CASE("a table's columns are as wide as their widest cell, counted in characters", "[tool][output]") {
  tool::output::table table{{"NAME", "STATE", "TAGS"}};
  table.add({"a", "alive", ""});
  table.add({"zoë", "suspect", "zone=1"});
  CHECK(table.text() ==
        "NAME  STATE    TAGS\n"
        "a     alive\n"
        "zoë   suspect  zone=1\n");
}

TEST_CASE("a listing aligns its values", "[tool][output]") {
  tool::output::listing listing;
  listing.add("node", "a");
  listing.add("replication", "127.0.0.1:7");
  CHECK(listing.text() ==
        "node         a\n"
        "replication  127.0.0.1:7\n");
}

TEST_CASE("what a stranger wrote cannot steer the terminal", "[tool][output]") {
  CHECK(printable("\x1b[31mred\n") == "\\x1b[31mred\\x0a");
  CHECK(printable("\xc2\x9b"
                  "1m") == "\\xc2\\x9b1m");
  CHECK(printable(std::string{"a\0\x7f\xff", 4}) == "a\\x00\\x7f\\xff");
  CHECK(printable("naïve 😀") == "naïve 😀");
}

TEST_CASE("a long text is cut at a character, never within one", "[tool][output]") {
  CHECK(printable("abcdef", 6) == "abcdef");
  CHECK(printable("abcdefg", 6) == "abcde…");
  CHECK(printable("ääääääää", 4) == "äää…");
  CHECK(printable("\n\n\n", 6) == "\\x0a…");
}

TEST_CASE("what is drawn on a screen takes the place of what was there, and has room", "[tool][output]") {
  using tool::output::drawn;
  CHECK(drawn("ab\nc\n", {24, 80}) == "\x1b[Hab\x1b[K\nc\x1b[K\n\x1b[J");
  CHECK(drawn("1\n2\n3\n", {4, 80}) == "\x1b[H1\x1b[K\n2\x1b[K\n3\x1b[K\n\x1b[J");
  CHECK(drawn("1\n2\n3\n4\n", {4, 80}) == "\x1b[H1\x1b[K\n2\x1b[K\n… and 2 more\x1b[K\n\x1b[J");
  CHECK(drawn("abcdef\n", {24, 4}) == "\x1b[Habc…\x1b[K\n\x1b[J");
  CHECK(drawn("", {0, 80}) == "\x1b[H\x1b[J");
}

TEST_CASE("an event reads as a line", "[tool][output]") {
  const nlohmann::json failed{
      {"event", "failed"},
      {"time", "2024-01-02T03:04:05.678Z"},
      {"member", {{"name", "b"}, {"id", "0123456789abcdef0123456789abcdef"}, {"address", "127.0.0.1:7"}}}};
  CHECK(tool::output::event_text(failed) == "2024-01-02T03:04:05.678Z  failed          b (01234567) at 127.0.0.1:7");
  const nlohmann::json answer{
      {"event", "answer"}, {"time", "T"}, {"name", "b\x1b"}, {"origin", "0123456789"}, {"payload", "0.7"}};
  CHECK(tool::output::event_text(answer) == "T  answer          b\\x1b (01234567): 0.7");
  const nlohmann::json end{{"event", "query_end"}, {"time", "T"}, {"asked", 3}, {"heard", 2}, {"answered", 1}};
  CHECK(tool::output::event_text(end) == "T  query_end       1 of 3 answered, 2 have the question");
  const nlohmann::json user{{"event", "user"},
                            {"time", "T"},
                            {"topic", "deploy"},
                            {"origin", "0123456789"},
                            {"payload", {{"base64", "Ggo="}}}};
  CHECK(tool::output::event_text(user) == "T  user            deploy from 01234567: \\x1a\\x0a");
}
