#include "sim/chain_swarm.hpp"

#include <algorithm>
#include <array>
#include <chrono>

namespace artillery::sim {
namespace {

using namespace std::chrono_literals;

template <class T, std::size_t N>
T one_of(detail::random& random, const std::array<T, N>& choices) {
  return choices[static_cast<std::size_t>(random.below(N))];
}

void draw_sizes(chain_swarm& s, detail::random& random) {
  s.replicas = one_of<std::size_t>(random, std::array<std::size_t, 6>{1, 2, 3, 3, 3, 4});
  s.clients = static_cast<std::uint32_t>(random.between(1, 3));
  s.keys = random.between(1, 4);
  s.operations = static_cast<std::uint32_t>(random.between(8, 40));
  s.depth = static_cast<std::uint32_t>(random.between(1, 5));
  s.think_max = one_of(random, std::array<duration, 3>{400us, 2ms, 20ms});
  s.writes = random.between(20, 80);
  s.erases = random.between(0, 40);
  s.conditions = random.between(0, 60);
  s.weak_reads = random.chance(1, 3) ? 0 : random.between(10, 70);
  s.deadlines = random.chance(1, 2) ? 0 : random.between(5, 60);
  s.value_max = one_of(random, std::array<std::uint64_t, 3>{8, 100, 3000});
  if (random.chance(1, 10)) s.reads = replication::read_mode::tail_only;
}

void draw_limits(chain_swarm& s, detail::random& random) {
  s.client.writes_in_flight_max = one_of(random, std::array<std::size_t, 3>{1, 3, 64});
  s.client.reads_in_flight_max = one_of(random, std::array<std::size_t, 3>{1, 3, 64});
  s.client.attempt_timeout = one_of(random, std::array<duration, 3>{20ms, 100ms, 500ms});
  s.client.silence_max = one_of(random, std::array<duration, 2>{200ms, 1s});
  s.client.reconnect_min = 5ms;
  s.client.reconnect_max = 100ms;
  const std::size_t room = one_of(random, std::array<std::size_t, 2>{0, 200});
  s.replica.results_per_session_max = s.client.writes_in_flight_max + room;
  s.replica.window_bytes_max = one_of(random, std::array<std::size_t, 3>{300, 3000, 1'000'000});
  s.replica.link_bytes_max = one_of(random, std::array<std::size_t, 3>{1, 1000, 1'000'000});
  s.replica.append_bytes_max = one_of(random, std::array<std::size_t, 3>{1, 1000, 100'000});
  s.replica.waiting_reads_max = one_of(random, std::array<std::size_t, 2>{1, 1000});
  const std::size_t spare = one_of(random, std::array<std::size_t, 3>{0, 1, 60});
  s.replica.sessions_max = s.clients + spare;
  s.replica.silence_max = one_of(random, std::array<duration, 2>{200ms, 1s});
  s.replica.stopped_after = 500ms;
  s.replica.reconnect_min = one_of(random, std::array<duration, 2>{300us, 5ms});
  s.replica.reconnect_max = 100ms;
  s.driving.flush_delay = one_of(random, std::array<duration, 3>{0us, 50us, 400us});
  s.driving.direct_reads = one_of(random, std::array<std::uint32_t, 3>{0, 300, 1000});
  s.driving.step_pause_max = one_of(random, std::array<duration, 3>{0us, 300us, 20ms});
}

void draw_faults(chain_swarm& s, detail::random& random) {
  s.faults.delay_min = one_of(random, std::array<duration, 2>{20us, 100us});
  s.faults.delay_mean = one_of(random, std::array<duration, 3>{50us, 400us, 3ms});
  if (random.chance(1, 2)) s.faults.stream_reset = one_of(random, std::array<std::uint32_t, 3>{2, 10, 40});
  s.slow = s.faults;
  s.slow.delay_min = one_of(random, std::array<duration, 3>{1ms, 4ms, 15ms});
  s.slow.stream_reset = 0;
  const std::uint64_t slow_ways = random.chance(1, 2) ? 0 : random.between(1, 3);
  for (std::uint64_t i = 0; i < slow_ways; ++i) {
    const auto from = static_cast<host>(random.below(s.replicas + s.clients));
    const auto to = static_cast<host>(random.below(s.replicas + s.clients));
    if (from != to) s.slow_ways.emplace_back(from, to);
  }
  s.stream_timeout = one_of(random, std::array<duration, 2>{300ms, 2s});
  s.fault_phase = one_of(random, std::array<duration, 3>{50ms, 300ms, 2s});

  using kind = fault_event::kind;
  std::vector<kind> families;
  if (random.chance(1, 2)) families.insert(families.end(), {kind::isolate, kind::cut_one_way, kind::heal, kind::heal});
  if (random.chance(1, 2)) families.insert(families.end(), {kind::pause, kind::resume, kind::resume});
  if (random.chance(1, 3)) families.push_back(kind::crash_client);
  const auto fault_at = [&] {
    return duration{static_cast<duration::rep>(random.below(static_cast<std::uint64_t>(s.fault_phase.count())))};
  };
  const std::uint64_t faults = families.empty() ? 0 : random.below(9);
  for (std::uint64_t i = 0; i < faults; ++i) {
    const duration when = fault_at();
    const kind what = families[static_cast<std::size_t>(random.below(families.size()))];
    s.fault_events.push_back({when, what, random.next() >> 8U});
  }
  if (random.chance(1, 6)) {
    const duration when = fault_at();
    s.fault_events.push_back({when, kind::crash_replica, random.next() >> 8U});
  }
}

/// One object that everybody wants, on a quick network with one slow way to or from the tail: what it takes to see the
/// difference between an answer that is new enough and one that is not.
void draw_crowd(chain_swarm& s, detail::random& random) {
  s.replicas = 3;
  s.clients = 3;
  s.keys = 1;
  s.operations = 40;
  s.depth = 5;
  s.think_max = 400us;
  s.writes = random.between(20, 50);
  s.weak_reads = 0;
  s.reads = replication::read_mode::apportioned;
  s.client.writes_in_flight_max = 64;
  s.client.reads_in_flight_max = 64;
  s.replica.results_per_session_max = 64;
  s.replica.waiting_reads_max = 1000;
  s.replica.sessions_max = 64;
  s.faults.delay_min = 20us;
  s.faults.delay_mean = 50us;
  s.slow.delay_mean = one_of(random, std::array<duration, 2>{50us, 3ms});
  const host tail = 2;
  const auto other = static_cast<host>(random.below(2));
  s.slow_ways = {random.chance(3, 4) ? std::pair{tail, other} : std::pair{other, tail}};
}

}  // namespace

chain_swarm draw_swarm(detail::random& random) {
  chain_swarm s;
  draw_sizes(s, random);
  draw_limits(s, random);
  draw_faults(s, random);
  if (random.chance(1, 5)) draw_crowd(s, random);
  return s;
}

}  // namespace artillery::sim
