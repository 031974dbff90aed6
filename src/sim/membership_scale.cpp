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
      victims_{world_.seed_for("membership.victims")} {}

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
  for (host which = 0; which < nodes_.size(); ++which) {
    nodes_[which].sent_before = core(which).counted().datagrams_sent;
  }
  const time_point end = world_.now() + plan_.idle;
  while (world_.now() < end) {
    world_.run_for(std::min<duration>(look_interval, end - world_.now()));
    look("idle");
  }
  into.idle = plan_.idle;
  into.idle_load = sent_so_far() - before;
  for (host which = 0; which < nodes_.size(); ++which) {
    into.idle_load.datagrams_of_busiest =
        std::max(into.idle_load.datagrams_of_busiest, core(which).counted().datagrams_sent - nodes_[which].sent_before);
  }
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
