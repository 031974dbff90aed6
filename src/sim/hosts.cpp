// What happens to the hosts of a world and their programs: inputs, timers, held input, deaths, disks.
#include <cstring>
#include <stdexcept>

#include "sim/world_state.hpp"

namespace artillery::sim {
namespace {

constexpr std::uint32_t expiries_at_once_max = 10'000;

bytes gather(bytes_view header, std::span<const bytes> body) {
  if (header.empty() && body.size() == 1) return body.front();
  std::size_t size = header.size();
  for (const bytes& slice : body) size += slice.size();
  bytes_buffer message{size};
  std::size_t at = 0;
  const auto put = [&](bytes_view part) {
    if (!part.empty()) std::memcpy(message.data() + at, part.data(), part.size());
    at += part.size();
  };
  put(header);
  for (const bytes& slice : body) put(slice);
  return std::move(message).freeze(size);
}

death planned_death(const planned_crash& plan) noexcept {
  return plan.when.machine_goes_dark ? death::of_machine : death::of_process;
}

}  // namespace

/// Encodes what a program sends into the bytes that travel: nothing but bytes crosses from one host to another.
class world::state::sink final : public network_effects {
public:
  sink(world::state& world, host self) : world_{world}, self_{self}, state_{world.hosts[self]} {}

  using network_effects::send;
  void send(const connection& to, bytes_view header, std::span<const bytes> body) override {
    if (is_dead()) return;
    if (to.is_stream) {
      world_.send_frame(self_, to.number, gather(header, body));
    } else {
      world_.send_datagram(self_, to, gather(header, body));
    }
  }
  void open(std::uint64_t number, const endpoint& to) override {
    if (!is_dead()) world_.open_stream(self_, number, to);
  }
  void close(std::uint64_t number) override {
    if (!is_dead()) world_.close_stream(self_, number);
  }
  void persist(operation op, std::span<const bytes> slices) override {
    if (!is_dead()) world_.persist(self_, op, gather({}, slices));
  }

private:
  /// Asked once for each effect: a planned crash counts them.
  bool is_dead() {
    if (state_.dying != death::none) return true;
    if (!state_.plan || !state_.plan->has_begun) return false;
    crash_point& when = state_.plan->when;
    if (when.effects == 0) {
      state_.dying = planned_death(*state_.plan);
      return true;
    }
    --when.effects;
    return false;
  }

