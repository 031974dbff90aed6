#include "sim/membership_swarm.hpp"

#include <algorithm>
#include <array>

namespace artillery::sim {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t nodes_least = 3;
constexpr std::size_t nodes_most = 64;

constexpr std::uint64_t replayed_most = 6;

/// No clock is off by more, in millionths: what quartz does, and what replication allows for.
constexpr std::uint64_t drift_max = 500;

/// How likely a family is in a seed, in sixteenths.
struct likelihood {
  fault_family family;
  std::uint32_t sixteenths;
};
constexpr std::array likelihoods{likelihood{fault_family::loss, 8},      likelihood{fault_family::duplication, 5},
                                 likelihood{fault_family::reorder, 5},   likelihood{fault_family::corruption, 4},
                                 likelihood{fault_family::garbage, 5},   likelihood{fault_family::reset, 4},
                                 likelihood{fault_family::slow_link, 2}, likelihood{fault_family::partition, 5},
                                 likelihood{fault_family::one_way, 4},   likelihood{fault_family::crash, 8},
                                 likelihood{fault_family::restart, 10},  likelihood{fault_family::pause, 5}};

constexpr std::array likelihoods_of_clocks_and_ways{
    likelihood{fault_family::congestion, 3}, likelihood{fault_family::clog, 4}, likelihood{fault_family::clock, 5}};

template <std::size_t N>
std::uint32_t draw_families(detail::random random, const std::array<likelihood, N>& of) {
  std::uint32_t drawn = 0;
  for (const likelihood& one : of) {
    if (random.chance(one.sixteenths, 16)) drawn |= 1U << static_cast<unsigned>(one.family);
  }
  return drawn;
}

std::size_t draw_nodes(detail::random random) {
  const std::uint64_t small = random.between(nodes_least, 8);
  const std::uint64_t middle = random.between(9, 16);
  const std::uint64_t large = random.between(17, nodes_most);
  const std::uint64_t size = random.below(32);
  return static_cast<std::size_t>(size == 0 ? large : size <= 3 ? middle : small);
}

link_faults draw_links(const membership_swarm& s, detail::random random) {
  link_faults links;
  const auto strength = [&](fault_family family, std::uint32_t low, std::uint32_t high) {
    const auto drawn = static_cast<std::uint32_t>(random.between(low, high));
    return s.has(family) ? drawn : 0U;
  };
  links.loss = strength(fault_family::loss, 5, 300);
  links.duplication = strength(fault_family::duplication, 5, 200);
  links.reorder = strength(fault_family::reorder, 5, 300);
  links.corruption = strength(fault_family::corruption, 1, 50);
  links.stream_reset = strength(fault_family::reset, 5, 300);
  const auto slow = std::chrono::milliseconds{random.between(1, 40)};
  if (s.has(fault_family::slow_link)) links.delay_mean = slow;
  return links;
}

/// Ways that carry little of each stream at a time, and clocks that are fast or slow.
void draw_clocks_and_ways(membership_swarm& s, detail::random random) {
  const std::uint64_t bytes_per_ms = random.between(2, 100);
  s.streams.queue_bytes_high = static_cast<std::size_t>(random.between(1, 400));
  s.streams.queue_bytes_low = s.streams.queue_bytes_high / 4;
  if (s.has(fault_family::congestion)) s.links.stream_bytes_per_ms = bytes_per_ms;
  if (!s.has(fault_family::clock)) return;
  for (std::size_t i = 0; i < s.nodes; ++i) {
    const auto drift = static_cast<std::int32_t>(random.below(2 * drift_max + 1));
    s.clock_drift.push_back(drift - static_cast<std::int32_t>(drift_max));
  }
}

/// Sizes down to the least that a configuration may have.
membership::config draw_settings(const membership_swarm& s, detail::random random) {
  membership::config c = membership::config::lan();
  c.reconnect_interval = 2s;
  c.tombstone = 10min;
  if (s.seedless) c.seed_retry_max = 1h;
  if (random.chance(1, 4)) c.datagram_max = membership::datagram_size_least;
  const std::size_t kept = random.chance(1, 2) ? 16 : 2;
  if (random.chance(1, 6)) c.events_kept_max = kept;
  if (random.chance(1, 8)) c.broadcasts_max = 1;
  const std::size_t streams = random.chance(1, 2) ? 1 : 4;
  if (random.chance(1, 8)) c.streams_max = streams;
  if (random.chance(1, 8)) c.indirect_probes = 0;
  if (random.chance(1, 8)) c.gossip_fanout = 1;
  // The dead hear nothing by chance: only whoever tries them again brings those back who were not dead.
  if (random.chance(1, 2) && s.seedless) c.gossip_to_failed = 0s;
  return c;
}

/// Acts of the families that a seed has, each as often as the next.
std::vector<membership_act> acts_of(const membership_swarm& s) {
  using act = membership_act;
  std::vector<act> acts;
  if (s.has(fault_family::crash)) acts.insert(acts.end(), {act::crash, act::power_off});
  if (s.has(fault_family::restart)) acts.insert(acts.end(), {act::restart, act::restart});
  if (s.has(fault_family::pause)) acts.push_back(act::pause);
  if (s.has(fault_family::partition)) acts.push_back(act::partition);
  if (s.has(fault_family::one_way)) acts.push_back(act::one_way);
  if (s.has(fault_family::garbage)) acts.insert(acts.end(), {act::forge, act::forge});
  return acts;
}

/// Likewise of clocks and ways, and what a process or a partition may be like beside.
std::vector<membership_act> further_acts_of(const membership_swarm& s) {
  using act = membership_act;
  std::vector<act> acts;
  if (s.has(fault_family::clock)) acts.insert(acts.end(), {act::suspend, act::suspend});
  if (s.has(fault_family::clog)) acts.insert(acts.end(), {act::clog, act::clog});
  if (s.has(fault_family::partition)) acts.push_back(act::bridge);
  if (s.has(fault_family::crash)) acts.push_back(act::crash_midway);
  return acts;
}

std::optional<fault_family> family_of(membership_act act) {
  switch (act) {
    case membership_act::crash:
    case membership_act::power_off:
    case membership_act::crash_midway: return fault_family::crash;
    case membership_act::restart: return fault_family::restart;
    case membership_act::pause: return fault_family::pause;
    case membership_act::suspend: return fault_family::clock;
    case membership_act::clog: return fault_family::clog;
    case membership_act::partition:
    case membership_act::bridge: return fault_family::partition;
    case membership_act::one_way: return fault_family::one_way;
    case membership_act::forge: return fault_family::garbage;
    case membership_act::leave:
    case membership_act::change_tags:
    case membership_act::broadcast:
    case membership_act::chatter:
    case membership_act::send:
    case membership_act::query: return std::nullopt;
  }
  return std::nullopt;
}

duration length_of(membership_act act, detail::random& random) {
  switch (act) {
    case membership_act::pause:
    case membership_act::suspend: return std::chrono::milliseconds{random.between(50, 20'000)};
    case membership_act::clog: return std::chrono::milliseconds{random.between(50, 15'000)};
    case membership_act::partition:
    case membership_act::bridge: return std::chrono::milliseconds{random.between(500, 25'000)};
    case membership_act::one_way: return std::chrono::milliseconds{random.between(500, 15'000)};
    default: return {};
  }
}

class plan {
public:
  plan(membership_swarm& swarm, const run_options& options) : swarm_{swarm}, options_{options}, of_host_(swarm.nodes) {}

  /// What follows is drawn from here; the numbers of the choices go on.
  void draw_from(detail::random random) { seed_ = random.next(); }

  void add(const std::vector<membership_act>& acts, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count && !acts.empty(); ++i) add(acts);
  }

private:
  void add(const std::vector<membership_act>& acts) {
    detail::random random{detail::mix64(seed_ + swarm_.choices)};
    membership_choice c{.number = swarm_.choices++};
    c.act = acts[static_cast<std::size_t>(random.below(acts.size()))];
    c.at = duration{static_cast<duration::rep>(random.below(static_cast<std::uint64_t>(swarm_.length.count())))};
    c.which = static_cast<host>(random.below(swarm_.nodes));
    c.other = static_cast<host>(random.below(swarm_.nodes));
    c.value = random.next();
    c.length = length_of(c.act, random);
    const auto family = family_of(c.act);
    if (family && !options_.has(*family)) return;
    if (!family && options_.operations && of_host_[c.which]++ >= *options_.operations) return;
    if (std::binary_search(options_.without.begin(), options_.without.end(), c.number)) return;
    swarm_.plan.push_back(c);
  }

  membership_swarm& swarm_;
  const run_options& options_;
  std::uint64_t seed_ = 0;
  std::vector<std::uint32_t> of_host_;
};

}  // namespace

std::string_view to_string(membership_act act) noexcept {
  switch (act) {
    case membership_act::crash: return "crash";
    case membership_act::power_off: return "power_off";
    case membership_act::crash_midway: return "crash_midway";
    case membership_act::restart: return "restart";
    case membership_act::pause: return "pause";
    case membership_act::suspend: return "suspend";
    case membership_act::partition: return "partition";
    case membership_act::bridge: return "bridge";
    case membership_act::one_way: return "one_way";
    case membership_act::clog: return "clog";
    case membership_act::forge: return "forge";
    case membership_act::leave: return "leave";
    case membership_act::change_tags: return "change_tags";
    case membership_act::broadcast: return "broadcast";
    case membership_act::chatter: return "chatter";
    case membership_act::send: return "send";
    case membership_act::query: return "query";
  }
  return "?";
}

bool membership_swarm::faultless() const noexcept {
  constexpr std::uint32_t harmless =
      1U << static_cast<unsigned>(fault_family::duplication) | 1U << static_cast<unsigned>(fault_family::restart);
  return (families & ~harmless) == 0;
}

bool membership_swarm::mild_network() const noexcept {
  return links.loss <= 250;
}

bool membership_swarm::lossless_network() const noexcept {
  std::uint32_t losing = 0;
  for (const fault_family family : {fault_family::loss, fault_family::corruption, fault_family::garbage,
                                    fault_family::clog, fault_family::partition, fault_family::one_way}) {
    losing |= 1U << static_cast<unsigned>(family);
  }
  return (families & losing) == 0;
}

membership_swarm draw_membership_swarm(const detail::random& random, const run_options& options) {
  membership_swarm s;
  s.families = draw_families(random.fork("families"), likelihoods);
  s.families |= draw_families(random.fork("families of clocks and ways"), likelihoods_of_clocks_and_ways);
  const std::uint32_t drawn = s.families;
  s.families &= options.families;
  s.nodes = std::clamp(options.nodes.value_or(draw_nodes(random.fork("nodes"))), nodes_least, nodes_most);
  s.links = draw_links(s, random.fork("links"));
  detail::random habits = random.fork("habits");
  s.staggered = habits.chance(1, 2);
  s.seedless = habits.chance(1, 3);
  s.stays_broken = habits.chance(1, 2);
  s.length = std::chrono::milliseconds{habits.between(5'000, 60'000)};
  if (options.time) s.length = std::max<duration>(*options.time, 1ms);
  const std::uint64_t faults = habits.between(1, 24);
  const bool leaves = habits.chance(1, 4);
  const bool tags = habits.chance(1, 4);
  const std::uint64_t news = habits.between(1, 8);
  const bool talks = habits.chance(3, 4);
  const std::uint64_t talk = habits.between(1, 40);
  s.settings = draw_settings(s, random.fork("settings"));
  draw_clocks_and_ways(s, random.fork("clocks and ways"));
  // As few bytes of a second as may be.
  if (random.fork("cap").chance(1, 4)) {
    s.settings.bytes_per_second_max = 16 * (s.settings.gossip_fanout + 1) * s.settings.datagram_max;
  }
  s.is_ipv6 = random.fork("addresses").chance(1, 4);
  detail::random replay = random.fork("replay");
  const bool replays = replay.chance(1, 4);
  const auto replayed = static_cast<std::size_t>(replay.between(1, replayed_most));
  if (replays) s.settings.events_replayed = std::min(replayed, s.settings.events_kept_max);
  detail::random further = random.fork("further habits");
  const std::uint64_t further_faults = further.between(1, 8);
  const bool chatters = further.chance(1, 8);

  // The acts are those of the families drawn, so that one which the options exclude leaves its choices' numbers empty.
  membership_swarm unrestricted = s;
  unrestricted.families = drawn;
  plan p{s, options};
  p.draw_from(random.fork("choices"));
  p.add(acts_of(unrestricted), faults);
  std::vector<membership_act> changes;
  if (leaves) changes.push_back(membership_act::leave);
  if (tags) changes.push_back(membership_act::change_tags);
  p.add(changes, news);
  p.add({membership_act::broadcast}, talks ? talk : 0);
  p.draw_from(random.fork("further choices"));
  p.add(further_acts_of(unrestricted), further_faults);
  p.add({membership_act::chatter}, chatters ? 1 : 0);
  detail::random to_one = random.fork("messages");
  const bool sends = to_one.chance(1, 2);
  const std::uint64_t messages = to_one.between(1, 40);
  p.draw_from(random.fork("choices of messages"));
  p.add({membership_act::send}, sends ? messages : 0);
  detail::random to_all = random.fork("queries");
  const bool asks = to_all.chance(1, 3);
  const std::uint64_t questions = to_all.between(1, 8);
  p.draw_from(random.fork("choices of queries"));
  p.add({membership_act::query}, asks ? questions : 0);
  return s;
}

}  // namespace artillery::sim
