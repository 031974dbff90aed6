// What a replica makes of what others say of its neighbours.
#include "catch.hpp"
#include "replication/simulated_chain.hpp"

using namespace artillery;
using namespace std::chrono_literals;
using replication::peer_hint;

namespace {

replication::replica_config patient() {
  replication::replica_config config;
  config.value_size_max = 1000;
  config.silence_max = 4s;
  config.reconnect_min = 10s;
  config.reconnect_max = 10s;
  config.stopped_after = 100ms;
  return config;
}

class hinted_chain : public simulated_chain {
public:
  hinted_chain() : simulated_chain{2, replication::read_mode::apportioned, patient()} {
    run(30s);       // the head tried before there was a tail
    put("k", "v");  // the links were just heard
  }

  void hint(std::size_t at, std::size_t about, peer_hint what) {
    world.call(host(at), [=](sim::program& p, time_point now, network_effects& out) {
      static_cast<sim::replica_program&>(p).hint(node(about), what, now, out);
    });
  }
  [[nodiscard]] bool successor_up() { return replica(0).core().status().successor_up; }
};

}  // namespace

TEST_CASE("a successor that is doubted is probed at once, and missed sooner", "[replication][hints]") {
  const bool hinted = GENERATE(false, true);
  hinted_chain chain;
  REQUIRE(chain.successor_up());
  chain.world.power_off(chain.host(1));
  if (hinted) chain.hint(0, 1, peer_hint::doubted);
  chain.run(3s);  // the probe's half of the silence that is allowed has passed, the whole of it has not
  CHECK(chain.successor_up() != hinted);
  chain.run(2s);
  CHECK_FALSE(chain.successor_up());
}

TEST_CASE("a predecessor that is doubted is asked, and missed sooner", "[replication][hints]") {
  const bool hinted = GENERATE(false, true);
  hinted_chain chain;
  chain.world.power_off(chain.host(0));
  if (hinted) chain.hint(1, 0, peer_hint::doubted);
  chain.run(5s);
  CHECK(chain.replica(1).core().status().stopped == hinted);
}

TEST_CASE("a wrong doubt costs a probe and nothing else", "[replication][hints]") {
  hinted_chain chain;
  const auto before = chain.world.counters().frames_sent;
  const auto lost_before = chain.replica(0).core().counters().links_lost;  // at the start
  chain.hint(0, 1, peer_hint::doubted);
  chain.hint(1, 0, peer_hint::doubted);
  chain.run(20ms);
  // Both links of the head are asked and answer, and so does the head.
  CHECK(chain.world.counters().frames_sent == before + 6);
  chain.run(30s);
  CHECK(chain.successor_up());
  CHECK(chain.replica(0).core().counters().links_lost == lost_before);
  CHECK(chain.replica(1).core().counters().links_lost == 0);
  CHECK_FALSE(chain.replica(1).core().status().stopped);
  CHECK(chain.put("k", "v").result.applied);
}

TEST_CASE("a successor that is said to be back is connected to without a pause", "[replication][hints]") {
  hinted_chain chain;
  chain.world.partition({chain.host(0)});
  chain.run(5s);
  REQUIRE_FALSE(chain.successor_up());
  chain.world.heal();
  chain.run(1s);
  REQUIRE_FALSE(chain.successor_up());
  chain.hint(0, 1, peer_hint::present);
  chain.run(20ms);
  CHECK(chain.successor_up());
}

TEST_CASE("what is said of strangers, or before there is a view, means nothing", "[replication][hints]") {
  hinted_chain chain;
  const auto before = chain.world.counters();
  chain.hint(0, 7, peer_hint::doubted);
  chain.hint(0, 0, peer_hint::present);
  chain.run(20ms);
  CHECK(chain.world.counters().frames_sent == before.frames_sent);
  CHECK(chain.world.counters().streams_opened == before.streams_opened);
  CHECK(chain.replica(0).core().counters().hints == 0);
}
