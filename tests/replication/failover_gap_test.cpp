// How long acknowledged writes stop when a replica dies: no longer than its death goes unnoticed, and the gate.
#include <algorithm>
#include <chrono>
#include <cstdint>

#include "catch.hpp"
#include "replication/opening.hpp"
#include "simulated_healing_chain.hpp"

using namespace artillery;
using namespace artillery::replication;
using namespace std::chrono_literals;

namespace {

constexpr duration look_every = 50us;
/// The way of a write and of the news of a view: a handful of hops, and the shortest pauses of a client.
constexpr duration on_the_way = 10ms;

/// A writer that writes one after the other.
class busy_chain {
public:
  busy_chain() : chain{3} { chain.put("k", "v"); }

  void write_for(duration length) {
    for (const time_point until = chain.world.now() + length; chain.world.now() < until;) step();
  }
  /// Until a view without the victim is in force.
  void write_until_changed() {
    for (const std::uint64_t before = chain.newest().epoch; chain.newest().epoch == before;) step();
  }
  [[nodiscard]] duration longest_gap() const { return longest_; }
  void forget_gaps() { longest_ = {}; }

  simulated_healing_chain chain;

private:
  void step() {
    if (!request_) request_ = chain.begin_put("k", "v");
    chain.world.run_for(look_every);
    if (!chain.has_ended(*request_)) return;
    REQUIRE(chain.written(*request_));
    request_.reset();
    longest_ = std::max(longest_, chain.world.now() - last_);
    last_ = chain.world.now();
  }

  std::optional<request_id> request_;
  time_point last_ = chain.world.now();
  duration longest_{};
};

}  // namespace

TEST_CASE("the longest gap in acknowledged writes is that of detection and the gate", "[replication][failover]") {
  const std::size_t victim = GENERATE(0U, 1U, 2U);  // head, middle, tail
  const bool machine_dies = GENERATE(false, true);
  duration worst_detection{};
  // Whatever the moment between two renewals of the lease.
  for (int moment = 0; moment < 15; ++moment) {
    busy_chain busy;
    busy.write_for(20ms + moment * 7ms);
    busy.forget_gaps();
    const time_point died = busy.chain.world.now();
    if (machine_dies) {
      busy.chain.world.power_off(busy.chain.host(victim));
    } else {
      busy.chain.world.crash(busy.chain.host(victim));
    }
    busy.write_until_changed();
    const duration detection = busy.chain.world.now() - died;
    worst_detection = std::max(worst_detection, detection);
    busy.write_for(500ms);
    const view& now = busy.chain.newest();
    CAPTURE(victim, machine_dies, moment);
    CHECK(busy.longest_gap() <= detection + gate_length(now.lease, now.drift_ppm) + on_the_way);
    CHECK(busy.longest_gap() >= detection);
  }
  // A process that dies is noticed by its streams, a machine by its silence, a head's twice as late; then comes the
  // time that it is given, and a few looks.
  const duration silence = machine_dies ? (victim == 0 ? 400ms : 200ms) : 0ms;
  CHECK(worst_detection <= silence + 100ms + 50ms);
}
