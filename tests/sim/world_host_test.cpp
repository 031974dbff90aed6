// Faults of clocks, processes and disks.
#include <set>

#include "catch.hpp"
#include "sim/host_clock.hpp"
#include "sim/recorder.hpp"

using namespace sim_tests;

TEST_CASE("a clock that drifts is never early with a timer, and late by less than a microsecond", "[sim][clock]") {
  for (std::int32_t ppm : {-1000, -500, -1, 0, 1, 500, 1000}) {
    INFO("drift " << ppm);
    sim::host_clock clock;
    clock.drift(ppm, time_point{1h});
    for (artillery::duration ahead : {1ns, 999ns, 1'000'003ns, 50ms + 7ns}) {
      const time_point wanted = time_point{1h} + ahead;
      const time_point fires = clock.true_at(wanted);
      REQUIRE(clock.local(fires) >= wanted);
      REQUIRE(clock.local(fires - 1ns) < wanted);
    }
    REQUIRE(clock.local(time_point{1h + 1000s}) - time_point{1h + 1000s} == std::chrono::milliseconds{ppm});
    REQUIRE(clock.true_at(time_point::max()) == time_point::max());
  }
}

TEST_CASE("a deadline that is past, however long, is due at once where clocks drift, too", "[sim][clock]") {
  for (const std::int32_t ppm : {-500, 500}) {
    sim::host_clock clock;
    clock.drift(ppm, time_point{1h});
    CHECK(clock.true_at(time_point{1h} - 1ns) == time_point{1h});
    CHECK(clock.true_at(time_point{}) == time_point{1h});
    CHECK(clock.true_at(time_point::min()) == time_point{1h});
  }
}

TEST_CASE("a host whose clock is fast sees its timers early, and its own time", "[sim][clock]") {
  pair_of_hosts t;
  t.world.set_clock_drift(t.a, 500);
  t.world.set_clock_drift(t.b, -500);
  t.set_timer(t.a, 1000s);
  t.set_timer(t.b, 1000s);
  t.world.run_for(1000s - 400ms);
  REQUIRE(t.at(t.a).expiries == 1);
  REQUIRE(t.at(t.b).expiries == 0);
  t.world.run_for(1s);
  REQUIRE(t.at(t.b).expiries == 1);
  REQUIRE(t.world.local_time(t.a) > t.world.now());
  REQUIRE(t.world.local_time(t.b) < t.world.now());
}

TEST_CASE("a clock that changes its pace does not jump, and its timers follow", "[sim][clock]") {
  pair_of_hosts t;
  t.set_timer(t.a, 1000s);
  t.world.run_for(500s);
  const time_point before = t.world.local_time(t.a);
  t.world.set_clock_drift(t.a, 1000);
  REQUIRE(t.world.local_time(t.a) == before);
  t.world.run_for(500s - 400ms);
  REQUIRE(t.at(t.a).expiries == 1);
  const time_point fast = t.world.local_time(t.a);
  t.world.set_clock_drift(t.a, 0);
  t.world.run_for(1s);
  REQUIRE(t.world.local_time(t.a) == fast + 1s);
}

TEST_CASE("a wall clock is stepped without the host's own clock", "[sim][clock]") {
  pair_of_hosts t;
  const auto wall = t.world.wall_clock(t.a);
  const time_point local = t.world.local_time(t.a);
  t.world.step_wall_clock(t.a, -2h);
  REQUIRE(t.world.wall_clock(t.a) == wall - 2h);
  REQUIRE(t.world.wall_clock(t.b) == wall);
  REQUIRE(t.world.local_time(t.a) == local);
}

TEST_CASE("a machine that slept finds its clock gone on, its timers due and its input waiting", "[sim][suspend]") {
  pair_of_hosts t;
  t.set_timer(t.b, 1s);
  t.world.suspend(t.b, 10s);
  REQUIRE(t.world.is_paused(t.b));
  t.say(t.a, t.b, "good morning");
  t.world.run_for(5s);
  t.world.resume(t.b);  // nobody wakes it before its time
  REQUIRE(t.at(t.b).received.empty());
  REQUIRE(t.at(t.b).expiries == 0);
  const time_point lay_down = t.at(t.b).started;
  t.world.run_for(5s);
  REQUIRE(t.at(t.b).received.size() == 1);
  REQUIRE(t.at(t.b).expiries == 1);
  REQUIRE(t.at(t.b).last - lay_down == 10s);
  REQUIRE(t.world.counters().suspensions == 1);
}

