// The checkers find what they are for: a checker that was never seen to fail is none.
#include "sim/linearizability.hpp"

#include "catch.hpp"
#include "replication/made_up_history.hpp"

using namespace artillery;
using namespace artillery::sim;
using namespace std::chrono_literals;
using made_up_history::operation;
using made_up_history::put;
using made_up_history::read;
using made_up_history::unknown;

namespace {

const journal two_writes{{"k", {1, 1}, false, "a"}, {"k", {1, 2}, false, "b"}};

bool sound(const history& h, const journal& log = two_writes) {
  const bool by_log = !check_against_log(h, log);
  const bool by_search = search_order(h, "k", 10'000) == search_result::ok;
  CHECK(by_log == by_search);
  return by_log;
}

}  // namespace

TEST_CASE("reads that see the writes in their order are sound", "[replication][linearizability]") {
  CHECK(sound({put(1, 2, "a", 1), put(3, 4, "b", 2), read(5, 6, "b", 2)}));
  CHECK(sound({put(1, 2, "a", 1), put(3, 8, "b", 2), read(4, 5, "a", 1), read(6, 7, "b", 2)}));
  CHECK(sound({read(1, 2, "", 0), put(3, 4, "a", 1), put(5, 6, "b", 2)}));
}

TEST_CASE("a read that is older than an acknowledged write is found", "[replication][linearizability]") {
  CHECK_FALSE(sound({put(1, 2, "a", 1), put(3, 4, "b", 2), read(5, 6, "a", 1)}));
  CHECK_FALSE(sound({put(1, 2, "a", 1), put(3, 4, "b", 2), read(5, 6, "", 0)}));
}

TEST_CASE("a read that is older than an earlier read is found", "[replication][linearizability]") {
  CHECK_FALSE(sound({put(1, 2, "a", 1), put(3, 10, "b", 2), read(4, 5, "b", 2), read(6, 7, "a", 1)}));
}

TEST_CASE("a read of a write that was not asked for yet is found", "[replication][linearizability]") {
  CHECK_FALSE(sound({put(1, 2, "a", 1), read(3, 4, "b", 2), put(5, 6, "b", 2)}));
}

TEST_CASE("a write of unknown outcome may be seen or not, but not first seen and then not",
          "[replication][linearizability]") {
  const operation second = unknown(put(3, 0, "b", 0));
  CHECK(sound({put(1, 2, "a", 1), second, read(5, 6, "a", 1), read(7, 8, "b", 2)}));
  CHECK(sound({put(1, 2, "a", 1), second, read(5, 6, "a", 1)}));
  CHECK_FALSE(sound({put(1, 2, "a", 1), second, read(5, 6, "b", 2), read(7, 8, "a", 1)}));
}

TEST_CASE("a write of unknown outcome may build on another, whose version only a weak read told",
          "[replication][linearizability]") {
  operation second = unknown(put(2, 0, "b", 0));
  second.when = replication::condition::is({1, 1});
  CHECK(sound({unknown(put(1, 0, "a", 0)), second, read(5, 6, "b", 2)}));
  CHECK(sound({unknown(put(1, 0, "a", 0)), second, read(5, 6, "", 0)}));
  CHECK_FALSE(sound({unknown(put(1, 0, "a", 0)), second, read(5, 6, "b", 2), read(7, 8, "a", 1)}));
}

TEST_CASE("a swap that failed on what was not there is found", "[replication][linearizability]") {
  operation failed = put(5, 6, "c", 1);
  failed.applied = false;
  failed.when = replication::condition::absent();
  CHECK_FALSE(sound({put(1, 2, "a", 1), put(3, 4, "b", 2), failed}));
  failed.version = {1, 2};
  CHECK(sound({put(1, 2, "a", 1), put(3, 4, "b", 2), failed}));
}

TEST_CASE("a swap that was applied on another version is found", "[replication][linearizability]") {
  operation second = put(3, 4, "b", 2);
  second.when = replication::condition::is({1, 1});
  CHECK(sound({put(1, 2, "a", 1), second}));
  second.when = replication::condition::absent();
  CHECK_FALSE(sound({put(1, 2, "a", 1), second}));
}

TEST_CASE("bounded reads are held to their bounds", "[replication][linearizability]") {
  operation old = read(10, 11, "a", 1);
  old.level = replication::bounded(7ms);  // the newer write was acknowledged 6 ms before
  const history writes{put(1, 2, "a", 1), put(3, 4, "b", 2)};
  history all = writes;
  all.push_back(old);
  CHECK_FALSE(check_against_log(all, two_writes));
  all.back().level = replication::bounded(5ms);
  CHECK(check_against_log(all, two_writes));
  all.back().level = replication::bounded(1U);
  CHECK_FALSE(check_against_log(all, two_writes));
  all.back().level = replication::bounded(0U);
  CHECK(check_against_log(all, two_writes));
}

TEST_CASE("an eventual read may be old, and may not be invented", "[replication][linearizability]") {
  operation old = read(10, 11, "a", 1);
  old.level = replication::eventual;
  CHECK_FALSE(check_against_log({old}, two_writes));
  old.value = "x";
  CHECK(check_against_log({old}, two_writes));
}

TEST_CASE("an absence may be the latest one that the read can have seen", "[replication][linearizability]") {
  const journal log{
      {"k", {1, 1}, false, "a"}, {"k", {1, 2}, true, ""}, {"k", {1, 3}, false, "b"}, {"k", {1, 4}, true, ""}};
  operation absent = read(10, 14, "", 0, 2);
  absent.level = replication::bounded(0U);
  operation erased = put(11, 12, "", 4);
  erased.what = operation::kind::erase;
  const history before{put(1, 2, "a", 1), put(5, 6, "b", 3)};
  history meanwhile = before;
  meanwhile.insert(meanwhile.end(), {absent, erased});
  CHECK_FALSE(check_against_log(meanwhile, log));
  erased.invoked = 15;
  erased.completed = 16;
  history later = before;
  later.insert(later.end(), {absent, erased});
  CHECK(check_against_log(later, log));
}

TEST_CASE("an erase that was acknowledged and left the object there is found", "[replication][linearizability]") {
  operation erased = put(3, 4, "", 2);
  erased.what = operation::kind::erase;
  CHECK(sound({put(1, 2, "a", 1), erased}, {{"k", {1, 1}, false, "a"}, {"k", {1, 2}, true, ""}}));
  CHECK(check_against_log({put(1, 2, "a", 1), erased}, {{"k", {1, 1}, false, "a"}}));
}

TEST_CASE("a write that cannot have failed and did is found", "[replication][linearizability]") {
  operation failed = put(5, 6, "c", 2);
  failed.applied = false;
  CHECK_FALSE(sound({put(1, 2, "a", 1), put(3, 4, "b", 2), failed}));
  operation on_nothing = put(1, 2, "c", 0);
  on_nothing.applied = false;
  on_nothing.version = {};
  CHECK_FALSE(sound({on_nothing}, {}));
  on_nothing.when = replication::condition::absent();
  CHECK_FALSE(sound({on_nothing}, {}));
}

TEST_CASE("a write that was acknowledged under another version than the log's is found",
          "[replication][linearizability]") {
  operation first = put(1, 2, "a", 1);
  first.version.epoch = 2;
  CHECK(check_against_log({first, put(3, 4, "b", 2)}, two_writes));
  operation erased = put(3, 4, "", 2);
  erased.what = operation::kind::erase;
  erased.version.epoch = 2;
  CHECK(check_against_log({put(1, 2, "a", 1), erased}, {{"k", {1, 1}, false, "a"}, {"k", {1, 2}, true, ""}}));
}

TEST_CASE("two writes under one version are found", "[replication][linearizability]") {
  operation other = put(3, 4, "", 1);
  other.what = operation::kind::erase;
  other.key = "another";
  CHECK(check_against_log({put(1, 2, "a", 1), other}, two_writes));
}

TEST_CASE("writes whose places contradict the order of their calls are found", "[replication][linearizability]") {
  CHECK(check_against_log({put(1, 2, "b", 2), put(3, 4, "a", 1)}, two_writes));
}

TEST_CASE("the search knows a write of unknown outcome by the version that somebody else was told",
          "[replication][linearizability]") {
  operation unknown = put(1, 0, "a", 0);
  unknown.came_to = operation::outcome::pending;
  unknown.completed = std::numeric_limits<std::uint64_t>::max();
  unknown.applied = false;
  operation failed = put(3, 4, "b", 1);  // it found version 1, of which nobody told the value
  failed.applied = false;
  failed.when = replication::condition::absent();
  CHECK(search_order({unknown, failed}, "k", 1'000) == search_result::ok);
  CHECK(search_order({failed}, "k", 1'000) == search_result::violated);
  // Read as absent in between: it was not there yet, or the answer before is wrong.
  CHECK(search_order({unknown, failed, read(5, 6, "", 0)}, "k", 1'000) == search_result::violated);
}

TEST_CASE("a long history of a few at a time is searched in few steps", "[replication][linearizability]") {
  history h;
  for (std::uint64_t i = 0; i < 500; ++i) {
    const std::uint64_t base = i * 10;
    h.push_back(put(base + 1, base + 8, "x" + std::to_string(i), 2 * i + 1));
    h.push_back(put(base + 2, base + 9, "y" + std::to_string(i), 2 * i + 2));
    h.push_back(read(base + 3, base + 7, "x" + std::to_string(i), 2 * i + 1));
    h.push_back(read(base + 4, base + 10, "y" + std::to_string(i), 2 * i + 2));
  }
  CHECK(search_order(h, "k", 5'000) == search_result::ok);
  h.push_back(read(6'000, 6'001, "x0", 1));
  CHECK(search_order(h, "k", 200'000) == search_result::violated);
}
