// Recorded histories are judged by the simulator's checkers; each planted mistake is found.
#include "judgement.hpp"

#include <fstream>

#include "catch.hpp"
#include "history_file.hpp"
#include "replication/made_up_history.hpp"
#include "sim/version_witness.hpp"

using namespace artillery;
using namespace artillery::sim;
using histories::judge;
using histories::judgement;
using made_up_history::erase;
using made_up_history::operation;
using made_up_history::put;
using made_up_history::read;
using made_up_history::unknown;

namespace {

bool blames(const history& operations, const std::string& what) {
  for (const histories::violation& violation : judge(operations).violations) {
    if (violation.what.find(what) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("a sound history from a file has no violation") {
  std::ifstream in{HISTORIES "/sample.jsonl"};
  histories::recording taken;
  REQUIRE_FALSE(histories::read(in, taken));
  const judgement result = judge(taken.operations);
  CHECK(result.violations.empty());
  CHECK(result.puts == 4);
  CHECK(result.erases == 1);
  CHECK(result.strong_reads == 1);
  CHECK(result.other_reads == 3);
  CHECK(result.log_records == 3);
  CHECK(result.objects_searched == 2);
}

TEST_CASE("a stale read is found") {
  const history stale{put(1, 2, "a", 1), put(3, 4, "b", 2), read(5, 6, "a", 1)};
  CHECK(blames(stale, "older than what was known before it began"));
  CHECK(blames(stale, "no order explains"));
}

TEST_CASE("the search names the first answer with which no order is left") {
  const judgement result =
      judge({put(1, 2, "a", 1), read(9, 10, "b", 2), put(3, 4, "b", 2), read(5, 6, "a", 1), read(7, 8, "a", 1)});
  REQUIRE(result.violations.size() == 2);
  CHECK_FALSE(result.violations[0].operation);
  CHECK(result.violations[1].what == "no order explains the operations on 'k'");
  CHECK(result.violations[1].operation == 3);
}

TEST_CASE("an acknowledged write that is lost is found") {
  CHECK(blames({put(1, 2, "a", 1), read(3, 4, "", 0)}, "answers what was not there"));
}

TEST_CASE("a value from nowhere is found") {
  CHECK(blames({put(1, 2, "a", 1), read(3, 4, "x", 2)}, "a value that nobody wrote"));
  operation elsewhere = read(3, 4, "a", 2);
  elsewhere.key = "l";
  CHECK(blames({put(1, 2, "a", 1), elsewhere}, "a value that was written to 'k'"));
}

TEST_CASE("a write that is applied twice is found") {
  const history twice{put(1, 2, "a", 1), put(3, 4, "b", 2), read(5, 6, "a", 3)};
  CHECK(blames(twice, "I7: a write was applied twice"));
}

TEST_CASE("two values, and two objects, at one place of the log are found") {
  CHECK(blames({put(1, 2, "a", 1), put(3, 4, "b", 1)}, "two values at the place 1.1"));
  operation elsewhere = put(3, 4, "b", 1);
  elsewhere.key = "l";
  CHECK(blames({put(1, 2, "a", 1), elsewhere}, "two objects at the place 1.1"));
}

TEST_CASE("a write that was said not to have happened is found when it is read") {
  operation denied = unknown(put(1, 2, "a", 1));
  denied.came_to = operation::outcome::void_;
  denied.completed = 2;
  CHECK(blames({denied, read(3, 4, "a", 1)}, "happened, and was said not to have"));
}

TEST_CASE("reads of one client at one replica that go back are found, whatever they asked for") {
  operation newer = read(3, 4, "b", 2);
  newer.asked = 1;
  newer.local = true;
  newer.level = replication::eventual;
  operation older = newer;
  older.invoked = 5;
  older.completed = 6;
  older.value = "a";
  older.version = {1, 1};
  CHECK(blames({put(1, 2, "a", 1), unknown(put(1, 2, "b", 2)), newer, older}, "went back"));
}

TEST_CASE("a write of unknown outcome has its place by the version under which it is read") {
  const history operations{unknown(put(1, 2, "a", 1)), put(3, 4, "b", 2), unknown(put(5, 6, "c", 3)),
                           read(7, 8, "c", 4)};
  CHECK(judge(operations).violations.empty());
  const witnessed_log witnessed = log_of_versions(operations);
  CHECK(witnessed.log == journal{{"k", {1, 2}, false, "b"}, {"k", {1, 4}, false, "c"}});
}

TEST_CASE("a version that only a condition met needs a write of unknown outcome") {
  operation failed = put(5, 6, "c", 2);
  failed.applied = false;
  failed.when = replication::condition::is({1, 1});
  CHECK(judge({put(1, 2, "a", 1), unknown(put(3, 4, "b", 2)), failed}).violations.empty());
  CHECK(blames({put(1, 2, "a", 1), failed}, "versions of 'k' that no write made"));
}

TEST_CASE("an erase of unknown outcome leaves its object to the search alone") {
  const history vanished{put(1, 2, "a", 1), unknown(erase(3, 4, 2)), read(5, 6, "", 0)};
  CHECK(judge(vanished).violations.empty());
  CHECK(judge(vanished).judged_by_log == 0);
  const history came_back{put(1, 2, "a", 1), unknown(erase(3, 4, 2)), read(5, 6, "", 0), read(7, 8, "a", 1)};
  CHECK(blames(came_back, "no order explains"));
}

TEST_CASE("places that fall while the epochs rise are found") {
  operation later = put(3, 4, "b", 2);
  later.version = {2, 1};
  CHECK(blames({put(1, 2, "a", 5), later}, "is not behind those of the epochs before it"));
}
