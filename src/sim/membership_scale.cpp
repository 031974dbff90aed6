#include "sim/membership_scale.hpp"

#include <algorithm>
#include <string>

#include "sim/membership_bounds.hpp"
#include "sim/membership_world.hpp"

namespace artillery::sim {
namespace {

using namespace std::chrono_literals;

/// How often it is looked at whether what is waited for has come. News takes longer.
constexpr duration look_interval = 100ms;
/// A member's whole state is checked every so many inputs, seldom enough to cost nothing.
constexpr std::uint32_t inputs_per_check = 1U << 12U;

/// Until somebody probes the dead one, e / (e - 1) intervals on average; until that probe has failed, one; and the time
/// that a suspect has when others confirm the suspicion, as they soon do.
duration first_report_expected(const membership::config& config, std::size_t members) {
  const duration probed = config.probe_interval * 1'582 / 1'000;
  return probed + config.probe_interval +
         membership::suspicion_timeout_min(config.suspicion_mult, members, config.probe_interval);
}

scale_load operator-(const scale_load& later, const scale_load& before) {
  return {.datagrams = later.datagrams - before.datagrams,
          .datagram_bytes = later.datagram_bytes - before.datagram_bytes,
          .frames = later.frames - before.frames,
          .frame_bytes = later.frame_bytes - before.frame_bytes};
}

}  // namespace

membership_scale::membership_scale(std::uint64_t seed, scale_plan plan)
    : plan_{std::move(plan)},
      world_{seed},
      identities_{world_.seed_for("membership.identities")},
      victims_{world_.seed_for("membership.victims")},
      talkers_{world_.seed_for("membership.talkers")} {}

scale_figures membership_scale::run(const std::function<void(duration, const char*)>& look) {
  look_ = look;
  begin_ = world_.now();
  scale_figures figures;
  figures.members = plan_.members;
  figures.first_expected = first_report_expected(plan_.settings, plan_.members);
  figures.last_bound =
      completeness_bound(plan_.settings, {.members = plan_.members, .known = plan_.members, .seeds_missing = 0});
  start_all();
  const time_point started = world_.now();
  figures.is_whole = run_until("joining", [this] { return is_whole(); });
  figures.joined = last_joined_ - started;
  if (figures.is_whole) {
    const time_point whole = world_.now();
    run_until("getting quiet", [this] { return is_quiet(); });
    figures.quiet = world_.now() - whole;
    figures.joining = sent_so_far();
    measure_idle(figures);
    if (plan_.busy > duration{}) measure_busy(figures);
    for (std::size_t i = 0; i < plan_.single_deaths; ++i) {
      for (const scale_detection& one : kill(1)) figures.single_deaths.push_back(one);
      restart_dead();
    }
    figures.joint_deaths = kill(std::min(plan_.joint_deaths, plan_.members / 4));
    if (plan_.restarts_all) restart_all(figures);
  }
  figures.false_reports = false_reports_;
  figures.simulated = world_.now() - begin_;
  figures.events = world_.counters().events;
  figures.trace_hash = world_.trace_hash();
  return figures;
}

// ---- what is done ----

std::unique_ptr<membership_host> membership_scale::make(host which) {
  membership::config config = plan_.settings;
  config.name = "n" + std::to_string(which);
  std::vector<endpoint> seeds;
  for (host seed = 0; seed < std::min(plan_.seeds, plan_.members); ++seed) {
    if (seed != which) seeds.push_back(membership_world::address_of(seed));
  }
  membership::core core{std::move(config), nodes_[which].who, detail::random{identities_.next()}};
  membership_observer& observer = *this;
  return std::make_unique<membership_host>(which, std::move(core), membership_world::address_of(which),
                                           std::move(seeds), observer, inputs_per_check);
}

void membership_scale::start_all() {
  for (host which = 0; which < plan_.members; ++which) {
    if (which > 0) world_.run_for(plan_.start_spacing);
    nodes_.push_back({.who = {.id = identities_.identity(), .boot = 1}});
    host_of_.emplace(nodes_.back().who.id, which);
    world_.add(membership_world::address_of(which), make(which));
    ++living_;
    look("starting");
  }
}

void membership_scale::measure_idle(scale_figures& into) {
  const scale_load before = sent_so_far();
  note_sent();
  const time_point end = world_.now() + plan_.idle;
  while (world_.now() < end) {
    world_.run_for(std::min<duration>(look_interval, end - world_.now()));
    look("idle");
  }
  into.idle = plan_.idle;
  into.idle_load = sent_since(before);
}

void membership_scale::measure_busy(scale_figures& into) {
  const scale_load before = sent_so_far();
  note_sent();
  const time_point begin = world_.now();
  make_news(into, begin);
  // What was said last is on its way yet, and whoever left last comes back.
  run_until("getting quiet", [this] { return is_whole() && is_quiet(); });
  into.busy = world_.now() - begin;
  into.busy_load = sent_since(before);
  into.events_delivered = events_delivered_;
}

void membership_scale::make_news(scale_figures& into, time_point begin) {
  time_point leaves_at = begin;
  for (time_point at = begin; at < begin + plan_.busy; at += scale_news::event_spacing) {
    send_event();
    ++into.events_sent;
    if (at >= leaves_at) {
      leave_and_return();
      ++into.leaves;
      leaves_at += scale_news::leave_spacing;
    }
    world_.run_for(scale_news::event_spacing);
    look("busy");
  }
}

void membership_scale::send_event() {
  const host from = drawn_member();
  world_.call(from, [](program& p, time_point now, network_effects& out) {
    static_cast<membership_host&>(p).run(
        [](membership::core& core, time_point at, membership::core::effects_type& effects) {
          static_cast<void>(core.broadcast("news", bytes{std::string(scale_news::event_size, 'x')}, at, effects));
        },
        now, out);
  });
}

/// It comes back when it is gone.
void membership_scale::leave_and_return() {
  const host which = drawn_member();
  nodes_[which].has_left = true;
  world_.call(which, [](program& p, time_point now, network_effects& out) {
    static_cast<membership_host&>(p).run(
        [](membership::core& core, time_point at, membership::core::effects_type& effects) {
          static_cast<void>(core.leave(at, effects));
        },
        now, out);
  });
}

void membership_scale::gone(std::size_t process, time_point now) {
  world_.schedule(now, [this, process] {
    world_.crash(process);
    ++nodes_[process].who.boot;
    nodes_[process].has_left = false;
    world_.restart(process, make(process));
  });
}

/// By whom nobody joins.
host membership_scale::drawn_member() {
  while (true) {
    const host which = plan_.seeds + static_cast<host>(talkers_.below(nodes_.size() - plan_.seeds));
    if (world_.is_up(which) && !nodes_[which].has_left) return which;
  }
}

void membership_scale::note_sent() {
  for (host which = 0; which < nodes_.size(); ++which) {
    nodes_[which].sent_before = core(which).counted().datagrams_sent;
  }
}

scale_load membership_scale::sent_since(const scale_load& before) {
  scale_load sent = sent_so_far() - before;
  for (host which = 0; which < nodes_.size(); ++which) {
    const std::uint64_t all = core(which).counted().datagrams_sent;
    // Who was started anew counts from nothing.
    const std::uint64_t own = all < nodes_[which].sent_before ? all : all - nodes_[which].sent_before;
    sent.datagrams_of_busiest = std::max(sent.datagrams_of_busiest, own);
  }
  return sent;
}

std::vector<scale_detection> membership_scale::kill(std::size_t count) {
  deaths_.clear();
  while (deaths_.size() < count) {
    // Whoever finds the cluster by them should find it.
    const host which = plan_.seeds + static_cast<host>(victims_.below(nodes_.size() - plan_.seeds));
    if (!world_.is_up(which)) continue;
    world_.crash(which);
    --living_;
    deaths_[which] = {.which = which, .boot = nodes_[which].who.boot, .at = world_.now(), .first = {}, .last = {}};
  }
  run_until("noticing deaths", [this] {
    return std::all_of(deaths_.begin(), deaths_.end(), [this](const auto& d) { return d.second.reports == living_; });
  });
  std::vector<scale_detection> detections;
  for (const auto& [which, d] : deaths_) {
    detections.push_back({.first = d.first - d.at, .last = d.last - d.at, .complete = d.reports == living_});
  }
  run_until("getting quiet", [this] { return is_quiet(); });
  return detections;
}

void membership_scale::restart_dead() {
  for (const auto& [which, d] : deaths_) {
    ++nodes_[which].who.boot;
    world_.restart(which, make(which));
    ++living_;
  }
  deaths_.clear();
  run_until("joining again", [this] { return is_whole(); });
  run_until("getting quiet", [this] { return is_quiet(); });
}

void membership_scale::restart_all(scale_figures& into) {
  for (host which = 0; which < nodes_.size(); ++which) {
    if (!world_.is_up(which)) continue;
    world_.run_for(plan_.start_spacing);
    world_.crash(which);
    ++nodes_[which].who.boot;
    world_.restart(which, make(which));
  }
  const time_point last = world_.now();
  const bool all_new =
      run_until("joining after the restart of all", [this] { return is_whole() && knows_no_old_life(); });
  if (all_new) into.restarted = world_.now() - last;
}

template <class Reached>
bool membership_scale::run_until(const char* what, Reached reached) {
  const time_point end = world_.now() + plan_.patience;
  while (world_.now() < end) {
    world_.run_for(look_interval);
    look(what);
    if (reached()) return true;
  }
  return false;
}

void membership_scale::look(const char* at) const {
  look_(world_.now() - begin_, at);
}

// ---- what is so ----

void membership_scale::delivered(std::size_t /*process*/, const membership::event& event, time_point now) {
  if (std::holds_alternative<membership::joined>(event)) last_joined_ = now;
  if (std::holds_alternative<membership::user_event>(event)) ++events_delivered_;
  const auto* failed = std::get_if<membership::failed>(&event);
  if (failed == nullptr) return;
  const host about = host_of_.at(failed->member.id);
  const auto found = deaths_.find(about);
  if (found == deaths_.end() || found->second.boot != failed->member.boot) {
    if (world_.is_up(about) && nodes_[about].who.boot == failed->member.boot) ++false_reports_;
    return;
  }
  death& d = found->second;
  if (d.reports++ == 0) d.first = now;
  d.last = now;
}

const membership::core& membership_scale::core(host which) {
  return static_cast<const membership_host*>(world_.running(which))->core();
}

bool membership_scale::is_whole() {
  for (host which = 0; which < nodes_.size(); ++which) {
    if (world_.is_up(which) && core(which).present() + 1 != living_) return false;
  }
  return true;
}

bool membership_scale::knows_no_old_life() {
  for (host which = 0; which < nodes_.size(); ++which) {
    if (!world_.is_up(which)) continue;
    for (const membership::member& each : core(which).members()) {
      const node& about = nodes_[host_of_.at(each.id)];
      if (each.state == membership::member_state::alive && each.boot != about.who.boot) return false;
    }
  }
  return true;
}

bool membership_scale::is_quiet() {
  for (host which = 0; which < nodes_.size(); ++which) {
    if (world_.is_up(which) && core(which).has_news()) return false;
  }
  return true;
}

scale_load membership_scale::sent_so_far() const {
  const world_counters& sent = world_.counters();
  return {.datagrams = sent.datagrams_sent,
          .datagram_bytes = sent.datagram_bytes_sent,
          .frames = sent.frames_sent,
          .frame_bytes = sent.frame_bytes_sent};
}

}  // namespace artillery::sim
