// Terrace & Freedman, "Object Storage on CRAQ" (USENIX ATC 2009), and van Renesse & Schneider, "Chain Replication"
// (OSDI 2004), whose recovery it takes over: one test for each claim about failures and joins, and for what differs
// here.
#include <chrono>
#include <vector>

#include "catch.hpp"
#include "replication/simulated_healing_chain.hpp"

using namespace artillery::replication;
using namespace std::chrono_literals;

TEST_CASE("when the head fails, its successor is the head, and what has left the old head is not lost",
          "[replication][paper]") {
  simulated_healing_chain chain{3};
  chain.put("k", "1");
  chain.world.cut(chain.host(1), chain.host(2));  // the second record waits at the middle
  const auto pending = chain.begin_put("k", "2");
  chain.world.run_for(20ms);
  REQUIRE(chain.replica(1).core().log().last_seq() == 3);
  chain.world.crash(chain.host(0));
  chain.world.heal();
  REQUIRE(chain.becomes({1, 2}));
  CHECK(chain.written(pending));
  CHECK(chain.read("k", 1) == "2");
  CHECK(chain.read("k", 2) == "2");
  CHECK(chain.replica(2).core().log().last_seq() == 3);  // its client tried again: it is there once
}

TEST_CASE("when the tail fails, its predecessor is the tail and commits all that it holds", "[replication][paper]") {
  simulated_healing_chain chain{3};
  chain.put("k", "1");
  chain.world.cut(chain.host(1), chain.host(2));
  const auto pending = chain.begin_put("k", "2");
  chain.world.run_for(20ms);
  CHECK(chain.replica(1).core().status().commit == 2);
  chain.world.crash(chain.host(2));
  REQUIRE(chain.becomes({0, 1}));
  CHECK(chain.replica(1).core().status().commit == 3);
  CHECK(chain.written(pending));
}

TEST_CASE("when a node in the middle fails, its predecessor sends its successor what that lacks",
          "[replication][paper]") {
  simulated_healing_chain chain{3};
  chain.put("k", "1");
  chain.world.cut(chain.host(1), chain.host(2));
  const auto pending = chain.begin_put("k", "2");
  chain.world.run_for(20ms);
  CHECK(chain.replica(2).core().log().last_seq() == 2);
  chain.world.crash(chain.host(1));
  REQUIRE(chain.becomes({0, 2}));
  CHECK(chain.written(pending));
  CHECK(chain.read("k", 2) == "2");
}

TEST_CASE("a node that joins is given the objects before it is in the chain", "[replication][paper]") {
  simulated_healing_chain chain{2, 1};
  chain.put("j", "1");
  chain.put("k", "2");
  chain.world.crash(chain.host(0));
  REQUIRE(chain.becomes({1, 2}));
  CHECK(chain.read("j", 2) == "1");
  CHECK(chain.read("k", 2) == "2");
  CHECK(chain.replica(1).core().counters().learners_promoted == 1);
}

TEST_CASE("here a node joins as the tail alone, so that nothing is ever propagated backwards", "[replication][paper]") {
  simulated_healing_chain chain{2, 1};
  chain.put("k", "1");
  chain.world.crash(chain.host(1));
  REQUIRE(chain.becomes({0, 2}));
}

TEST_CASE("a node that fails while another joins stops neither the chain nor the join", "[replication][paper]") {
  simulated_healing_chain chain{3, 1};
  chain.put("k", "1");
  chain.world.crash(chain.host(0));
  REQUIRE(chain.world.run_until([&] { return !chain.newest().learners.empty(); }, 30s));
  chain.world.crash(chain.host(2));  // the tail, which feeds it
  REQUIRE(chain.becomes({1, 3}));
  CHECK(chain.read("k", 3) == "1");
}

TEST_CASE("the paper leaves it open what a node reads that was cut off: here it answers nothing once its lease ends",
          "[replication][paper]") {
  simulated_healing_chain chain{3};
  chain.put("k", "1");
  chain.world.isolate(chain.host(1));
  REQUIRE(chain.becomes({0, 2}));
  chain.put("k", "2");
  const auto& cut_off = chain.replica(1);
  CHECK(cut_off.core().serving().lease_until <= chain.world.local_time(chain.host(1)));
}
