#include "sim/chain_swarm.hpp"

#include <algorithm>
#include <chrono>
#include <string>

#include "sim/chain_stranger.hpp"

namespace artillery::sim {
namespace {

using namespace std::chrono_literals;

template <class T, std::size_t N>
T one_of(detail::random& random, const std::array<T, N>& choices) {
  return choices[static_cast<std::size_t>(random.below(N))];
}

duration below(detail::random& random, duration bound) {
  return duration{static_cast<duration::rep>(random.below(static_cast<std::uint64_t>(bound.count())))};
}

void draw_families(chain_swarm& s, detail::random random) {
  constexpr std::array<std::pair<fault_family, std::uint64_t>, 11> per_cent{{{fault_family::reset, 50},
                                                                             {fault_family::congestion, 25},
                                                                             {fault_family::clog, 30},
                                                                             {fault_family::slow_link, 50},
                                                                             {fault_family::partition, 40},
                                                                             {fault_family::one_way, 40},
                                                                             {fault_family::pause, 50},
                                                                             {fault_family::crash, 35},
                                                                             {fault_family::restart, 60},
                                                                             {fault_family::clock, 40},
                                                                             {fault_family::garbage, 30}}};
  for (const auto& [family, chance] : per_cent) {
    if (random.chance(chance, 100)) s.families |= 1U << static_cast<unsigned>(family);
  }
  if (random.chance(1, 12)) s.families = 0;
}

void draw_sizes(chain_swarm& s, detail::random random) {
  s.replicas = one_of<std::size_t>(random, std::array<std::size_t, 7>{1, 2, 3, 3, 3, 4, 5});
  s.clients = static_cast<std::uint32_t>(random.between(1, 3));
  s.readers = one_of(random, std::array<std::uint32_t, 4>{0, 1, 1, 2});
  s.keys = random.between(1, 4);
  s.operations = one_of(random, std::array<std::uint32_t, 8>{2, 20, 60, 100, 150, 150, 200, 300});
  s.depth = static_cast<std::uint32_t>(random.between(1, 5));
  s.batch = one_of(random, std::array<std::uint32_t, 3>{1, 1, 4});
  s.think_max = one_of(random, std::array<duration, 3>{400us, 2ms, 20ms});
}

void draw_mix(chain_swarm& s, detail::random random) {
  s.writes = random.between(20, 80);
  s.erases = random.between(0, 40);
  s.conditions = random.between(0, 60);
  s.weak_reads = random.chance(1, 3) ? 0 : random.between(10, 70);
  s.tries = random.between(0, 100);
  s.cancels = random.chance(1, 2) ? 0 : random.between(5, 50);
  s.deadlines = random.chance(1, 2) ? 0 : random.between(5, 60);
  s.value_max = one_of(random, std::array<std::uint64_t, 3>{8, 100, 3000});
  if (random.chance(1, 10)) s.reads = replication::read_mode::tail_only;
  s.drift_ppm = one_of(random, std::array<std::uint32_t, 3>{500, 500, 200'000});
}

void draw_limits(chain_swarm& s, detail::random random) {
  s.client.writes_in_flight_max = one_of(random, std::array<std::size_t, 3>{1, 3, 64});
  s.client.write_bytes_in_flight_max = one_of(random, std::array<std::size_t, 3>{1, 2000, 1'000'000});
  s.client.reads_in_flight_max = one_of(random, std::array<std::size_t, 3>{1, 3, 64});
  s.client.attempt_timeout = one_of(random, std::array<duration, 3>{20ms, 100ms, 500ms});
  s.client.silence_max = one_of(random, std::array<duration, 2>{200ms, 1s});
  s.client.reconnect_min = 5ms;
  s.client.reconnect_max = 100ms;
  const std::size_t room = one_of(random, std::array<std::size_t, 2>{0, 200});
  s.replica.results_per_session_max = s.client.writes_in_flight_max + room;
  s.replica.window_bytes_max = one_of(random, std::array<std::size_t, 4>{1, 300, 3000, 1'000'000});
  s.replica.link_bytes_max = one_of(random, std::array<std::size_t, 3>{1, 1000, 1'000'000});
  s.replica.append_bytes_max = one_of(random, std::array<std::size_t, 3>{1, 1000, 100'000});
  s.replica.answer_bytes_max = one_of(random, std::array<std::size_t, 2>{1, 1'000'000});
  s.replica.waiting_reads_max = one_of(random, std::array<std::size_t, 2>{1, 1000});
  const std::size_t spare = one_of(random, std::array<std::size_t, 3>{0, 1, 60});
  // With fewer sessions than clients they end each other's.
  const std::size_t few = random.chance(1, 4) ? 1 : 0;
  s.replica.sessions_max = std::max<std::size_t>(1, s.clients + spare - few);
  s.replica.clients_max = s.clients + 1 + spare;
  s.replica.silence_max = one_of(random, std::array<duration, 2>{200ms, 1s});
  s.replica.client_silence_max = one_of(random, std::array<duration, 2>{200ms, 3s});
  s.replica.stopped_after = 500ms;
  s.replica.reconnect_min = one_of(random, std::array<duration, 2>{300us, 5ms});
  s.replica.reconnect_max = 100ms;
}

void draw_driving(chain_swarm& s, detail::random random) {
  replica_driving common;
  common.flush_delay = one_of(random, std::array<duration, 3>{0us, 50us, 400us});
  common.read_pause_max = one_of(random, std::array<duration, 3>{0us, 300us, 20ms});
  common.step_takes_max = one_of(random, std::array<duration, 3>{0us, 100us, 30ms});
  const bool late_views = random.chance(1, 4);
  const bool leases_end = random.chance(1, 6);
  // No clock of the world is off by more than 1,000 millionths.
  const std::uint64_t drift_max = std::min<std::uint64_t>(s.drift_ppm, 1000);
  for (std::int32_t& drift : s.clock_drift) {
    drift = static_cast<std::int32_t>(random.below(2 * drift_max + 1)) - static_cast<std::int32_t>(drift_max);
  }
  for (replica_driving& driving : s.driving) {
    driving = common;
    const duration late = below(random, 100ms);
    const duration lease = 1ms + below(random, 400ms);
    const duration asked_before = below(random, 20ms);
    const bool ends = random.chance(1, 2);
    if (late_views) driving.adopt_delay = late;
    driving.asked_before = asked_before;
    if (leases_end && ends) driving.lease = lease;
  }
}

void draw_network(chain_swarm& s, detail::random random) {
  s.faults.delay_min = one_of(random, std::array<duration, 2>{20us, 100us});
  s.faults.delay_mean = one_of(random, std::array<duration, 3>{50us, 400us, 3ms});
  s.slow = s.faults;
  s.slow.delay_min = one_of(random, std::array<duration, 3>{1ms, 4ms, 15ms});
  s.faults.stream_bytes_per_ms = one_of(random, std::array<std::uint64_t, 3>{100, 1000, 10'000});
  s.streams.queue_bytes_high = one_of(random, std::array<std::size_t, 3>{1, 1000, 100'000});
  s.streams.queue_bytes_low = s.streams.queue_bytes_high / 4;
  s.faults.stream_reset = one_of(random, std::array<std::uint32_t, 3>{2, 10, 40});
  const std::uint64_t slow_ways = random.between(1, 3);
  for (std::uint64_t i = 0; i < slow_ways; ++i) {
    const auto from = static_cast<host>(random.below(s.replicas + s.clients));
    const auto to = static_cast<host>(random.below(s.replicas + s.clients));
    if (from != to) s.slow_ways.emplace_back(from, to);
  }
  s.stream_timeout = one_of(random, std::array<duration, 2>{300ms, 2s});
  s.fault_phase = one_of(random, std::array<duration, 3>{50ms, 300ms, 2s});
}

/// Nothing for what is no fault.
std::optional<fault_family> family_of(fault_event::kind what) noexcept {
  using kind = fault_event::kind;
  switch (what) {
    case kind::none:
    case kind::hint: return std::nullopt;
    case kind::suspend: return fault_family::clock;
    case kind::clog: return fault_family::clog;
    case kind::pester: return fault_family::garbage;
    case kind::cut_one_way: return fault_family::one_way;
    case kind::isolate:
    case kind::split:
    case kind::bridge:
    case kind::heal: return fault_family::partition;
    case kind::pause:
    case kind::resume: return fault_family::pause;
    case kind::crash_client:
    case kind::crash_client_midway:
    case kind::crash_replica:
    case kind::crash_replica_midway: return fault_family::crash;
    case kind::crash_replica_and_restart: return fault_family::restart;
  }
  return std::nullopt;
}

void draw_fault_events(chain_swarm& s, detail::random random) {
  using kind = fault_event::kind;
  // Crashes of replicas stop the chain, so they are rare.
  constexpr std::array<kind, 26> all{kind::suspend,
                                     kind::suspend,
                                     kind::clog,
                                     kind::clog,
                                     kind::cut_one_way,
                                     kind::cut_one_way,
                                     kind::isolate,
                                     kind::split,
                                     kind::bridge,
                                     kind::heal,
                                     kind::heal,
                                     kind::pause,
                                     kind::pause,
                                     kind::pause,
                                     kind::resume,
                                     kind::resume,
                                     kind::hint,
                                     kind::hint,
                                     kind::crash_client,
                                     kind::crash_client,
                                     kind::crash_client_midway,
                                     kind::crash_client_midway,
                                     kind::pester,
                                     kind::pester,
                                     kind::pester,
                                     kind::hint};
  constexpr std::array<kind, 3> replica_ends{kind::crash_replica, kind::crash_replica_midway,
                                             kind::crash_replica_and_restart};
  const auto fault_at = [&] { return below(random, s.fault_phase); };
  const std::uint64_t faults = random.below(24);
  for (std::uint64_t i = 0; i < faults; ++i) {
    const duration when = fault_at();
    const kind what = one_of(random, all);
    s.fault_events.push_back({when, what, random.next() >> 8U});
  }
  const auto lost = static_cast<std::uint32_t>(random.below(s.clients));
  if (random.chance(1, 4) && s.clients > 1) s.lost_client = lost;
  const std::uint64_t replica_crashes = random.chance(1, 3) ? random.between(1, 3) : 0;
  for (std::uint64_t i = 0; i < replica_crashes; ++i) {
    const duration when = fault_at();
    const kind what = one_of(random, replica_ends);
    s.fault_events.push_back({when, what, random.next() >> 8U});
  }
}

/// One object that everybody wants, on a quick network with one slow way to or from the tail: what it takes to see the
/// difference between an answer that is new enough and one that is not.
void draw_crowd(chain_swarm& s, detail::random random) {
  if (!random.chance(1, 5)) return;
  s.families |= 1U << static_cast<unsigned>(fault_family::slow_link);
  s.replicas = 3;
  s.clients = 3;
  s.keys = 1;
  s.operations = 280;
  s.depth = 5;
  s.think_max = 400us;
  s.writes = random.between(20, 50);
  s.weak_reads = 0;
  s.reads = replication::read_mode::apportioned;
  s.client.writes_in_flight_max = 64;
  s.client.write_bytes_in_flight_max = 1'000'000;
  s.client.reads_in_flight_max = 64;
  s.replica.results_per_session_max = 64;
  s.replica.waiting_reads_max = 1000;
  s.replica.sessions_max = 64;
  s.replica.clients_max = 64;
  s.faults.delay_min = 20us;
  s.faults.delay_mean = 50us;
  s.slow.delay_mean = one_of(random, std::array<duration, 2>{50us, 3ms});
  const host tail = 2;
  const auto other = static_cast<host>(random.below(2));
  s.slow_ways = {random.chance(3, 4) ? std::pair{tail, other} : std::pair{other, tail}};
}

/// Leaves out what the options and the seed's own families exclude.
void restrict(chain_swarm& s, const run_options& options) {
  s.families &= options.families;
  if (!s.has(fault_family::reset)) s.faults.stream_reset = 0;
  if (!s.has(fault_family::congestion)) s.faults.stream_bytes_per_ms = 0;
  if (!s.has(fault_family::slow_link)) s.slow_ways.clear();
  if (!s.has(fault_family::clock)) {
    s.clock_drift.fill(0);
    for (replica_driving& driving : s.driving) {
      driving.step_takes_max = duration{0};
      driving.lease.reset();
    }
  }
  if (options.nodes) s.replicas = std::clamp<std::size_t>(*options.nodes, 1, chain_swarm::replicas_max);
  std::erase_if(s.slow_ways,
                [&](const auto& way) { return std::max(way.first, way.second) >= s.replicas + s.clients; });
  // Without its lease the tail answers nobody, and only a deadline ends a read.
  if (s.driving[s.replicas - 1].lease) {
    s.deadlines = 100;
    s.deadline_max = 200ms;
  }
  if (options.time) s.fault_phase = *options.time;
  if (!s.has(fault_family::partition)) s.lost_client.reset();
  if (s.has(fault_family::garbage)) s.replica.clients_max += stranger_program::streams_max;
  for (fault_event& fault : s.fault_events) {
    const auto family = family_of(fault.what);
    if (fault.at >= s.fault_phase || (family && !s.has(*family))) fault.what = fault_event::kind::none;
  }
}

void draw_tokens(chain_swarm& s, detail::random random) {
  if (random.chance(1, 3)) s.tokens = random.between(10, 100);
}

}  // namespace

bool chain_swarm::a_lease_ends() const noexcept {
  return std::any_of(driving.begin(), driving.begin() + static_cast<std::ptrdiff_t>(replicas),
                     [](const replica_driving& each) { return each.lease.has_value(); });
}

chain_swarm draw_swarm(std::uint64_t seed, const run_options& options) {
  const detail::random streams = detail::random{seed}.fork("chain swarm");
  chain_swarm s;
  draw_families(s, streams.fork("families"));
  draw_sizes(s, streams.fork("sizes"));
  draw_mix(s, streams.fork("mix"));
  draw_limits(s, streams.fork("limits"));
  draw_driving(s, streams.fork("driving"));
  draw_network(s, streams.fork("network"));
  draw_fault_events(s, streams.fork("fault events"));
  draw_crowd(s, streams.fork("crowd"));
  draw_tokens(s, streams.fork("tokens"));
  restrict(s, options);
  return s;
}

}  // namespace artillery::sim
