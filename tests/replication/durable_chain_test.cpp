// A chain whose replicas have disks: what is acknowledged is on all of them, and what is on one of them is enough to
// begin again (R2, R5, R8, R9 and R14 of docs/replication.md).
#include "catch.hpp"
#include "replication/simulated_healing_chain.hpp"

using namespace std::chrono_literals;
using artillery::replication::tail_state;

namespace {

healing_chain_setup with_disks(std::size_t length, std::size_t spares = 0) {
  return {.length = length, .spares = spares, .wanted = length + spares, .sync_takes_max = 2ms};
}

/// How far they are when everything rests.
artillery::replication::version last_of(simulated_healing_chain& chain, std::size_t at) {
  return chain.replica(at).core().log().last();
}

}  // namespace

TEST_CASE("a write is acknowledged when it is on the disk of every replica", "[replication][durable]") {
  simulated_healing_chain chain{with_disks(3)};
  chain.put("k", "1");
  for (const std::size_t each : {0U, 1U, 2U}) CHECK(chain.disk(each).knows(last_of(chain, 0)));

  const std::size_t slow = GENERATE(0U, 1U, 2U);
  chain.hold_back(slow, true);
  const auto pending = chain.begin_put("k", "2");
  chain.world.run_for(1s);
  CHECK(last_of(chain, 2).seq > chain.replica(2).core().status().commit);  // the tail holds it
  CHECK(chain.read("k", 0) == "1");
  CHECK(chain.read("k", 2) == "1");
  chain.hold_back(slow, false);
  REQUIRE(chain.written(pending));
  CHECK(chain.read("k", 0) == "2");
}

TEST_CASE("a chain whose power fails begins again with all that was acknowledged", "[replication][durable]") {
  const std::size_t length = GENERATE(1U, 2U, 3U);
  simulated_healing_chain chain{with_disks(length)};
  for (const char* value : {"1", "2", "3"}) chain.put("k", value);
  const auto epoch = chain.newest().epoch;
  for (std::size_t i = 0; i < length; ++i) chain.crash(i);
  chain.world.run_for(1s);
  CHECK(chain.newest().epoch == epoch);
  for (std::size_t i = 0; i < length; ++i) chain.restart(i);
  REQUIRE(chain.grows_to(length));
  for (std::size_t i = 0; i < length; ++i) CHECK(chain.read("k", i) == "3");
  chain.put("k", "4");
  CHECK(chain.read("k", length - 1) == "4");
}

TEST_CASE("any one replica of the newest view is enough to begin again", "[replication][durable]") {
  const std::size_t left = GENERATE(0U, 1U, 2U);
  simulated_healing_chain chain{with_disks(3)};
  chain.put("k", "1");
  for (std::size_t i = 0; i < 3; ++i) chain.crash(i);
  chain.restart(left);
  REQUIRE(chain.becomes({left}));
  CHECK(chain.newest().replicas.front().id.incarnation == 1);  // what it holds is what it held
  CHECK(chain.read("k", left) == "1");
}

TEST_CASE(
    "a replica that restarts while others serve takes no part, asks to be dropped and comes back under another name",
    "[replication][durable]") {
  const std::size_t restarted = GENERATE(0U, 1U, 2U);
  simulated_healing_chain chain{with_disks(3)};
  chain.put("k", "1");
  const auto epoch = chain.newest().epoch;
  chain.crash(restarted);
  chain.restart(restarted);
  CHECK(chain.replica(restarted).core().is_passive());
  REQUIRE(chain.world.run_until([&] { return chain.newest().epoch > epoch; }, 5s));
  CHECK(chain.order().size() == 2);
  REQUIRE(chain.grows_to(3));
  CHECK(chain.order().back() == restarted);
  CHECK(chain.newest().replicas.back().id.incarnation > 1);
  CHECK_FALSE(chain.replica(restarted).core().is_passive());
  CHECK(chain.read("k", restarted) == "1");
}

TEST_CASE("a node that was dropped begins nothing again, whatever is on its disk", "[replication][durable]") {
  simulated_healing_chain chain{with_disks(2)};
  chain.put("k", "1");
  chain.crash(1);
  REQUIRE(chain.becomes({0}));
  chain.put("k", "2");
  chain.crash(0);
  chain.restart(1);
  chain.world.run_for(10s);
  CHECK(chain.order() == std::vector<std::size_t>{0});
  CHECK_FALSE(chain.has_opened(1));
  chain.restart(0);
  REQUIRE(chain.becomes({0, 1}));
  CHECK(chain.read("k", 0) == "2");
  CHECK(chain.read("k", 1) == "2");
}

TEST_CASE("a tail opens when what it held at the change is on its disk", "[replication][durable]") {
  simulated_healing_chain chain{with_disks(2)};
  chain.put("k", "1");
  chain.hold_back(0, true);
  const auto pending = chain.begin_put("k", "2");
  chain.world.run_for(50ms);
  chain.crash(1);
  REQUIRE(chain.world.run_until([&] { return chain.order() == std::vector<std::size_t>{0}; }, 5s));
  chain.world.run_for(2s);  // no lease lasts as long
  CHECK(chain.replica(0).core().status().tail == tail_state::gated);
  chain.hold_back(0, false);
  REQUIRE(chain.written(pending));
  CHECK(chain.has_opened(0));
}

TEST_CASE("a learner becomes the tail when its disk has what the tail has", "[replication][durable]") {
  simulated_healing_chain chain{{.length = 2, .spares = 1, .wanted = 3, .runs_for = 0s, .sync_takes_max = 2ms}};
  chain.hold_back(2, true);
  chain.put("k", "1");
  chain.world.run_for(3s);
  CHECK(chain.order().size() == 2);
  REQUIRE(chain.newest().learners.size() == 1);
  CHECK(last_of(chain, 2) == last_of(chain, 1));  // it holds it
  chain.hold_back(2, false);
  REQUIRE(chain.becomes({0, 1, 2}));
  CHECK(chain.disk(2).knows(last_of(chain, 0)));
}

TEST_CASE("a learner that holds more than its tail after both restarted gives it up", "[replication][durable]") {
  simulated_healing_chain chain{with_disks(2)};
  chain.put("k", "1");
  chain.hold_back(0, true);
  (void)chain.begin_put("k", "2", 100ms);  // on the disk of the second alone, and nobody is told that it happened
  chain.world.run_for(500ms);
  chain.hold_back(0, false);
  chain.crash(0);
  chain.crash(1);
  chain.restart(0);
  REQUIRE(chain.becomes({0}));
  const std::string kept = chain.read("k", 0);
  chain.restart(1);
  REQUIRE(chain.becomes({0, 1}));
  CHECK(chain.read("k", 1) == kept);
  CHECK(last_of(chain, 1) == last_of(chain, 0));
}
