#include "artillery/sim.hpp"

#include <algorithm>
#include <set>
#include <stdexcept>
#include <utility>

#include "sim/world_state.hpp"

namespace artillery::sim {
namespace {

constexpr std::int32_t drift_ppm_max = 1000;
/// Any date does, as long as it is the same in every run: 2020-09-13 12:26:40 UTC at the start of the world's time.
constexpr duration wall_clock_ahead = std::chrono::seconds{1'600'000'000};

}  // namespace

world::state::state(std::uint64_t seed_, const link_faults& faults)
    // Time starts away from zero, so that a duration before the start is still a time.
    : seed{seed_},
      now{std::chrono::hours{1}},
      network{seed_, faults},
      partitions{detail::random{seed_}.fork("partitions")} {
  trace.add(seed);
}

world::world(std::uint64_t seed, const link_faults& faults) : state_{std::make_unique<state>(seed, faults)} {}
world::~world() = default;
world::world(world&&) noexcept = default;
world& world::operator=(world&&) noexcept = default;

time_point world::now() const noexcept {
  return state_->now;
}

host world::add(const endpoint& at, std::unique_ptr<program> what) {
  if (state_->by_endpoint.contains(at)) throw std::logic_error{"the endpoint is taken"};
  const host added = state_->hosts.size();
  state_->hosts.emplace_back();
  state_->hosts.back().at = at;
  state_->by_endpoint.emplace(at, added);
  restart(added, std::move(what));
  return added;
}

program* world::running(host which) noexcept {
  return state_->hosts[which].program.get();
}
const endpoint& world::at(host which) const noexcept {
  return state_->hosts[which].at;
}
std::size_t world::hosts() const noexcept {
  return state_->hosts.size();
}
bool world::is_up(host which) const noexcept {
  const host_state& self = state_->hosts[which];
  return self.program != nullptr && self.dying == death::none;
}
bool world::is_paused(host which) const noexcept {
  return state_->hosts[which].holds_input();
}

bool world::call(host which, std::function<void(program&, time_point, network_effects&)> what) {
  if (!is_up(which)) return false;
  state_->call(which, std::move(what));
  return true;
}

void world::crash(host which) {
  state_->die(which, death::of_process);
}
void world::power_off(host which) {
  state_->die(which, death::of_machine);
}

void world::crash_at_event(host which, const crash_point& when, std::function<void()> then) {
  if (!is_up(which)) throw std::logic_error{"the host is down already"};
  state_->hosts[which].plan = std::make_unique<planned_crash>(planned_crash{when, std::move(then)});
}

void world::restart(host which, std::unique_ptr<program> what) {
  host_state& self = state_->hosts[which];
  if (self.program != nullptr) throw std::logic_error{"the host is up already"};
  self.program = std::move(what);
  self.dark = false;
  self.last_expiry = {};
  self.expiries_at_once = 0;
  state_->start(which);
}

void world::pause(host which) {
  host_state& self = state_->hosts[which];
  if (!is_up(which) || self.paused) return;
  ++state_->counters.pauses;
  self.paused = true;
  state_->show(happening::kind::pause, which);
}

void world::resume(host which) {
  host_state& self = state_->hosts[which];
  if (!self.paused) return;
  self.paused = false;
  state_->show(happening::kind::resume, which);
  if (!self.wakes_at) state_->release_held(which);
}

void world::suspend(host which, duration length) {
  host_state& self = state_->hosts[which];
  const time_point until = state_->now + length;
  if (!is_up(which) || (self.wakes_at && *self.wakes_at >= until)) return;
  ++state_->counters.suspensions;
  self.wakes_at = until;
  state_->show(happening::kind::suspend, which);
  state_->queue.push(until, event{.kind = event_kind::wake, .life = self.life, .at = which});
}

void world::set_clock_drift(host which, std::int32_t ppm) {
  if (ppm > drift_ppm_max || ppm < -drift_ppm_max) throw std::logic_error{"no clock is as bad as that"};
  state_->hosts[which].clock.drift(ppm, state_->now);
  state_->arm(which);
}
time_point world::local_time(host which) const noexcept {
  return state_->hosts[which].clock.local(state_->now);
}
std::chrono::sys_time<duration> world::wall_clock(host which) const noexcept {
  const host_state& self = state_->hosts[which];
  return std::chrono::sys_time<duration>{self.clock.local(state_->now).time_since_epoch() + wall_clock_ahead +
                                         self.wall_ahead};
}
void world::step_wall_clock(host which, duration by) {
  state_->hosts[which].wall_ahead += by;
}

void world::cut(host from, host to) {
  state_->network.cut(from, to);
  state_->show(happening::kind::cut, from, to);
}

void world::mend(host from, host to) {
  state_->network.mend(from, to);
  state_->show(happening::kind::mend, from, to);
  state_->release_stalled(from);
}

void world::partition(const std::vector<host>& one_side, std::optional<host> bridge) {
  const std::set<host> side{one_side.begin(), one_side.end()};
  for (host inside : side) {
    for (host outside = 0; outside < hosts(); ++outside) {
      if (side.contains(outside) || inside == bridge || outside == bridge) continue;
      state_->network.cut(inside, outside);
      state_->network.cut(outside, inside);
    }
  }
  state_->show({.what = happening::kind::partition, .other = bridge, .side = one_side});
}

void world::isolate(host which) {
  partition({which});
}

std::vector<host> world::split() {
  std::vector<host> one_side;
  for (host each = 0; each < hosts(); ++each) {
    if (state_->partitions.chance(1, 2)) one_side.push_back(each);
  }
  partition(one_side);
  return one_side;
}

void world::clog(host from, host to) {
  state_->network.clog(from, to);
  state_->show(happening::kind::clog, from, to);
}
void world::unclog(host from, host to) {
  state_->show(happening::kind::unclog, from, to);
  state_->unclog(from, to);
}

void world::heal() {
  state_->network.heal();
  state_->show({.what = happening::kind::heal});
  while (!state_->clogged.empty()) {
    const auto [from, to] = state_->clogged.begin()->first;
    state_->unclog(from, to);
  }
  for (host from = 0; from < hosts(); ++from) state_->release_stalled(from);
}

void world::set_faults(const link_faults& faults) {
  state_->network.set_faults(faults);
}
void world::set_faults(host from, host to, const link_faults& faults) {
  state_->network.set_faults(from, to, faults);
}
void world::set_stream_timeout(duration timeout) {
  state_->stream_timeout = timeout;
}

void world::set_stream_limits(const stream_limits& limits) {
  state_->stream_limits = limits;
}

void world::inject(host to, const connection& from, bytes message) {
  ++state_->counters.garbage;
  const event_kind kind = from.is_stream ? event_kind::frame : event_kind::datagram;
  state_->queue.push(
      state_->now,
      event{.kind = kind, .life = state_->hosts[to].life, .at = to, .from = from, .message = std::move(message)});
}

void world::set_disk_faults(const disk_faults& faults) {
  state_->disk_faults = faults;
}
void world::set_disk_faults(host which, const disk_faults& faults) {
  state_->hosts[which].own_disk_faults = faults;
}
std::vector<bytes> world::disk(host which) const {
  const auto& place = state_->hosts[which].disk;
  return place ? place->durable() : std::vector<bytes>{};
}
void world::set_disk(host which, const std::vector<bytes>& records) {
  if (state_->hosts[which].program != nullptr) throw std::logic_error{"the host is up"};
  state_->disk_of(which).replace(records);
}

void world::schedule(time_point when, std::function<void()> what) {
  state_->schedule(when, std::move(what));
}

bool world::step() {
  if (state_->queue.empty()) return false;
  state_->now = std::max(state_->now, state_->queue.next());
  state_->happen(state_->queue.pop());
  return true;
}

void world::run_for(duration length) {
  const time_point end = state_->now + length;
  while (!state_->queue.empty() && state_->queue.next() <= end) step();
  state_->now = end;
}

bool world::run_until(const std::function<bool()>& done, duration deadline) {
  const time_point end = state_->now + deadline;
  if (done()) return true;
  while (!state_->queue.empty() && state_->queue.next() <= end) {
    step();
    if (done()) return true;
  }
  state_->now = end;
  return done();
}

std::uint64_t world::seed_for(std::string_view name) const noexcept {
  return detail::mix64(state_->seed) ^ detail::hash_name(name);
}
std::uint64_t world::trace_hash() const noexcept {
  return state_->trace.value();
}
void world::note(std::string_view what, std::uint64_t value) {
  state_->trace.add(what).add(value);
  state_->show({.what = happening::kind::note, .text = what, .value = value});
}
const world_counters& world::counters() const noexcept {
  return state_->counters;
}

}  // namespace artillery::sim
