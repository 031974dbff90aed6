#include "sim/view_swarm.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace artillery::sim {
namespace {

using namespace std::chrono_literals;

template <class T, std::size_t N>
T any_of_these(detail::random& random, const std::array<T, N>& choices) {
  return choices[static_cast<std::size_t>(random.below(N))];
}

duration up_to(detail::random& random, duration bound) {
  return duration{static_cast<duration::rep>(random.below(static_cast<std::uint64_t>(bound.count()) + 1))};
}

/// The chain's own draws, where they are those of a chain that stops for ever when a replica is gone.
void adapt_chain(chain_swarm& s, detail::random random) {
  s.replicas = any_of_these(random, std::array<std::size_t, 8>{1, 2, 2, 3, 3, 3, 3, 4});
  s.operations = any_of_these(random, std::array<std::uint32_t, 4>{60, 150, 200, 300});
  s.think_max = any_of_these(random, std::array<duration, 3>{2ms, 8ms, 20ms});
  s.fault_phase = any_of_these(random, std::array<duration, 3>{500ms, 1s, 2s});
  s.deadlines = 100;  // a named replica may be gone for good
  s.deadline_max = any_of_these(random, std::array<duration, 2>{500ms, 3s});
  s.lost_client.reset();
  for (replica_driving& driving : s.driving) {
    driving.lease.reset();
    driving.adopt_delay = duration{0};
    driving.asked_before = duration{0};
  }
  s.slow_ways.clear();
  s.client.retry_max = 50ms;
  replication::replica_config& replica = s.replica;
  replica.failed_after = any_of_these(random, std::array<duration, 3>{30ms, 100ms, 300ms});
  replica.silence_max = any_of_these(random, std::array<duration, 3>{60ms, 200ms, 1s});
  replica.authority_timeout = any_of_these(random, std::array<duration, 3>{5ms, 20ms, 100ms});
  replica.freeze_max = any_of_these(random, std::array<duration, 3>{2ms, 20ms, 200ms});
  replica.readmit_min = 20ms;
  replica.readmit_max = any_of_these(random, std::array<duration, 2>{40ms, 1s});
  replica.backlog_bytes_max = any_of_these(random, std::array<std::size_t, 3>{1, 5'000, 1'000'000});
  replica.replicas_wanted = s.replicas;
  replica.reconnect_max = 50ms;
  s.stream_timeout = any_of_these(random, std::array<duration, 2>{100ms, 1s});
}

void draw_authority(view_swarm& s, detail::random random) {
  s.lease = any_of_these(random, std::array<duration, 5>{1us, 4ms, 20ms, 60ms, 250ms});
  if (random.chance(1, 6)) s.leases = replication::lease_mode::none;
  s.authority.delay_max = any_of_these(random, std::array<duration, 4>{200us, 2ms, 10ms, 60ms});
  s.authority.lost = any_of_these(random, std::array<std::uint32_t, 4>{0, 0, 50, 300});
  s.authority.unknown = any_of_these(random, std::array<std::uint32_t, 3>{0, 100, 500});
  s.authority.fences = random.chance(2, 3);
  s.authority.tells_quiet = random.chance(1, 2);
  // Where no answer comes before the lease that it gives is over, strong reads wait in vain: not for long.
  const bool is_useless = s.leases == replication::lease_mode::timed && s.lease <= 2 * s.authority.delay_max;
  if (is_useless) s.chain.deadline_max = 200ms;
}

void draw_view_faults(view_swarm& s, detail::random random) {
  using kind = view_fault::kind;
  constexpr std::array<kind, 21> kinds{kind::crash_replica,      kind::crash_replica,     kind::crash_replica_midway,
                                       kind::power_off_replica,  kind::pause_replica,     kind::pause_replica,
                                       kind::pause_replica,      kind::isolate_replica,   kind::isolate_replica,
                                       kind::isolate_replica,    kind::say_failed,        kind::cut_from_authority,
                                       kind::mute_tail,          kind::mute_tail,         kind::fail_while_joining,
                                       kind::fail_while_joining, kind::silence_authority, kind::strand_frozen_tail,
                                       kind::strand_frozen_tail, kind::ask_change,        kind::ask_change};
  const std::uint64_t faults = random.between(1, 14);
  for (std::uint64_t i = 0; i < faults; ++i) {
    view_fault fault;
    fault.at = up_to(random, s.chain.fault_phase);
    fault.what = any_of_these(random, kinds);
    // Often just about as long as it takes to be given up and to outlast a lease.
    const duration bound = random.chance(1, 2) ? 2 * (s.lease + s.chain.replica.failed_after) : 800ms;
    fault.length = up_to(random, bound);
    fault.draw = random.next() >> 8U;
    s.faults.push_back(fault);
  }
  if (random.chance(1, 4)) s.stays_down = random.next() >> 8U;
}

/// Of half of the seeds: a register on voters behind the chain.
void draw_voters(view_swarm& s, detail::random random) {
  using kind = voted_manners::fault::kind;
  const bool is_voted = random.chance(1, 2);
  voted_manners v;
  v.voters = any_of_these(random, std::array<std::size_t, 5>{1, 3, 3, 3, 5});
  v.proposer.resend.first = any_of_these(random, std::array<duration, 3>{2ms, 10ms, 30ms});
  v.proposer.resend.limit = any_of_these(random, std::array<duration, 2>{50ms, 200ms});
  v.proposer.contention.first = any_of_these(random, std::array<duration, 2>{1ms, 5ms});
  v.proposer.contention.limit = any_of_these(random, std::array<duration, 2>{50ms, 200ms});
  v.proposer.patience = any_of_these(random, std::array<duration, 3>{50ms, 500ms, 3s});
  v.links.delay_mean = any_of_these(random, std::array<duration, 3>{100us, 1ms, 5ms});
  v.links.loss = any_of_these(random, std::array<std::uint32_t, 3>{0, 20, 200});
  v.links.duplication = any_of_these(random, std::array<std::uint32_t, 2>{0, 100});
  v.links.reorder = any_of_these(random, std::array<std::uint32_t, 2>{0, 100});
  v.links.reorder_delay = any_of_these(random, std::array<duration, 2>{5ms, 50ms});
  v.links.corruption = any_of_these(random, std::array<std::uint32_t, 3>{0, 0, 20});
  v.disks.delay_mean = any_of_these(random, std::array<duration, 3>{100us, 1ms, 5ms});
  v.disks.sync_failure = any_of_these(random, std::array<std::uint32_t, 3>{0, 0, 8});
  for (std::size_t i = 0; i < v.voters; ++i) {
    const std::uint64_t most = std::min<std::uint64_t>(s.chain.drift_ppm, 1000);
    v.clock_drift.push_back(static_cast<std::int32_t>(random.below(2 * most + 1)) - static_cast<std::int32_t>(most));
  }
  const std::uint64_t faults = random.below(6);
  for (std::uint64_t i = 0; i < faults; ++i) {
    voted_manners::fault fault;
    fault.at = up_to(random, s.chain.fault_phase);
    fault.what = any_of_these(random, std::array{kind::crash, kind::crash, kind::pause, kind::pause, kind::lose_disk});
    fault.length = up_to(random, 400ms);
    fault.draw = random.next() >> 8U;
    v.faults.push_back(fault);
  }
  const bool is_useless =
      s.leases == replication::lease_mode::timed && s.lease <= 4 * (v.links.delay_mean + v.disks.delay_mean);
  if (is_voted && is_useless) s.chain.deadline_max = 200ms;
  if (is_voted) s.voted = std::move(v);
}

/// Of some of the seeds with voters.
void draw_forcing(view_swarm& s, detail::random random) {
  const bool is_forced = random.chance(1, 6);
  forcing_manners f;
  f.is_mistaken = random.chance(1, 4);
  f.is_left_out = random.chance(1, 4);
  f.alone = s.chain.replica.failed_after + up_to(random, 100ms);
  const duration longest = any_of_these(random, std::array<duration, 2>{100ms, 2s});
  f.aftermath = up_to(random, longest);
  f.draw = random.next() >> 8U;
  if (is_forced && s.voted) s.forcing = f;
}

/// Of a quarter of the seeds, where nothing is forced: replicas with disks.
void draw_disks(view_swarm& s, detail::random random) {
  if (!random.chance(1, 4) || s.forcing) return;
  s.sync_takes_max = any_of_these(random, std::array<duration, 4>{0ms, 200us, 2ms, 20ms});
  const std::uint64_t cuts = random.below(4);
  for (std::uint64_t i = 0; i < cuts; ++i) {
    view_fault fault;
    fault.at = up_to(random, s.chain.fault_phase);
    fault.what = view_fault::kind::power_cut;
    fault.length = up_to(random, 2 * s.chain.replica.failed_after);
    fault.draw = random.next() >> 8U;
    s.faults.push_back(fault);
  }
}

/// Where sessions have tokens: writes that are seen, and lost.
void draw_lost_writes(view_swarm& s, detail::random random) {
  const std::uint64_t times = random.below(3);
  for (std::uint64_t i = 0; i < times && s.chain.tokens > 0; ++i) {
    const duration at = up_to(random, s.chain.fault_phase);
    s.faults.push_back({.at = at,
                        .what = view_fault::kind::strand_head,
                        .length = up_to(random, 2 * (s.lease + s.chain.replica.failed_after)),
                        .draw = 0});
  }
}

/// Without what the options exclude.
void spare_voters(voted_manners& v, const run_options& options) {
  using kind = voted_manners::fault::kind;
  if (!options.has(fault_family::loss)) v.links.loss = 0;
  if (!options.has(fault_family::duplication)) v.links.duplication = 0;
  if (!options.has(fault_family::reorder)) v.links.reorder = 0;
  if (!options.has(fault_family::corruption)) v.links.corruption = 0;
  if (!options.has(fault_family::disk)) v.disks.sync_failure = 0;
  if (!options.has(fault_family::clock)) std::fill(v.clock_drift.begin(), v.clock_drift.end(), 0);
  for (voted_manners::fault& fault : v.faults) {
    const fault_family family = fault.what == kind::pause       ? fault_family::pause
                                : fault.what == kind::lose_disk ? fault_family::disk
                                                                : fault_family::crash;
    if (!options.has(family)) fault.what = kind::none;
  }
}

std::optional<fault_family> family_of_view_fault(view_fault::kind what) noexcept {
  using kind = view_fault::kind;
  switch (what) {
    case kind::crash_replica:
    case kind::crash_replica_midway:
    case kind::power_cut:
    case kind::power_off_replica: return fault_family::crash;
    case kind::pause_replica: return fault_family::pause;
    case kind::isolate_replica: return fault_family::partition;
    case kind::fail_while_joining: return fault_family::partition;
    case kind::strand_head:
    case kind::mute_tail:
    case kind::silence_authority:
    case kind::strand_frozen_tail:
    case kind::cut_from_authority: return fault_family::one_way;
    case kind::none:
    case kind::say_failed:
    case kind::ask_change: return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

endpoint host_endpoint(std::size_t index) {
  return endpoint::v4(10, 0, 0, static_cast<std::uint8_t>(index), 7000);
}

replication::view genesis_of(const view_swarm& s) {
  replication::view v;
  v.chain = 1;
  v.epoch = 1;
  v.drift_ppm = s.chain.drift_ppm;
  v.reads = s.chain.reads;
  v.leases = s.leases;
  if (v.leases == replication::lease_mode::timed) v.lease = s.lease;
  for (std::size_t i = 0; i < s.chain.replicas; ++i) {
    v.replicas.push_back({{{1, i + 1}, 1}, host_endpoint(i)});
    v.readers.push_back(v.replicas.back().id);
  }
  return v;
}

view_swarm draw_view_swarm(std::uint64_t seed, const run_options& options) {
  const detail::random streams = detail::random{seed}.fork("view swarm");
  view_swarm s;
  s.chain = draw_swarm(seed, options);
  detail::random families = streams.fork("families");
  for (const fault_family family :
       {fault_family::crash, fault_family::pause, fault_family::partition, fault_family::one_way}) {
    const bool exists = families.chance(3, 4);
    if (exists && options.has(family)) s.chain.families |= 1U << static_cast<unsigned>(family);
  }
  adapt_chain(s.chain, streams.fork("chain"));
  if (options.nodes) s.chain.replicas = std::clamp<std::size_t>(*options.nodes, 1, chain_swarm::replicas_max - 2);
  if (options.time) s.chain.fault_phase = *options.time;
  detail::random sizes = streams.fork("sizes");
  s.spares = static_cast<std::size_t>(sizes.below(3));
  draw_authority(s, streams.fork("authority"));
  draw_view_faults(s, streams.fork("faults"));
  draw_voters(s, streams.fork("voters"));
  draw_forcing(s, streams.fork("forcing"));
  if (!options.has(fault_family::crash)) s.forcing.reset();
  draw_disks(s, streams.fork("disks"));
  draw_lost_writes(s, streams.fork("lost writes"));
  if (s.voted) spare_voters(*s.voted, options);
  for (view_fault& fault : s.faults) {
    const auto family = family_of_view_fault(fault.what);
    if (fault.at >= s.chain.fault_phase || (family && !s.chain.has(*family))) fault.what = view_fault::kind::none;
  }
  using kind = fault_event::kind;
  for (fault_event& fault : s.chain.fault_events) {
    // Crashes of replicas have a list of their own here, and the phase may be another.
    const bool is_crash = fault.what == kind::crash_replica || fault.what == kind::crash_replica_midway ||
                          fault.what == kind::crash_replica_and_restart;
    if (is_crash || fault.at >= s.chain.fault_phase) fault.what = kind::none;
  }
  return s;
}

}  // namespace artillery::sim