TEST_CASE("a process can be killed between two effects of one step", "[sim][crash]") {
  for (std::uint64_t effects = 0; effects <= 3; ++effects) {
    INFO("effects " << effects);
    pair_of_hosts t;
    bool told = false;
    t.world.crash_at_event(t.a, {.inputs = 1, .effects = effects}, [&] { told = true; });
    t.say(t.a, t.b, "whole");
    t.world.call(t.a, [&](sim::program&, time_point, network_effects& out) {
      for (int i = 0; i < 3; ++i) {
        out.send(connection::datagram(t.world.at(t.b)), artillery::as_bytes("part"));
        REQUIRE(t.world.is_up(t.a) == (static_cast<std::uint64_t>(i) < effects));
      }
    });
    REQUIRE_FALSE(t.world.is_up(t.a));
    REQUIRE_FALSE(t.world.call(t.a, [](sim::program&, time_point, network_effects&) {}));
    t.world.run_for(1s);
    REQUIRE(told);
    REQUIRE(t.at(t.b).received.size() == 1 + effects);
    t.world.restart(t.a, std::make_unique<recorder>());
    t.say(t.a, t.b, "again");
    t.world.run_for(1s);
    REQUIRE(t.world.is_up(t.a));
    REQUIRE(t.at(t.b).received.back() == "again");
  }
}

TEST_CASE("a process that is killed from within its own step dies at the end of it", "[sim][crash]") {
  pair_of_hosts t;
  t.world.call(t.a, [&](sim::program&, time_point, network_effects& out) {
    t.world.crash(t.a);
    out.send(connection::datagram(t.world.at(t.b)), artillery::as_bytes("from the grave"));
  });
  t.world.run_for(1s);
  REQUIRE(t.world.running(t.a) == nullptr);
  REQUIRE(t.at(t.b).received.empty());
}

TEST_CASE("what has completed survives every crash; what has not survives wholly, partly or not at all",
          "[sim][disk]") {
  const std::string sure(700, 's');
  const std::string open(2'000, 'o');
  std::size_t whole = 0;
  std::size_t torn = 0;
  std::size_t gone = 0;
  std::size_t holes = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    INFO("seed " << seed);
    pair_of_hosts t{seed};
    t.persist(t.a, 1, sure);
    t.world.run_for(1s);
    REQUIRE(t.at(t.a).completions == std::vector{std::pair{artillery::operation{1}, std::error_code{}}});
    t.persist(t.a, 2, open);
    t.persist(t.a, 3, open);
    t.world.crash(t.a);
    t.world.restart(t.a, std::make_unique<recorder>());
    const auto& found = t.at(t.a).recovered;
    REQUIRE(!found.empty());
    REQUIRE(found[0] == sure);
    if (found.size() == 1) {
      ++gone;
      continue;
    }
    if (found[1] == open) ++whole;
    if (found[1] != open && found[1].find('o') != std::string::npos) {
      ++torn;
      // The file's sectors, not the record's: the first ends where 512 divides its place in the file.
      for (std::size_t at = 1; at < found[1].size(); ++at) {
        const bool changes = (found[1][at] == '\0') != (found[1][at - 1] == '\0');
        if (changes) REQUIRE((sure.size() + at) % 512 == 0);
      }
    }
    if (found.size() == 3 && found[1].find('o') == std::string::npos && found[2] == open) ++holes;
  }
  REQUIRE(whole > 30);
  REQUIRE(torn > 30);
  REQUIRE(gone > 10);
  REQUIRE(holes > 10);  // later parts without earlier ones
}

TEST_CASE("a program cuts off what it does not trust, and goes on behind it", "[sim][disk]") {
  pair_of_hosts t;
  for (artillery::operation op = 1; op <= 3; ++op) t.persist(t.a, op, std::to_string(op));
  t.world.run_for(1s);
  t.world.crash(t.a);
  auto careful = std::make_unique<recorder>();
  careful->keeps = 2;
  t.world.restart(t.a, std::move(careful));
  t.persist(t.a, 9, "4");
  t.world.run_for(1s);
  t.world.power_off(t.a);
  t.world.restart(t.a, std::make_unique<recorder>());
  REQUIRE(t.at(t.a).recovered == std::vector<std::string>{"1", "2", "4"});
}

TEST_CASE("a host comes back with an older disk, or with an empty one", "[sim][disk]") {
  pair_of_hosts t;
  t.persist(t.a, 1, "old");
  t.world.run_for(1s);
  const std::vector<bytes> backup = t.world.disk(t.a);
  t.persist(t.a, 2, "new");
  t.world.run_for(1s);
  t.world.crash(t.a);
  t.world.set_disk(t.a, backup);
  t.world.restart(t.a, std::make_unique<recorder>());
  REQUIRE(t.at(t.a).recovered == std::vector<std::string>{"old"});
  t.world.crash(t.a);
  t.world.set_disk(t.a, {});
  t.world.restart(t.a, std::make_unique<recorder>());
  REQUIRE(t.at(t.a).recovered.empty());
}

