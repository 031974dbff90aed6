// Faults of the network beyond loss: clogs, congestion, partitions of every shape, garbage.
#include <set>

#include "catch.hpp"
#include "sim/recorder.hpp"

using namespace sim_tests;

TEST_CASE("a clogged way holds everything back, and lets it arrive at once and in order", "[sim][clog]") {
  pair_of_hosts t;
  t.open(t.a, 1, t.b);
  t.world.run_for(1s);
  t.world.clog(t.a, t.b);
  t.say(t.a, t.b, "1");
  t.say_on(t.a, 1, "2");
  t.world.run_for(1s);
  t.say_on(t.a, 1, "3");
  t.say(t.b, t.a, "the other way is free");
  t.world.run_for(1s);
  REQUIRE(t.at(t.b).received.empty());
  REQUIRE(t.at(t.a).received.size() == 1);
  const time_point freed = t.world.now();
  t.world.unclog(t.a, t.b);
  t.world.run_for(0s);
  REQUIRE(t.at(t.b).received == std::vector<std::string>{"1", "2", "3"});
  REQUIRE(t.at(t.b).last == freed);
  t.world.run_for(60s);
  REQUIRE(t.at(t.a).links.back().second == link_state::up);  // the clog was shorter than the stream's patience
}

TEST_CASE("a stream breaks behind a clog that outlasts its timeout", "[sim][clog]") {
  pair_of_hosts t;
  t.open(t.a, 1, t.b);
  t.world.run_for(1s);
  t.world.clog(t.a, t.b);
  t.say_on(t.a, 1, "late");
  t.world.run_for(11s);
  REQUIRE(t.at(t.a).links.back().second == link_state::down);
  t.world.heal();
  t.world.run_for(1s);
  REQUIRE(t.at(t.b).received == std::vector<std::string>{"late"});
  REQUIRE(t.at(t.b).links.back().second == link_state::down);
}