  world::state& world_;
  host self_;
  host_state& state_;
};

/// Gives one input to a host's program.
template <class Handler>
void world::state::handle(host which, Handler&& handler) {
  host_state& self = hosts[which];
  if (self.dying != death::none) return;
  if (self.plan && self.handling == 0 && !self.plan->has_begun) {
    crash_point& when = self.plan->when;
    if (when.inputs == 0) {
      self.plan->has_begun = true;
    } else {
      --when.inputs;
    }
  }
  ++self.handling;
  sink out{*this, which};
  handler(*self.program, self.clock.local(now), out);
  if (--self.handling != 0) return;
  if (self.plan && self.plan->has_begun && self.dying == death::none) self.dying = planned_death(*self.plan);
  if (self.dying != death::none) return end_life(which);
  arm(which);
}

/// After every input: a timer for the program's next deadline, unless an earlier one is armed (which then looks again).
void world::state::arm(host which) {
  host_state& self = hosts[which];
  if (self.program == nullptr || self.holds_input()) return;
  const auto local_deadline = self.program->next_deadline();
  if (!local_deadline) return;
  const time_point deadline = self.clock.true_at(*local_deadline);
  if (self.armed && *self.armed <= deadline) return;
  self.armed = std::max(deadline, now);
  queue.push(
      *self.armed,
      event{.kind = event_kind::timer, .life = self.life, .at = which, .from = connection::stream(++self.timer)});
}

void world::state::start(host which) {
  host_state& self = hosts[which];
  std::vector<bytes> found;
  if (self.disk) found = self.disk->read_back(disk_faults_of(which), counters);
  const std::size_t kept = self.program->recover(found);
  if (self.disk) self.disk->truncate(kept);
  show(happening::kind::start, which);
  handle(which, [](program& p, time_point at, network_effects& out) { p.start(at, out); });
}

void world::state::schedule(time_point when, std::function<void()> what) {
  const std::uint64_t number = ++next_call;
  scheduled.emplace(number, std::move(what));
  queue.push(std::max(when, now), event{.kind = event_kind::scheduled, .from = connection::stream(number)});
}

void world::state::call(host which, std::function<void(program&, time_point, network_effects&)> what) {
  host_state& self = hosts[which];
  trace.add(event_kind::call).add(which);
  if (!self.holds_input()) {
    show(happening::kind::call, which);
    return handle(which, what);
  }
  const std::uint64_t number = ++next_call;
  calls.emplace(number, std::move(what));
  self.held.push_back(
      event{.kind = event_kind::call, .life = self.life, .at = which, .from = connection::stream(number)});
}

void world::state::expire(host which) {
  host_state& self = hosts[which];
  self.armed.reset();
  const auto deadline = self.program->next_deadline();
  if (!deadline || *deadline > self.clock.local(now)) return arm(which);
  self.expiries_at_once = self.last_expiry == now ? self.expiries_at_once + 1 : 0;
  self.last_expiry = now;
  if (self.expiries_at_once > expiries_at_once_max) throw std::logic_error{"a program's deadline does not move on"};
  show(happening::kind::timer, which);
  handle(which, [](program& p, time_point at, network_effects& out) { p.expire(at, out); });
}

void world::state::deliver(event& what) {
  host_state& to = hosts[what.at];
  show_input(what);
  switch (what.kind) {
    case event_kind::frame:
      if (!to.streams.contains(what.from.number)) return;  // closed here meanwhile
      [[fallthrough]];
    case event_kind::datagram:
      return handle(what.at, [&](program& p, time_point at, network_effects& out) {
        p.receive(what.from, what.message, at, out);
      });
    case event_kind::link:
      if (!to.streams.contains(what.from.number)) return;  // closed here meanwhile: no news
      if (what.state == link_state::down) to.streams.erase(what.from.number);
      return handle(what.at,
                    [&](program& p, time_point at, network_effects& out) { p.link(what.from, what.state, at, out); });
    case event_kind::completed:
      return handle(what.at, [&](program& p, time_point at, network_effects& out) {
        p.completed(what.from.number, to_error_code(what.error), at, out);
      });
    case event_kind::call: {
      const auto found = calls.find(what.from.number);
      const auto run = std::move(found->second);
      calls.erase(found);
      return handle(what.at, run);
    }
    case event_kind::timer:
      if (what.from.number == to.timer) expire(what.at);
      return;
    case event_kind::none:
    case event_kind::scheduled:
    case event_kind::stream_timeout:
    case event_kind::stream_drain:
    case event_kind::wake: return;
  }
}

void world::state::happen(event what) {
  if (what.kind == event_kind::timer && what.from.number != hosts[what.at].timer) return;  // void: none of the run
  ++counters.events;
  trace.add(now.time_since_epoch().count()).add(what.kind).add(what.at).add(what.from.number).add(what.message.view());
  if (what.kind == event_kind::scheduled) {
    const auto found = scheduled.find(what.from.number);
    const auto run = std::move(found->second);
    scheduled.erase(found);
    return run();
  }
  route(std::move(what));
}

void world::state::route(event what) {
  host_state& to = hosts[what.at];
  const bool meant_for_another_life = what.kind != event_kind::datagram && what.life != to.life;
  if (to.program == nullptr || meant_for_another_life) {
    if (what.kind == event_kind::datagram) ++counters.datagrams_lost;
    if (what.kind == event_kind::call) calls.erase(what.from.number);
    return;
  }
  // What machines and networks do by themselves, whether or not the process runs.
  switch (what.kind) {
    case event_kind::completed:
      what.error = to.disk->finish();
      if (what.error != disk_error::none) ++counters.disk_errors;
      break;
    case event_kind::stream_timeout: return give_up_stream(what.at, what.from.number);
    case event_kind::stream_drain: {
      const auto found = to.streams.find(what.from.number);
      if (found == to.streams.end() || !found->second.backlog) return;
      found->second.backlog->is_draining = false;
      return drain(what.at, what.from.number, found->second);
    }
    case event_kind::wake: return wake(what.at);
    default: break;
  }
  give(std::move(what));
}

/// To the program, as soon as it runs.
void world::state::give(event what) {
  host_state& to = hosts[what.at];
  if (to.holds_input()) {
    to.held.push_back(std::move(what));
  } else {
    deliver(what);
  }
}

/// All that was held arrives at once, in the order in which it came; one of its handlers may pause the host again.
void world::state::release_held(host which) {
  host_state& self = hosts[which];
  const std::uint32_t life = self.life;
  std::deque<event> held = std::exchange(self.held, {});
  for (event& what : held) {
    if (self.program != nullptr && (what.kind == event_kind::datagram || what.life == life)) {
      give(std::move(what));
    } else if (what.kind == event_kind::call) {
      calls.erase(what.from.number);
    }
  }
  arm(which);
}

void world::state::wake(host which) {
  host_state& self = hosts[which];
  if (!self.wakes_at || *self.wakes_at > now) return;
  self.wakes_at.reset();
  show(happening::kind::wake, which);
  if (!self.paused) release_held(which);
}

/// The host is dead from now on; the rest of the input that it is handling is without effect.
void world::state::die(host which, death how) {
  host_state& self = hosts[which];
  if (self.program == nullptr || self.dying != death::none) throw std::logic_error{"the host is down already"};
  self.dying = how;
  if (self.handling == 0) end_life(which);
}

void world::state::end_life(host which) {
  host_state& self = hosts[which];
  const bool goes_dark = self.dying == death::of_machine;
  ++counters.crashes;
  trace.add(which).add(self.dying);
  show(goes_dark ? happening::kind::power_off : happening::kind::crash, which);
  abandon_streams(which, goes_dark);
  if (self.disk) self.disk->crash(counters);
  for (const event& held : self.held) {
    if (held.kind == event_kind::call) calls.erase(held.from.number);
  }
  self.held.clear();
  self.program.reset();
  self.paused = false;
  self.wakes_at.reset();
  self.dark = goes_dark;
  self.dying = death::none;
  self.armed.reset();
  ++self.life;
  const auto plan = std::exchange(self.plan, nullptr);
  if (plan && plan->has_begun && plan->then) schedule(now, std::move(plan->then));
}

sim::disk& world::state::disk_of(host which) {
  auto& place = hosts[which].disk;
  if (!place) place = std::make_unique<sim::disk>(detail::mix64(seed ^ detail::mix64(which)));
  return *place;
}

const sim::disk_faults& world::state::disk_faults_of(host which) const noexcept {
  const auto& own = hosts[which].own_disk_faults;
  return own ? *own : disk_faults;
}

void world::state::persist(host which, operation op, bytes record) {
  ++counters.persists;
  const time_point end = disk_of(which).persist(std::move(record), now, disk_faults_of(which));
  queue.push(
      end,
      event{.kind = event_kind::completed, .life = hosts[which].life, .at = which, .from = connection::stream(op)});
}

}  // namespace artillery::sim
