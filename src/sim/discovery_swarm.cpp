#include "sim/discovery_swarm.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace artillery::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using kind = discovery_choice::kind;

/// No clock is off by more, in millionths: what quartz does, and what replication allows for.
constexpr std::uint64_t drift_max = 500;

/// The families that mean something where there are datagrams only and nothing is kept on disk.
constexpr std::array families_drawn{fault_family::loss,       fault_family::duplication, fault_family::reorder,
                                    fault_family::corruption, fault_family::garbage,     fault_family::partition,
                                    fault_family::one_way,    fault_family::crash,       fault_family::restart,
                                    fault_family::pause,      fault_family::clock};

constexpr std::uint32_t bit(fault_family family) noexcept {
  return 1U << static_cast<unsigned>(family);
}

constexpr bool is_operation(kind what) noexcept {
  return what <= kind::seek_often;
}

constexpr std::uint32_t families_of(kind what) noexcept {
  switch (what) {
    case kind::crash: return bit(fault_family::crash);
    case kind::restart: return bit(fault_family::restart);
    case kind::pause:
    case kind::resume: return bit(fault_family::pause);
    case kind::partition:
    case kind::bridge: return bit(fault_family::partition);
    case kind::one_way: return bit(fault_family::one_way);
    case kind::heal: return bit(fault_family::partition) | bit(fault_family::one_way);
    case kind::suspend:
    case kind::step_clock: return bit(fault_family::clock);
    case kind::clog: return bit(fault_family::clog);
    default: return 0;
  }
}

void draw_faults(discovery_swarm& s, detail::random& random) {
  const bool none = random.chance(1, 8);  // a kind of seed of its own
  for (const fault_family family : families_drawn)
    if (random.chance(1, 2) && !none) s.families |= bit(family);
  s.faults.loss = static_cast<std::uint32_t>(random.between(10, 400));
  s.faults.duplication = static_cast<std::uint32_t>(random.between(10, 300));
  s.faults.reorder = static_cast<std::uint32_t>(random.between(10, 500));
  s.faults.reorder_delay = milliseconds{random.between(1, 3000)};
  s.faults.corruption = static_cast<std::uint32_t>(random.between(10, 300));
  s.has_other_realm = random.chance(1, 2);
  s.has_off_link = random.chance(1, 2);
  s.faults.garbage = static_cast<std::uint32_t>(random.between(10, 300));
}

void draw_clocks(discovery_swarm& s, detail::random random) {
  if (!s.has(fault_family::clock)) return;
  for (std::size_t i = 0; i < s.hosts; ++i) {
    const auto drift = static_cast<std::int32_t>(random.below(2 * drift_max + 1));
    s.clock_drift.push_back(drift - static_cast<std::int32_t>(drift_max));
  }
}

template <std::size_t N>
std::vector<kind> faults_of(std::uint32_t families, const std::array<kind, N>& all) {
  std::vector<kind> faults;
  for (const kind what : all)
    if ((families_of(what) & families) != 0) faults.push_back(what);
  return faults;
}

kind draw_operation(detail::random& random) {
  constexpr std::array<kind, 10> operations{kind::announce, kind::announce,  kind::announce, kind::change,
                                            kind::change,   kind::withdraw,  kind::withdraw, kind::seek,
                                            kind::seek,     kind::seek_often};
  return operations[static_cast<std::size_t>(random.below(operations.size()))];
}

/// Of those at one time the earlier drawn comes first. (Not std::stable_sort: clang calls the buffer that libstdc++
/// takes for it deprecated.)
void sort_by_time(discovery_swarm& s) {
  std::vector<discovery_choice> in_order;
  for (const discovery_choice& c : s.choices) {
    const auto earlier = [](const discovery_choice& a, const discovery_choice& b) { return a.at < b.at; };
    in_order.insert(std::upper_bound(in_order.begin(), in_order.end(), c, earlier), c);
  }
  s.choices = std::move(in_order);
}

