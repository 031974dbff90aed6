// Who was cut off and is back says of the others that they have failed, and those who hear it see for themselves.
#include "catch.hpp"
#include "replication/simulated_healing_chain.hpp"

using namespace std::chrono_literals;
using artillery::replication::peer_hint;

TEST_CASE("a replica that others miss stays in the chain when it answers its neighbours", "[replication][hints]") {
  simulated_healing_chain chain{3};
  chain.put("k", "1");
  const auto epoch = chain.newest().epoch;
  for (std::size_t at = 0; at < 3; ++at) {
    for (std::size_t of = 0; of < 3; ++of) {
      if (at != of) chain.hint(at, of, peer_hint::missed);
    }
  }
  chain.world.run_for(2s);
  CHECK(chain.newest().epoch == epoch);
  CHECK(chain.order() == std::vector<std::size_t>{0, 1, 2});
  chain.put("k", "2");
}

TEST_CASE("a replica that others miss is dropped before its silence would have told", "[replication][hints]") {
  const bool missed = GENERATE(false, true);
  const std::size_t gone = GENERATE(0U, 1U, 2U);
  simulated_healing_chain chain{3};
  chain.put("k", "1");
  chain.world.power_off(chain.host(gone));
  if (missed) chain.hint(gone == 0 ? 1 : gone - 1, gone, peer_hint::missed);
  chain.world.run_for(60ms);  // the probe's quarter of 100 ms, and a turn of the authority; silence takes 300
  CHECK(chain.newest().replicas.size() == (missed ? 2 : 3));
}

TEST_CASE("a replica that let an earlier probe go unanswered is dropped as soon as it is missed",
          "[replication][hints]") {
  simulated_healing_chain chain{3};
  chain.put("k", "1");
  chain.world.power_off(chain.host(2));
  chain.hint(1, 2, peer_hint::doubted);
  chain.world.run_for(40ms);
  REQUIRE(chain.newest().replicas.size() == 3);
  chain.hint(1, 2, peer_hint::missed);
  chain.world.run_for(5ms);
  CHECK(chain.newest().replicas.size() == 2);
}

TEST_CASE("who has no link to a replica that others miss leaves it to those who have", "[replication][hints]") {
  simulated_healing_chain chain{3};
  chain.put("k", "1");
  chain.world.power_off(chain.host(0));
  chain.hint(2, 0, peer_hint::missed);
  chain.world.run_for(60ms);
  CHECK(chain.newest().replicas.size() == 3);
}
