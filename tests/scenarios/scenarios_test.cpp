// The runner itself: what it must notice in a scenario file.
#include "catch.hpp"
#include "scenarios/difference.hpp"
#include "scenarios/room.hpp"

using namespace artillery::scenarios;
using Catch::Matchers::Contains;

namespace {

std::string played(const std::string& commands) {
  const script what = parse_script("# What one learns.\n" + commands + "----\n");
  return perform(what, *make_room("replication"));
}

const std::string a_chain = "chain A B\nclient c\nquietly put k v\n";

}  // namespace

TEST_CASE("a trace that changed is shown line by line", "[scenarios]") {
  CHECK(difference("a\nb\nc\n", "a\nb\nc\n").empty());
  CHECK(difference("a\nb\nc\n", "a\nx\nc\n") == "  a\n- b\n+ x\n  c\n");
  CHECK(difference("", "a\n") == "+ a\n");
  CHECK_FALSE(difference("a", "a\n").empty());
  CHECK(difference("1\n2\n3\n4\n5\n6\n", "1\n2\n3\n4\n5\n").starts_with("  …\n  3\n"));
}

TEST_CASE("the same commands give the same trace, other commands another", "[scenarios]") {
  const std::string once = played(a_chain + "read B k\n");
  CHECK(once == played(a_chain + "read B k\n"));
  CHECK_FALSE(difference(once, played(a_chain + "read A k\n")).empty());
}

TEST_CASE("a new trace takes the old one's place and nothing else's", "[scenarios]") {
  const std::string above = "# A lesson.\nchain A   # one replica\n\n";
  const script what = parse_script(above + "----\nold\n");
  CHECK(what.trace == "old\n");
  CHECK(with_trace(what, "new\n") == above + "----\nnew\n");
}

TEST_CASE("a file that is no scenario is refused, with the line", "[scenarios]") {
  CHECK_THROWS_WITH(parse_script("chain A\n----\n"), Contains("line 1"));
  CHECK_THROWS_WITH(parse_script("# A lesson.\n----\n"), Contains("no commands"));
  CHECK_THROWS_WITH(parse_script("# A lesson.\nchain A\n"), Contains("no line ----"));
}

TEST_CASE("what a command does not know is an error, not skipped", "[scenarios]") {
  CHECK_THROWS_WITH(played("chian A B\n"), Contains("line 2: there is no command 'chian'"));
  CHECK_THROWS_WITH(played(a_chain + "read B k strng\n"), Contains("line 5"));
  CHECK_THROWS_WITH(played(a_chain + "put k v fi=absent\n"), Contains("no option fi"));
  CHECK_THROWS_WITH(played(a_chain + "put k v w\n"), Contains("no use for 'w'"));
  CHECK_THROWS_WITH(played(a_chain + "hold A Z\n"), Contains("there is no Z"));
  CHECK_THROWS_WITH(played(a_chain + "release A B\n"), Contains("nothing of that is held"));
  CHECK_THROWS_WITH(played(a_chain + "run soon\n"), Contains("250ms"));
}

TEST_CASE("what is hidden or done quietly is not told", "[scenarios]") {
  CHECK(difference(played(a_chain + "hide append ack state answer\nput k w\n"),
                   played(a_chain + "hide append ack state answer\n") + "> put k w\n")
            .empty());
}