TEST_CASE("a sync that failed is not made up for by the next, which says that all is well", "[sim][disk]") {
  std::size_t lost = 0;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    pair_of_hosts t{seed};
    t.world.set_disk_faults(t.a, {.sync_failure = 1000});
    t.persist(t.a, 1, "failed");
    t.world.run_for(1s);
    t.world.set_disk_faults(t.a, {});
    t.persist(t.a, 2, "fine");
    t.world.run_for(1s);
    REQUIRE(t.at(t.a).completions.at(0).second == std::errc::io_error);
    REQUIRE_FALSE(t.at(t.a).completions.at(1).second);
    t.world.power_off(t.a);
    t.world.restart(t.a, std::make_unique<recorder>());
    REQUIRE(t.at(t.a).recovered.size() == 2);
    REQUIRE(t.at(t.a).recovered[1] == "fine");
    if (t.at(t.a).recovered[0] != "failed") ++lost;
  }
  REQUIRE(lost > 20);
  REQUIRE(lost < 50);
}

TEST_CASE("a full disk says so, and takes records again when there is room", "[sim][disk]") {
  pair_of_hosts t;
  t.world.set_disk_faults({.capacity = 10});
  t.persist(t.a, 1, "12345678");
  t.persist(t.a, 2, "too much");
  t.world.run_for(1s);
  REQUIRE_FALSE(t.at(t.a).completions.at(0).second);
  REQUIRE(t.at(t.a).completions.at(1).second == std::errc::no_space_on_device);
  REQUIRE(t.world.counters().disk_errors == 1);
  t.world.set_disk_faults(sim::disk_faults{});
  t.persist(t.a, 3, "fits now");
  t.world.run_for(1s);
  REQUIRE_FALSE(t.at(t.a).completions.at(2).second);
}

TEST_CASE("a short write leaves the beginning of its record and says that it failed", "[sim][disk]") {
  pair_of_hosts t;
  t.persist(t.a, 1, "sound");
  t.world.set_disk_faults({.short_write = 1000});
  t.persist(t.a, 2, "0123456789");
  t.world.run_for(1s);
  REQUIRE(t.at(t.a).completions.at(1).second == std::errc::io_error);
  REQUIRE(t.world.disk(t.a) == std::vector<bytes>{"sound"});
  t.world.crash(t.a);
  t.world.restart(t.a, std::make_unique<recorder>());
  REQUIRE(t.at(t.a).recovered.at(0) == "sound");
  if (t.at(t.a).recovered.size() == 2) REQUIRE(t.at(t.a).recovered[1].size() < 10);
}

TEST_CASE("a rotten record comes back with one bit changed, and stays so", "[sim][disk]") {
  pair_of_hosts t;
  t.persist(t.a, 1, "aaaa");
  t.world.run_for(1s);
  t.world.crash(t.a);
  t.world.set_disk_faults({.bit_rot = 1000});
  t.world.restart(t.a, std::make_unique<recorder>());
  const std::string rotten = t.at(t.a).recovered.at(0);
  REQUIRE(rotten.size() == 4);
  REQUIRE(rotten != "aaaa");
  t.world.set_disk_faults(sim::disk_faults{});
  t.world.crash(t.a);
  t.world.restart(t.a, std::make_unique<recorder>());
  REQUIRE(t.at(t.a).recovered.at(0) == rotten);
}

TEST_CASE("a disk goes on while its process is stopped: what completes unseen is durable", "[sim][disk]") {
  pair_of_hosts t;
  t.persist(t.a, 1, "safe");
  t.world.pause(t.a);
  t.world.run_for(1s);
  REQUIRE(t.at(t.a).completions.empty());
  t.world.crash(t.a);
  t.world.restart(t.a, std::make_unique<recorder>());
  REQUIRE(t.at(t.a).recovered == std::vector<std::string>{"safe"});
}

TEST_CASE("clocks, sleep, disks and deaths are the same for the same seed", "[sim]") {
  const auto run = [](std::uint64_t seed) {
    pair_of_hosts t{seed, {.garbage = 200, .stream_bytes_per_ms = 1}};
    t.world.set_disk_faults({.sync_failure = 200, .short_write = 200, .bit_rot = 200});
    t.world.set_clock_drift(t.b, 321);
    t.open(t.a, 1, t.b);
    for (artillery::operation op = 1; op < 20; ++op) {
      t.persist(t.b, op, std::string(700, 'r'));
      t.say(t.a, t.b, "ping");
      t.say_on(t.a, 1, "frame");
      if (op == 5) t.world.suspend(t.b, 20ms);
      if (op == 10) t.world.clog(t.a, t.b);
      if (op == 12) t.world.heal();
      t.world.run_for(1ms);
    }
    t.world.crash(t.b);
    t.world.restart(t.b, std::make_unique<recorder>());
    for (const std::string& record : t.at(t.b).recovered) t.world.note(record, 1);
    t.world.run_for(1s);
    return t.world.trace_hash();
  };
  REQUIRE(run(1) == run(1));
  REQUIRE(run(1) != run(2));
}
