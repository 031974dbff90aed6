// A learner that never catches up: whoever wants it promoted is told, and the chain goes on.
#include "catch.hpp"
#include "replication/simulated_healing_chain.hpp"

using namespace std::chrono_literals;
using namespace artillery::replication;

TEST_CASE("to promote a learner that never catches up comes to nothing in time, and changes nothing",
          "[replication][views]") {
  simulated_healing_chain chain{{.length = 2, .spares = 1, .wanted = 2}};
  REQUIRE(chain.change(1, view_change::add(simulated_healing_chain::node(2)), 5s) == std::error_code{});
  chain.world.cut(chain.host(2), chain.host(1));
  const auto before = chain.newest();
  CHECK(chain.change(1, view_change::promote(simulated_healing_chain::node(2)), 50ms) == artillery::errc::timed_out);
  CHECK(chain.order() == std::vector<std::size_t>{0, 1});
  CHECK(chain.newest().replicas == before.replicas);
  chain.put("k", "goes on");
}
