#include "artillery/sim.hpp"

#include <stdexcept>

#include "sim/world_state.hpp"

namespace artillery::sim {
namespace {
constexpr std::uint32_t expiries_at_once_max = 10'000;
}

/// Encodes what a program sends into the bytes that travel: nothing but bytes crosses from one host to another.
class world::state::sink final : public network_effects {
public:
  sink(world::state& world, host self) : world_{world}, self_{self} {}

  using network_effects::send;
  void send(const connection& to, bytes_view header, std::span<const bytes> body) override {
    bytes message = gather(header, body);
    if (to.is_stream) {
      world_.send_frame(self_, to.number, std::move(message));
    } else {
      world_.send_datagram(self_, to, std::move(message));
    }
  }
  void open(std::uint64_t number, const endpoint& to) override { world_.open_stream(self_, number, to); }
  void close(std::uint64_t number) override { world_.close_stream(self_, number); }
  void persist(operation op, std::span<const bytes>) override {
    world_.queue.push(world_.now + world_.network.disk_delay(), event{.kind = event_kind::completed,
                                                                      .life = world_.hosts[self_].life,
                                                                      .at = self_,
                                                                      .from = connection::stream(op),
                                                                      .message = {}});
  }

private:
  static bytes gather(bytes_view header, std::span<const bytes> body) {
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

  world::state& world_;
  host self_;
};

world::state::state(std::uint64_t seed_, const link_faults& faults)
    // Time starts away from zero, so that a duration before the start is still a time.
    : seed{seed_}, now{std::chrono::hours{1}}, network{seed_, faults} {
  trace.add(seed);
}

/// After every input: a timer for the program's next deadline, unless an earlier one is armed (which then looks again).
void world::state::arm(host which) {
  host_state& self = hosts[which];
  if (self.program == nullptr || self.paused) return;
  const auto deadline = self.program->next_deadline();
  if (!deadline || (self.armed && *self.armed <= *deadline)) return;
  self.armed = std::max(*deadline, now);
  queue.push(*self.armed, event{.kind = event_kind::timer,
                                .life = self.life,
                                .at = which,
                                .from = connection::stream(++self.timer),
                                .message = {}});
}

void world::state::input(host which, const std::function<void(program&, time_point, network_effects&)>& what) {
  sink out{*this, which};
  what(*hosts[which].program, now, out);
  arm(which);
}

void world::state::deliver(host_state& to, event& what) {
  sink out{*this, what.at};
  switch (what.kind) {
    case event_kind::datagram: to.program->receive(what.from, what.message, now, out); break;
    case event_kind::frame:
      if (!to.streams.contains(what.from.number)) return;  // closed here meanwhile
      to.program->receive(what.from, what.message, now, out);
      break;
    case event_kind::link:
      if (!to.streams.contains(what.from.number)) return;  // closed here meanwhile: no news
      if (what.state == link_state::down) to.streams.erase(what.from.number);
      to.program->link(what.from, what.state, now, out);
      break;
    case event_kind::completed: to.program->completed(what.from.number, now, out); break;
    case event_kind::call: {
      const auto found = calls.find(what.from.number);
      const auto run = std::move(found->second);
      calls.erase(found);
      run(*to.program, now, out);
      break;
    }
    case event_kind::timer: {
      if (what.from.number != to.timer) return;
      to.armed.reset();
      const auto deadline = to.program->next_deadline();
      if (!deadline || *deadline > now) break;
      to.expiries_at_once = to.last_expiry == now ? to.expiries_at_once + 1 : 0;
      to.last_expiry = now;
      if (to.expiries_at_once > expiries_at_once_max) throw std::logic_error{"a program's deadline does not move on"};
      to.program->expire(now, out);
      break;
    }
    case event_kind::none:
    case event_kind::scheduled:
    case event_kind::stream_timeout: return;
  }
  arm(what.at);
}

void world::state::happen(event what) {
  ++counters.events;
  trace.add(now.time_since_epoch()).add(what.kind).add(what.at).add(what.from.number).add(what.message.view());
  if (what.kind == event_kind::scheduled) {
    const auto found = scheduled.find(what.from.number);
    const auto run = std::move(found->second);
    scheduled.erase(found);
    run();
    return;
  }
  host_state& to = hosts[what.at];
  const bool meant_for_another_life = what.kind != event_kind::datagram && what.life != to.life;
  if (to.program == nullptr || meant_for_another_life) {
    if (what.kind == event_kind::call) calls.erase(what.from.number);
    return;
  }
  if (what.kind == event_kind::stream_timeout) return give_up_stream(what.at, what.from.number);
  if (to.paused) {
    to.held.push_back(std::move(what));
    return;
  }
  deliver(to, what);
}

void world::state::end_life(host which, bool dark) {
  host_state& self = hosts[which];
  if (self.program == nullptr) throw std::logic_error{"the host is down already"};
  ++counters.crashes;
  abandon_streams(which, dark);
  for (const event& held : self.held) {
    if (held.kind == event_kind::call) calls.erase(held.from.number);
  }
  self.held.clear();
  self.program.reset();
  self.paused = false;
  self.dark = dark;
  self.armed.reset();
  ++self.life;
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
  return state_->hosts[which].program != nullptr;
}
bool world::is_paused(host which) const noexcept {
  return state_->hosts[which].paused;
}

bool world::call(host which, std::function<void(program&, time_point, network_effects&)> what) {
  host_state& self = state_->hosts[which];
  if (self.program == nullptr) return false;
  state_->trace.add(event_kind::call).add(which);
  if (!self.paused) {
    state_->input(which, what);
    return true;
  }
  const std::uint64_t number = ++state_->next_call;
  state_->calls.emplace(number, std::move(what));
  self.held.push_back(event{
      .kind = event_kind::call, .life = self.life, .at = which, .from = connection::stream(number), .message = {}});
  return true;
}

void world::crash(host which) {
  state_->end_life(which, false);
}
void world::power_off(host which) {
  state_->end_life(which, true);
}

void world::restart(host which, std::unique_ptr<program> what) {
  host_state& self = state_->hosts[which];
  if (self.program != nullptr) throw std::logic_error{"the host is up already"};
  self.program = std::move(what);
  self.dark = false;
  self.last_expiry = {};
  self.expiries_at_once = 0;
  state_->input(which, [](program& p, time_point at, network_effects& out) { p.start(at, out); });
}

void world::pause(host which) {
  host_state& self = state_->hosts[which];
  if (self.program == nullptr || self.paused) return;
  ++state_->counters.pauses;
  self.paused = true;
}

void world::resume(host which) {
  host_state& self = state_->hosts[which];
  if (!self.paused) return;
  self.paused = false;
  // All that was held arrives at once, in the order in which it came; one of its handlers may pause the host again.
  std::deque<event> held = std::exchange(self.held, {});
  for (event& what : held) state_->happen(std::move(what));
  state_->arm(which);
}

void world::cut(host from, host to) {
  state_->network.cut(from, to);
}

void world::mend(host from, host to) {
  state_->network.mend(from, to);
  for (auto& [number, end] : state_->hosts[from].streams) state_->release_stalled(from, end);
}

void world::partition(const std::vector<host>& one_side) {
  const std::set<host> side{one_side.begin(), one_side.end()};
  for (host inside : side) {
    for (host outside = 0; outside < hosts(); ++outside) {
      if (side.contains(outside)) continue;
      cut(inside, outside);
      cut(outside, inside);
    }
  }
}

void world::heal() {
  state_->network.heal();
  for (host from = 0; from < hosts(); ++from) {
    for (auto& [number, end] : state_->hosts[from].streams) state_->release_stalled(from, end);
  }
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

void world::schedule(time_point when, std::function<void()> what) {
  const std::uint64_t number = ++state_->next_call;
  state_->scheduled.emplace(number, std::move(what));
  state_->queue.push(std::max(when, state_->now),
                     event{.kind = event_kind::scheduled, .from = connection::stream(number), .message = {}});
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
}
const world_counters& world::counters() const noexcept {
  return state_->counters;
}

}  // namespace artillery::sim
