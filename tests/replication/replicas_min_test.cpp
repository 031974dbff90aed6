// A chain that shall keep so many copies of each record at least.
#include "catch.hpp"
#include "replication/simulated_healing_chain.hpp"

using namespace std::chrono_literals;

TEST_CASE("a chain that is shorter than it must be takes no writes, says so, and takes them when it has grown",
          "[replication][views]") {
  simulated_healing_chain chain{healing_chain_setup{.length = 2, .spares = 1, .replicas_min = 2}};
  chain.put("k", "1");
  const auto held = chain.replica(0).core().status().last;
  REQUIRE_FALSE(chain.replica(0).core().status().short_of_replicas);
  chain.world.partition({chain.host(2)});  // nobody can take the place
  chain.world.crash(chain.host(1));
  REQUIRE(chain.becomes({0}));
  const auto pending = chain.begin_put("k", "2");
  chain.world.run_for(500ms);
  CHECK(chain.replica(0).core().status().short_of_replicas);
  CHECK(chain.replica(0).core().counters().refused_busy > 0);
  CHECK(chain.replica(0).core().status().last == held);
  CHECK(chain.read("k", 0) == "1");

  chain.world.heal();
  CHECK(chain.written(pending));  // the client tried again all the while
  CHECK_FALSE(chain.replica(0).core().status().short_of_replicas);
}
