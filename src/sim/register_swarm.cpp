#include "sim/register_swarm.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace artillery::sim {
namespace {

using namespace std::chrono_literals;

template <class T, std::size_t N>
T any_choice(detail::random& random, const std::array<T, N>& choices) {
  return choices[static_cast<std::size_t>(random.below(N))];
}

void draw_register_families(register_swarm& s, detail::random random) {
  constexpr std::array<std::pair<fault_family, std::uint64_t>, 11> per_cent{{{fault_family::loss, 50},
                                                                             {fault_family::duplication, 50},
                                                                             {fault_family::reorder, 50},
                                                                             {fault_family::corruption, 25},
                                                                             {fault_family::partition, 50},
                                                                             {fault_family::one_way, 40},
                                                                             {fault_family::crash, 60},
                                                                             {fault_family::restart, 50},
                                                                             {fault_family::pause, 50},
                                                                             {fault_family::clock, 50},
                                                                             {fault_family::disk, 30}}};
  for (const auto& [family, chance] : per_cent) {
    if (random.chance(chance, 100)) s.families |= 1U << static_cast<unsigned>(family);
  }
  if (random.chance(1, 12)) s.families = 0;
}

void draw_register_sizes(register_swarm& s, detail::random random) {
  s.voters = any_choice(random, std::array<std::size_t, 8>{1, 2, 3, 3, 3, 3, 4, 5});
  s.members = static_cast<std::size_t>(random.between(1, register_swarm::members_max));
  s.founders = static_cast<std::size_t>(random.between(1, s.members));
  s.has_other_founder = random.chance(1, 12);
  for (std::size_t i = 0; i < s.members; ++i) {
    const bool is_in = random.chance(3, 4);
    if (is_in) s.first.push_back(i);
  }
  if (s.first.empty()) s.first.push_back(0);
  s.lease = any_choice(random, std::array<duration, 4>{1ms, 20ms, 100ms, 400ms});
  s.drift_ppm = any_choice(random, std::array<std::uint32_t, 3>{500, 1000, 200'000});
}

void draw_members(register_swarm& s, detail::random random) {
  s.proposer.resend.first = any_choice(random, std::array<duration, 3>{2ms, 10ms, 50ms});
  s.proposer.resend.limit = any_choice(random, std::array<duration, 2>{50ms, 200ms});
  s.proposer.contention.first = any_choice(random, std::array<duration, 3>{1ms, 5ms, 20ms});
  s.proposer.contention.limit = any_choice(random, std::array<duration, 2>{50ms, 500ms});
  s.proposer.patience = any_choice(random, std::array<duration, 3>{30ms, 300ms, 3s});
  const duration pace = any_choice(random, std::array<duration, 3>{3ms, 15ms, 60ms});
  const std::uint64_t swaps = random.between(10, 90);
  const std::uint64_t forgets = random.chance(1, 2) ? 0 : random.between(5, 40);
  for (std::size_t i = 0; i < register_swarm::members_max; ++i) {
    member_driving one;
    const bool is_slow = random.chance(1, 3);
    one.pace_max = is_slow ? 5 * pace : pace;
    one.swaps = swaps;
    one.forgets = forgets;
    one.asks_for_early_end = random.chance(3, 4);
    s.driving.push_back(one);
  }
}

void draw_register_network(register_swarm& s, detail::random random) {
  s.faults.delay_min = any_choice(random, std::array<duration, 2>{20us, 200us});
  s.faults.delay_mean = any_choice(random, std::array<duration, 3>{100us, 1ms, 10ms});
  s.faults.loss = static_cast<std::uint32_t>(random.between(10, 400));
  s.faults.duplication = static_cast<std::uint32_t>(random.between(10, 300));
  s.faults.reorder = static_cast<std::uint32_t>(random.between(10, 500));
  s.faults.reorder_delay = any_choice(random, std::array<duration, 3>{5ms, 50ms, 500ms});
  s.faults.corruption = static_cast<std::uint32_t>(random.between(5, 100));
  s.disks.delay_mean = any_choice(random, std::array<duration, 3>{100us, 1ms, 15ms});
  s.disks.sync_failure = static_cast<std::uint32_t>(random.below(10));
  s.disks.short_write = static_cast<std::uint32_t>(random.below(10));
  s.disks.bit_rot = random.chance(1, 3) ? static_cast<std::uint32_t>(random.below(10)) : 0;
  for (std::size_t i = 0; i < 5 + register_swarm::members_max; ++i) {
    const std::uint64_t most = std::min<std::uint64_t>(s.drift_ppm, 1000);
    s.clock_drift.push_back(static_cast<std::int32_t>(random.below(2 * most + 1)) - static_cast<std::int32_t>(most));
  }
  s.calm = random.chance(4, 5) ? 20 * (s.faults.delay_mean + s.disks.delay_mean) + 100ms : duration{0};
  s.fault_phase = any_choice(random, std::array<duration, 3>{300ms, 1s, 3s});
}

std::optional<fault_family> family_of_fault(register_fault_kind what) noexcept {
  switch (what) {
    case register_fault_kind::none: return std::nullopt;
    case register_fault_kind::cut_one_way: return fault_family::one_way;
    case register_fault_kind::isolate:
    case register_fault_kind::split:
    case register_fault_kind::bridge:
    case register_fault_kind::heal: return fault_family::partition;
    case register_fault_kind::pause:
    case register_fault_kind::resume: return fault_family::pause;
    case register_fault_kind::suspend: return fault_family::clock;
    case register_fault_kind::crash_voter:
    case register_fault_kind::crash_voter_midway:
    case register_fault_kind::crash_all_voters: return fault_family::crash;
    case register_fault_kind::lose_disk: return fault_family::disk;
    case register_fault_kind::crash_member: return fault_family::restart;
  }
  return std::nullopt;
}

void draw_register_faults(register_swarm& s, detail::random random) {
  constexpr std::array<register_fault_kind, 26> all{register_fault_kind::cut_one_way,
                                                    register_fault_kind::cut_one_way,
                                                    register_fault_kind::isolate,
                                                    register_fault_kind::isolate,
                                                    register_fault_kind::split,
                                                    register_fault_kind::split,
                                                    register_fault_kind::bridge,
                                                    register_fault_kind::heal,
                                                    register_fault_kind::heal,
                                                    register_fault_kind::heal,
                                                    register_fault_kind::pause,
                                                    register_fault_kind::pause,
                                                    register_fault_kind::resume,
                                                    register_fault_kind::resume,
                                                    register_fault_kind::suspend,
                                                    register_fault_kind::suspend,
                                                    register_fault_kind::crash_voter,
                                                    register_fault_kind::crash_voter,
                                                    register_fault_kind::crash_voter,
                                                    register_fault_kind::crash_voter_midway,
                                                    register_fault_kind::crash_voter_midway,
                                                    register_fault_kind::crash_all_voters,
                                                    register_fault_kind::crash_all_voters,
                                                    register_fault_kind::crash_member,
                                                    register_fault_kind::crash_member,
                                                    register_fault_kind::lose_disk};
  const std::uint64_t count = random.below(40);
  for (std::uint64_t i = 0; i < count; ++i) {
    register_fault one;
    one.at = duration{static_cast<duration::rep>(random.below(static_cast<std::uint64_t>(s.fault_phase.count())))};
    one.what = any_choice(random, all);
    one.draw = random.next() >> 8U;
    s.fault_events.push_back(one);
  }
}

void leave_out(register_swarm& s, const run_options& options) {
  s.families &= options.families;
  if (options.nodes) {
    s.members = std::clamp<std::size_t>(*options.nodes, 1, register_swarm::members_max);
    s.founders = std::min(s.founders, s.members);
    std::erase_if(s.first, [&s](std::size_t i) { return i >= s.members; });
    if (s.first.empty()) s.first.push_back(0);
  }
  if (options.time) s.fault_phase = *options.time;
  if (!s.has(fault_family::loss)) s.faults.loss = 0;
  if (!s.has(fault_family::duplication)) s.faults.duplication = 0;
  if (!s.has(fault_family::reorder)) s.faults.reorder = 0;
  if (!s.has(fault_family::corruption)) s.faults.corruption = 0;
  if (!s.has(fault_family::disk)) s.disks = {.delay_mean = s.disks.delay_mean};
  if (!s.has(fault_family::clock)) std::fill(s.clock_drift.begin(), s.clock_drift.end(), 0);
  for (std::size_t number = 0; number < s.fault_events.size(); ++number) {
    register_fault& one = s.fault_events[number];
    const auto family = family_of_fault(one.what);
    const bool is_left_out = std::binary_search(options.without.begin(), options.without.end(), number);
    if (is_left_out || one.at >= s.fault_phase || (family && !s.has(*family))) one.what = register_fault_kind::none;
  }
}

}  // namespace

std::string_view to_string(register_fault_kind what) noexcept {
  switch (what) {
    case register_fault_kind::none: return "nothing";
    case register_fault_kind::cut_one_way: return "cut one way";
    case register_fault_kind::isolate: return "isolate";
    case register_fault_kind::split: return "split";
    case register_fault_kind::bridge: return "bridge";
    case register_fault_kind::heal: return "heal";
    case register_fault_kind::pause: return "pause";
    case register_fault_kind::resume: return "resume";
    case register_fault_kind::suspend: return "suspend";
    case register_fault_kind::crash_voter: return "crash a voter";
    case register_fault_kind::crash_voter_midway: return "crash a voter midway";
    case register_fault_kind::crash_all_voters: return "crash all voters";
    case register_fault_kind::lose_disk: return "lose a disk";
    case register_fault_kind::crash_member: return "crash a member";
  }
  return "nothing";
}

register_swarm register_swarm_of(std::uint64_t seed, const run_options& options) {
  const detail::random random = detail::random{seed}.fork("register plan");
  register_swarm s;
  draw_register_families(s, random.fork("families"));
  draw_register_sizes(s, random.fork("sizes"));
  draw_members(s, random.fork("members"));
  draw_register_network(s, random.fork("network"));
  draw_register_faults(s, random.fork("faults"));
  // A question outlives a few slow round trips.
  s.proposer.patience = std::max(s.proposer.patience, 40 * (s.faults.delay_mean + s.disks.delay_mean));
  leave_out(s, options);
  return s;
}

}  // namespace artillery::sim
