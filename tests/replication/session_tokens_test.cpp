// Session tokens: reads do not go back when another replica answers, and what was lost is said to be.
#include <chrono>
#include <optional>

#include "artillery/replication/session_token.hpp"
#include "catch.hpp"
#include "replication/log.hpp"
#include "simulated_chain.hpp"
#include "simulated_healing_chain.hpp"

using namespace artillery;
using namespace artillery::replication;
using namespace std::chrono_literals;

namespace {

read_result counting(const version& as_of, bool committed) {
  read_result result;
  result.as_of = as_of;
  result.committed = committed;
  return result;
}

log_entry of_version(const version& which) {
  record made;
  made.epoch = which.epoch;
  made.seq = which.seq;
  return {.record = made, .arrived = {}, .waiting = {}};
}

/// A chain of three of which the head alone holds a write, and a session that has seen it there.
class seen_at_the_head {
public:
  explicit seen_at_the_head(std::size_t length) : chain{length} {
    chain.put("k", "old");
    chain.world.cut(chain.host(0), chain.host(1));
    written = chain.begin_put("k", "new", 300ms);
    chain.world.run_for(20ms);
    const auto seen = chain.read_after({}, "k", eventual, routing::to(chain.node(0)));
    REQUIRE(seen.result.value == bytes{"new"});
    CHECK_FALSE(seen.result.committed);
    token.include(seen.result);
  }

  void head_is_lost() {
    chain.crash(0);
    chain.world.mend(chain.host(0), chain.host(1));
    REQUIRE(chain.becomes({1, 2}));
    chain.world.run_for(500ms);  // the client gives its write up
  }

  simulated_healing_chain chain;
  session_token token;
  request_id written = 0;
};

}  // namespace

TEST_CASE("a session token counts what its operations came to", "[replication][tokens]") {
  session_token token;
  CHECK(token.none());
  token.include(write_result{true, {1, 5}});
  CHECK(token == session_token{{1, 5}, {}});
  token.include(counting({1, 3}, true));
  CHECK(token == session_token{{1, 5}, {}});
  token.include(counting({1, 9}, false));
  CHECK(token == session_token{{1, 5}, {1, 9}});
  SECTION("a write of the same log behind what was seen settles it") {
    token.include(write_result{true, {1, 10}});
    CHECK(token == session_token{{1, 10}, {}});
  }
  SECTION("a write in a later epoch does not: what was seen may have been lost in between") {
    token.include(write_result{true, {2, 10}});
    CHECK(token == session_token{{2, 10}, {1, 9}});
  }
  SECTION("a read after the token that counts as much, all of it committed, settles it") {
    token.include(counting({2, 9}, true));
    CHECK(token == session_token{{2, 9}, {}});
  }
  SECTION("an absent object's version and a failed condition's change nothing") {
    token.include(write_result{false, {}});
    CHECK(token == session_token{{1, 5}, {1, 9}});
  }
}

TEST_CASE("a log knows in which epoch a place was given, also of records that it dropped", "[replication][tokens]") {
  replication::log records;
  records.restart({2, 4});  // a checkpoint
  for (const version& each : {version{2, 5}, version{4, 6}, version{4, 7}, version{6, 8}}) {
    records.append(of_version(each));
  }
  while (records.size() > 1) (void)records.pop_front();
  CHECK(records.was_assigned_by(5, 2) == true);
  CHECK(records.was_assigned_by(6, 3) == false);
  CHECK(records.was_assigned_by(7, 4) == true);
  CHECK(records.was_assigned_by(8, 5) == false);
  CHECK(records.was_assigned_by(3, 2) == true);  // not after the checkpoint's last record
  CHECK(records.was_assigned_by(3, 1) == std::nullopt);
}

TEST_CASE("a weak read after a token waits at a replica that has not come so far", "[replication][tokens]") {
  simulated_chain chain{3};
  chain.put("k", "old");
  chain.hold(0);
  const auto write = chain.begin_write(write::put("k", "new"));
  chain.run(20ms);
  const auto seen = chain.read("k", eventual, 0);
  REQUIRE(seen.value() == "new");
  session_token token;
  token.include(seen.result);
  CHECK(chain.read("k", eventual, 2).value() == "old");
  const auto later = chain.begin_read("k", eventual, 2, {}, token);
  chain.run(50ms);
  CHECK_FALSE(chain.answered(later));
  chain.release(0);
  CHECK(chain.end_read(later).value() == "new");
  CHECK_FALSE(chain.end_write(write).error);
}