TEST_CASE("a stream that is slower than its sender congests, drains and is writable again", "[sim][congestion]") {
  pair_of_hosts t{1, {.stream_bytes_per_ms = 100}};
  t.world.set_stream_limits({.queue_bytes_high = 4'000, .queue_bytes_low = 1'000, .queue_bytes_max = 20'000});
  t.open(t.a, 1, t.b);
  t.world.run_for(1s);
  const std::string frame(1'000, 'x');
  for (int i = 0; i < 10; ++i) t.say_on(t.a, 1, frame);
  t.world.run_for(1ms);
  REQUIRE(t.at(t.a).links.back().second == link_state::congested);
  REQUIRE(t.world.counters().streams_congested == 1);
  t.world.run_for(50ms);
  REQUIRE(t.at(t.a).links.back().second == link_state::congested);
  REQUIRE(t.at(t.b).received.size() <= 6);
  t.world.run_for(60ms);
  REQUIRE(t.at(t.a).links.back().second == link_state::writable);
  REQUIRE(t.at(t.b).received.size() == 10);
}

TEST_CASE("a stream whose queue outgrows its limit goes down, and what waited is lost", "[sim][congestion]") {
  pair_of_hosts t{1, {.stream_bytes_per_ms = 100}};
  t.world.set_stream_limits({.queue_bytes_high = 4'000, .queue_bytes_low = 1'000, .queue_bytes_max = 20'000});
  t.open(t.a, 1, t.b);
  t.world.run_for(1s);
  for (int i = 0; i < 30; ++i) t.say_on(t.a, 1, std::string(1'000, 'x'));
  t.world.run_for(5s);
  REQUIRE(t.at(t.a).links.back().second == link_state::down);
  REQUIRE(t.at(t.b).links.back().second == link_state::down);
  REQUIRE(t.at(t.b).received.size() < 21);
}

TEST_CASE("what stalls behind a cut congests, too", "[sim][congestion]") {
  pair_of_hosts t;
  t.world.set_stream_limits({.queue_bytes_high = 4'000, .queue_bytes_low = 1'000, .queue_bytes_max = 20'000});
  t.open(t.a, 1, t.b);
  t.world.run_for(1s);
  t.world.cut(t.a, t.b);
  for (int i = 0; i < 10; ++i) t.say_on(t.a, 1, std::string(1'000, 'x'));
  t.world.run_for(1s);
  REQUIRE(t.at(t.a).links.back().second == link_state::congested);
  t.world.mend(t.a, t.b);
  t.world.run_for(1s);
  REQUIRE(t.at(t.a).links.back().second == link_state::writable);
  REQUIRE(t.at(t.b).received.size() == 10);
}

TEST_CASE("a frame longer than its limit ends the stream", "[sim]") {
  pair_of_hosts t;
  t.world.set_stream_limits({.frame_size_max = 10});
  t.open(t.a, 1, t.b);
  t.world.run_for(1s);
  t.say_on(t.a, 1, "0123456789");
  t.say_on(t.a, 1, "0123456789+");
  t.world.run_for(1s);
  REQUIRE(t.at(t.b).received.size() == 1);
  REQUIRE(t.at(t.a).links.back().second == link_state::down);
}

namespace {

/// Who hears whom among `hosts` hosts after `shape` was applied.
template <class Shape>
std::set<std::pair<sim::host, sim::host>> heard(sim::world& world, std::size_t hosts, Shape shape) {
  for (std::size_t i = 0; i < hosts; ++i) {
    world.add(address(static_cast<std::uint8_t>(i + 1)), std::make_unique<recorder>());
  }
  shape();
  for (sim::host from = 0; from < hosts; ++from) {
    world.call(from, [&](sim::program&, time_point, network_effects& out) {
      for (sim::host to = 0; to < hosts; ++to) {
        out.send(connection::datagram(world.at(to)), artillery::as_bytes(std::to_string(from)));
      }
    });
  }
  world.run_for(1s);
  std::set<std::pair<sim::host, sim::host>> pairs;
  for (sim::host to = 0; to < hosts; ++to) {
    for (const auto& from : dynamic_cast<recorder&>(*world.running(to)).received) pairs.emplace(std::stoul(from), to);
  }
  return pairs;
}

}  // namespace

TEST_CASE("two halves that share one host hear that one, and not each other", "[sim][partition]") {
  sim::world world{1};
  const auto pairs = heard(world, 5, [&] { world.partition({0, 1, 2}, 2); });
  for (sim::host other = 0; other < 5; ++other) {
    REQUIRE(pairs.contains({2, other}));
    REQUIRE(pairs.contains({other, 2}));
  }
  REQUIRE(pairs.contains({0, 1}));
  REQUIRE_FALSE(pairs.contains({0, 3}));
  REQUIRE_FALSE(pairs.contains({4, 1}));
}

TEST_CASE("an isolated host hears itself alone", "[sim][partition]") {
  sim::world world{1};
  const auto pairs = heard(world, 3, [&] { world.isolate(1); });
  REQUIRE(pairs == std::set<std::pair<sim::host, sim::host>>{{0, 0}, {0, 2}, {1, 1}, {2, 0}, {2, 2}});
}

TEST_CASE("a split draws its sides: the same for the same seed", "[sim][partition]") {
  std::set<std::vector<sim::host>> sides;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    sim::world one{seed};
    sim::world other{seed};
    std::vector<sim::host> side;
    const auto pairs = heard(one, 6, [&] { side = one.split(); });
    heard(other, 6, [&] { REQUIRE(other.split() == side); });
    const std::set<sim::host> inside{side.begin(), side.end()};
    for (sim::host from = 0; from < 6; ++from) {
      for (sim::host to = 0; to < 6; ++to) {
        REQUIRE(pairs.contains({from, to}) == (inside.contains(from) == inside.contains(to)));
      }
    }
    sides.insert(side);
  }
  REQUIRE(sides.size() > 10);
}

TEST_CASE("garbage of every kind arrives beside what was sent, which arrives whole", "[sim][garbage]") {
  pair_of_hosts t{3, {.garbage = 1000}};
  const std::string real = "a datagram that somebody sent";
  for (int i = 0; i < 200; ++i) t.say(t.a, t.b, real);
  t.world.run_for(1s);
  std::size_t whole = 0;
  std::size_t cut_short = 0;
  std::size_t flipped = 0;
  for (const std::string& each : t.at(t.b).received) {
    if (each == real) ++whole;
    if (each.size() < real.size() && real.starts_with(each)) ++cut_short;
    if (each.size() == real.size() && each != real && each.substr(0, 2) == real.substr(0, 2)) ++flipped;
  }
  REQUIRE(t.at(t.b).received.size() == 400);
  REQUIRE(t.world.counters().garbage == 200);
  REQUIRE(whole >= 200);
  REQUIRE(cut_short > 10);
  REQUIRE(flipped > 10);
}

TEST_CASE("garbage comes on streams only where it is asked for", "[sim][garbage]") {
  pair_of_hosts t{3, {.garbage = 1000}};
  t.open(t.a, 1, t.b);
  t.world.run_for(1s);
  t.say_on(t.a, 1, "real");
  t.world.run_for(1s);
  REQUIRE(t.at(t.b).received.size() == 1);
  t.world.set_faults({.stream_garbage = 1000});
  t.say_on(t.a, 1, "real");
  t.world.run_for(1s);
  REQUIRE(t.at(t.b).received.size() == 3);
}

TEST_CASE("anybody's bytes can be injected, as a datagram or on a stream", "[sim][garbage]") {
  pair_of_hosts t;
  t.open(t.a, 1, t.b);
  t.world.run_for(1s);
  const endpoint stranger = endpoint::v4(192, 0, 2, 9, 9);
  t.world.inject(t.b, connection::datagram(stranger), "from nowhere");
  t.world.inject(t.b, connection::stream(2), "on the accepted stream");
  t.world.inject(t.b, connection::stream(77), "on a stream that is not there");
  t.world.run_for(1s);
  REQUIRE(t.at(t.b).received == std::vector<std::string>{"from nowhere", "on the accepted stream"});
  REQUIRE(t.at(t.b).senders[0] == connection::datagram(stranger));
}

TEST_CASE("a fault that is switched on shifts no draw of the others", "[sim]") {
  const auto losses = [](const sim::link_faults& faults) {
    pair_of_hosts t{11, faults};
    std::vector<std::string> arrived;
    for (int i = 0; i < 200; ++i) t.say(t.a, t.b, "#" + std::to_string(i));
    t.world.run_for(120s);
    std::set<std::string> distinct{t.at(t.b).received.begin(), t.at(t.b).received.end()};
    return distinct;
  };
  const auto plain = losses({.loss = 300});
  REQUIRE(plain.size() < 180);
  REQUIRE(losses({.loss = 300, .duplication = 500, .reorder = 500}) == plain);
}
