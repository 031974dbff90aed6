// Terrace & Freedman, "Object Storage on CRAQ" (USENIX ATC 2009): one test for each claim of its protocol sections.
#include "catch.hpp"
#include "replication/simulated_chain.hpp"

using namespace artillery;
using namespace artillery::replication;
using namespace std::chrono_literals;

TEST_CASE("2.1: writes enter at the head, go down the chain, and are acknowledged by the tail",
          "[replication][paper]") {
  simulated_chain chain{3};
  chain.put("k", "0");
  chain.hold(1);
  const auto request = chain.begin_write(write::put("k", "1"));
  chain.run(50ms);
  CHECK_FALSE(chain.answered(request));
  CHECK(chain.replica(0).core().status().last == 3);  // a session's opening is a record, too
  CHECK(chain.replica(1).core().status().last == 3);
  CHECK(chain.replica(2).core().status().last == 2);
  chain.release(1);
  CHECK(chain.end_write(request).result.applied);
}

TEST_CASE("2.1: in plain chain replication the tail alone answers strong reads", "[replication][paper]") {
  simulated_chain chain{3, read_mode::tail_only};
  chain.put("k", "1");
  for (int i = 0; i < 20; ++i) CHECK(chain.read("k").value() == "1");
  CHECK(chain.replica(2).core().counters().local_reads == 20);
  CHECK(chain.replica(0).core().counters().local_reads == 0);
  CHECK(chain.read("k", eventual, 0).value() == "1");
}

TEST_CASE("2.3: a node keeps several versions of an object until one of them is committed", "[replication][paper]") {
  simulated_chain chain{2};
  chain.put("k", "0");
  chain.hold(0);
  const auto first = chain.begin_write(write::put("k", "1"));
  const auto second = chain.begin_write(write::put("k", "2"));
  chain.run(20ms);
  CHECK(chain.replica(0).objects().versions() == 3);
  CHECK(chain.replica(0).core().status().dirty_objects == 1);
  chain.release(0);
  chain.end_write(first);
  chain.end_write(second);
  CHECK(chain.replica(0).objects().versions() == 1);
  CHECK(chain.replica(0).core().status().dirty_objects == 0);
}

TEST_CASE("2.3: an acknowledgement travels back up and makes the object clean at each node", "[replication][paper]") {
  simulated_chain chain{4};
  chain.put("k", "1");
  chain.run(50ms);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(chain.replica(i).core().status().commit == 2);
    CHECK(chain.replica(i).core().log().empty());
  }
}

TEST_CASE("2.3: any node answers a read of a clean object without a message", "[replication][paper]") {
  simulated_chain chain{3};
  chain.put("k", "1");
  chain.run(50ms);
  const auto answered = [&] { return chain.replica(2).core().counters().watermark_answers; };
  const std::uint64_t before = answered();
  for (std::size_t i = 0; i < 3; ++i) {
    const auto found = chain.read("k", strong, i);
    CHECK(found.value() == "1");
    CHECK(found.result.local);
  }
  CHECK(answered() == before);
}

TEST_CASE("2.3: a read of a dirty object asks the tail, and gets the version the tail has committed",
          "[replication][paper]") {
  simulated_chain chain{3};
  chain.put("k", "old");
  chain.hold(1);
  const auto request = chain.begin_write(write::put("k", "new"));
  chain.run(20ms);
  // The middle's way to the tail is held, so the head asks; it holds the new version, and answers the old one.
  const auto found = chain.read("k", strong, 0);
  CHECK(found.value() == "old");
  CHECK_FALSE(found.result.local);
  CHECK(chain.replica(0).core().counters().dirty_reads == 1);
  chain.release(1);
  CHECK(chain.end_write(request).result.applied);
  CHECK(chain.read("k", strong, 0).value() == "new");
}

TEST_CASE("2.3: reads at different nodes never see the newer value before the older", "[replication][paper]") {
  simulated_chain chain{3};
  chain.put("k", "old");
  // The tail's acknowledgement does not reach the middle: the tail has the new value, the others are dirty.
  chain.world.cut(chain.host(2), chain.host(1));
  const auto request = chain.begin_write(write::put("k", "new"));
  chain.run(20ms);
  CHECK(chain.read("k", strong, 2).value() == "new");
  CHECK(chain.read("k", strong, 0).value() == "new");  // asked the tail
  CHECK_FALSE(chain.answered(request));
  chain.world.heal();
  CHECK(chain.end_write(request).result.applied);
}

TEST_CASE("2.4: an eventual read is answered by any node from what it has", "[replication][paper]") {
  simulated_chain chain{3};
  chain.put("k", "old");
  chain.hold(1);
  const auto request = chain.begin_write(write::put("k", "new"));
  chain.run(20ms);
  CHECK(chain.read("k", eventual, 0).value() == "new");
  CHECK(chain.read("k", eventual, 2).value() == "old");
  chain.release(1);
  chain.end_write(request);
}

TEST_CASE("2.4: a read may be as old as a bound in time or in versions allows", "[replication][paper]") {
  simulated_chain chain{2};
  chain.put("k", "old");
  chain.hold(0);
  const auto request = chain.begin_write(write::put("k", "new"));
  chain.run(100ms);
  const auto questions = [&] { return chain.replica(0).core().counters().watermark_queries; };
  CHECK(chain.read("k", bounded(1h), 0).value() == "old");
  CHECK(chain.read("k", bounded(1U), 0).value() == "old");
  CHECK(questions() == 0);
  // Too old for the bound: the tail must be asked, and the way to it is held.
  const auto tight = chain.begin_read("k", bounded(50ms), 0);
  const auto none = chain.begin_read("k", bounded(0U), 0);
  chain.run(20ms);
  CHECK_FALSE(chain.answered(tight));
  CHECK_FALSE(chain.answered(none));
  CHECK(questions() == 1);
  chain.release(0);
  CHECK(chain.end_read(tight).value() == "new");
  CHECK_FALSE(chain.end_read(none).error);
  chain.end_write(request);
}

TEST_CASE("3.4: questions of many reads share one message to the tail", "[replication][paper]") {
  simulated_chain chain{3};
  chain.put("k", "old");
  chain.hold(1);
  chain.begin_write(write::put("k", "new"));
  chain.run(20ms);
  std::vector<request_id> reads;
  for (int i = 0; i < 50; ++i) reads.push_back(chain.begin_read("k", strong, 0));
  for (const request_id request : reads) CHECK(chain.end_read(request).value() == "old");
  const auto& counters = chain.replica(0).core().counters();
  CHECK(counters.dirty_reads == 50);
  CHECK(counters.watermark_queries < 25);
}