TEST_CASE("a session reads its own writes at every replica", "[replication][tokens]") {
  simulated_chain chain{3};
  chain.put("k", "old");
  session_token token;
  token.include(chain.put("k", "new").result);
  for (const std::size_t replica : {0U, 1U, 2U}) {
    const auto read = chain.begin_read("k", bounded(1h), replica, {}, token);
    CHECK(chain.end_read(read).value() == "new");
  }
}

TEST_CASE("a strong read after a token waits until what was seen is committed", "[replication][tokens]") {
  simulated_chain chain{3};
  chain.put("k", "old");
  chain.hold(1);
  (void)chain.begin_write(write::put("k", "new"));
  chain.run(20ms);
  session_token token;
  token.include(chain.read("k", eventual, 0).result);
  CHECK(chain.read("k", strong, 0).value() == "old");
  for (const std::size_t replica : {0U, 1U, 2U}) {
    const auto read = chain.begin_read("k", strong, replica, {}, token);
    chain.run(30ms);
    CHECK_FALSE(chain.answered(read));
  }
  const auto impatient = chain.begin_read("k", strong, 1, 30ms, token);
  CHECK(chain.end_read(impatient).error == errc::timed_out);
  chain.release(1);
  const auto read = chain.end_read(chain.begin_read("k", strong, 1, {}, token));
  CHECK(read.value() == "new");
  CHECK(read.result.committed);
}

TEST_CASE("a token whose write was lost with the head is void, and that is said", "[replication][tokens]") {
  seen_at_the_head session{3};
  session.head_is_lost();
  SECTION("by the new head, while nobody else can know") {
    const auto read = session.chain.read_after(session.token, "k", eventual);
    CHECK(read.error == errc::token_void);
  }
  SECTION("a read that names another replica is told who knows") {
    const auto read = session.chain.read_after(session.token, "k", eventual, routing::to(session.chain.node(2)));
    CHECK(read.error == errc::not_head);
  }
  SECTION("by every replica, once the place is taken by another write") {
    session.chain.put("other", "write");
    for (const std::size_t node : {1U, 2U}) {
      for (const consistency& level : {strong, bounded(1h), eventual}) {
        const auto read = session.chain.read_after(session.token, "k", level, routing::to(session.chain.node(node)));
        CHECK(read.error == errc::token_void);
      }
    }
  }
  CHECK(session.chain.read_after({}, "k", strong).result.value == bytes{"old"});
}

TEST_CASE("a token whose write outlives the head counts on", "[replication][tokens]") {
  simulated_healing_chain chain{3};
  chain.put("k", "old");
  chain.world.cut(chain.host(1), chain.host(2));
  const auto written = chain.begin_put("k", "new");
  chain.world.run_for(20ms);
  session_token token;
  token.include(chain.read_after({}, "k", eventual, routing::to(chain.node(0))).result);
  REQUIRE(token.seen() == version{1, token.seen().seq});
  chain.crash(0);
  chain.world.mend(chain.host(1), chain.host(2));
  REQUIRE(chain.becomes({1, 2}));
  CHECK(chain.written(written));
  for (const std::size_t node : {1U, 2U}) {
    const auto read = chain.read_after(token, "k", eventual, routing::to(chain.node(node)));
    CHECK(read.result.value == bytes{"new"});
    token.include(read.result);
  }
  CHECK(token.seen().none());
}

TEST_CASE("a replica that was left behind answers nothing that is newer than it", "[replication][tokens]") {
  simulated_healing_chain chain{3};
  chain.put("k", "old");
  chain.world.isolate(chain.host(2));
  chain.on_question = [](std::size_t node, const auto&) -> simulated_healing_chain::delay {
    return node == 2 ? std::nullopt : simulated_healing_chain::delay{1ms};
  };
  REQUIRE(chain.becomes({0, 1}));
  chain.put("k", "new");
  session_token token;
  token.include(chain.read_after({}, "k", strong).result);
  // Cut off from the others, it believes itself in its chain; its own process asks it.
  CHECK(chain.read_here_after({}, "k", eventual, 2).result.value == bytes{"old"});
  CHECK(chain.read_here_after(token, "k", eventual, 2).error == errc::not_serving);
}