/// `at` is in millionths of the phase here.
void draw_choices(discovery_swarm& s, detail::random& random) {
  constexpr std::array all{kind::crash,     kind::restart, kind::pause,   kind::resume,
                           kind::partition, kind::bridge,  kind::one_way, kind::heal};
  const std::vector<kind> faults = faults_of(s.families, all);
  const std::uint64_t count = random.between(5, 60);
  const std::uint64_t early = random.below(2 * s.hosts);  // services that are there from the start
  for (std::uint64_t i = 0; i < early + count; ++i) {
    const bool first = i < early;
    discovery_choice c;
    c.at = duration{static_cast<duration::rep>(random.below(first ? 20'000 : 1'000'000))};
    const bool is_fault = random.chance(2, 5) && !first && !faults.empty();
    const kind operation = draw_operation(random);
    const std::uint64_t which = random.next();
    c.what = first ? kind::announce : is_fault ? faults[static_cast<std::size_t>(which % faults.size())] : operation;
    c.host = random.next() >> 8U;
    c.draw = random.next();
    s.choices.push_back(c);
  }
  sort_by_time(s);
  for (std::size_t i = 0; i < s.choices.size(); ++i) s.choices[i].number = i;
}

/// Faults of clocks and ways: their numbers come after those of all others.
void draw_further_choices(discovery_swarm& s, detail::random random) {
  constexpr std::array all{kind::suspend, kind::step_clock, kind::clog};
  const std::vector<kind> faults = faults_of(s.families, all);
  const std::uint64_t count = faults.empty() ? 0 : random.between(1, 10);
  for (std::uint64_t i = 0; i < count; ++i) {
    discovery_choice c;
    c.number = s.choices.size();
    c.at = duration{static_cast<duration::rep>(random.below(1'000'000))};
    c.what = faults[static_cast<std::size_t>(random.below(faults.size()))];
    c.host = random.next() >> 8U;
    c.draw = random.next();
    s.choices.push_back(c);
  }
  sort_by_time(s);
}

void leave_out(discovery_swarm& s, const run_options& options) {
  s.families &= options.families;
  if (options.nodes) s.hosts = *options.nodes;
  if (options.time) s.fault_phase = *options.time;
  if (!s.has(fault_family::loss)) s.faults.loss = 0;
  if (!s.has(fault_family::duplication)) s.faults.duplication = 0;
  if (!s.has(fault_family::reorder)) s.faults.reorder = 0;
  if (!s.has(fault_family::corruption)) s.faults.corruption = 0;
  if (!s.has(fault_family::garbage)) s.faults.garbage = 0;
  if (!s.has(fault_family::clock)) s.clock_drift.clear();
  s.has_other_realm = s.has_other_realm && s.has(fault_family::garbage);
  s.has_off_link = s.has_off_link && s.has(fault_family::garbage);
  std::map<std::uint64_t, std::uint32_t> operations;  // of each host
  for (discovery_choice& c : s.choices) {
    c.at = duration{s.fault_phase.count() / 1'000'000 * c.at.count()};
    c.left_out = std::binary_search(options.without.begin(), options.without.end(), c.number);
    if (!is_operation(c.what) && (families_of(c.what) & s.families) == 0) c.left_out = true;
    if (is_operation(c.what) && options.operations && ++operations[c.host % s.hosts] > *options.operations)
      c.left_out = true;
  }
}

}  // namespace

std::string_view to_string(discovery_choice::kind what) noexcept {
  switch (what) {
    case kind::announce: return "announce";
    case kind::change: return "change";
    case kind::withdraw: return "withdraw";
    case kind::seek: return "seek";
    case kind::seek_often: return "seek_often";
    case kind::crash: return "crash";
    case kind::restart: return "restart";
    case kind::pause: return "pause";
    case kind::resume: return "resume";
    case kind::partition: return "partition";
    case kind::bridge: return "bridge";
    case kind::one_way: return "one_way";
    case kind::heal: return "heal";
    case kind::suspend: return "suspend";
    case kind::step_clock: return "step_clock";
    case kind::clog: return "clog";
  }
  return "?";
}

duration discovery_swarm::transit_max() const noexcept {
  // A double comes up to a minute after the original.
  duration most = milliseconds{100};
  if (faults.duplication != 0) most += seconds{61};
  if (faults.reorder != 0) most += faults.reorder_delay;
  return most;
}

discovery_swarm draw_discovery(detail::random random, const run_options& options) {
  constexpr std::array<int, 4> intervals{1, 2, 5, 12};
  discovery_swarm s;
  auto sizes = random.fork("sizes");
  s.hosts = static_cast<std::size_t>(sizes.between(2, 6));
  s.interval = seconds{intervals[static_cast<std::size_t>(sizes.below(intervals.size()))]};
  s.fault_phase = seconds{sizes.between(10, 30)};
  auto faults = random.fork("faults");
  draw_faults(s, faults);
  auto choices = random.fork("choices");
  draw_choices(s, choices);
  // A seed in which nothing goes wrong stays one.
  auto further = random.fork("clocks and ways");
  const bool clogs = further.chance(1, 3);
  if (clogs && s.families != 0) s.families |= bit(fault_family::clog);
  draw_clocks(s, further.fork("clocks"));
  draw_further_choices(s, further.fork("choices"));
  leave_out(s, options);
  return s;
}

}  // namespace artillery::sim
