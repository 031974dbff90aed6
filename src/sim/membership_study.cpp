#include "sim/membership_study.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "sim/membership_world.hpp"

namespace artillery::sim {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t study_seeds = 3;
constexpr duration study_start_spacing = 5ms;
/// From the last start until nothing of it is left to tell.
constexpr duration study_settling = 30s;
/// A member's whole state is checked every so many inputs, seldom enough to cost nothing.
constexpr std::uint32_t study_inputs_per_check = 1U << 12U;

}  // namespace

membership_study::membership_study(std::uint64_t seed, study_plan plan)
    : plan_{std::move(plan)},
      world_{seed},
      identities_{world_.seed_for("study.identities")},
      victims_{world_.seed_for("study.victims")},
      slowness_{world_.seed_for("study.slowness")} {}

study_figures membership_study::run() {
  start_all();
  world_.run_for(study_settling);
  world_.set_faults({.loss = plan_.loss, .stream_reset = plan_.stream_loss});
  slow_down();
  const time_point began = world_.now();
  const std::uint64_t sent_before = world_.counters().datagrams_sent;
  while (world_.now() - began < plan_.length) {
    world_.run_for(plan_.between_deaths);
    kill_one();
  }
  figures_.datagrams = world_.counters().datagrams_sent - sent_before;
  figures_.watched = world_.now() - began;
  figures_.trace_hash = world_.trace_hash();
  return figures_;
}

std::unique_ptr<membership_host> membership_study::make(host which) {
  membership::config config = plan_.settings;
  config.name = "n" + std::to_string(which);
  std::vector<endpoint> seeds;
  for (host seed = 0; seed < study_seeds; ++seed) {
    if (seed != which) seeds.push_back(membership_world::address_of(seed));
  }
  membership::core core{std::move(config), nodes_[which].who, detail::random{identities_.next()}};
  membership_observer& observer = *this;
  return std::make_unique<membership_host>(which, std::move(core), membership_world::address_of(which),
                                           std::move(seeds), observer, study_inputs_per_check);
}

void membership_study::start_all() {
  for (host which = 0; which < plan_.members; ++which) {
    if (which > 0) world_.run_for(study_start_spacing);
    nodes_.push_back({.who = {.id = identities_.identity(), .boot = 1}, .believers = {}});
    host_of_.emplace(nodes_.back().who.id, which);
    world_.add(membership_world::address_of(which), make(which));
  }
}

// ---- slow members ----

duration membership_study::drawn(detail::random& from, duration most) {
  return duration{static_cast<duration::rep>(from.below(static_cast<std::uint64_t>(most.count()) + 1))};
}

void membership_study::slow_down() {
  for (std::size_t i = 0; i < plan_.slow; ++i) {
    const host which = plan_.members - 1 - i;
    nodes_[which].is_slow = true;
    if (plan_.late_mean > duration::zero()) {
      make_late(which);
    } else {
      go_on(which);
    }
  }
}

void membership_study::make_late(host which) {
  const link_faults late{.delay_mean = plan_.late_mean, .loss = plan_.loss, .stream_reset = plan_.stream_loss};
  for (host other = 0; other < plan_.members; ++other) {
    if (other == which) continue;
    world_.set_faults(which, other, late);
    world_.set_faults(other, which, late);
  }
}

void membership_study::stop(host which) {
  world_.pause(which);
  const duration length = drawn(slowness_, plan_.stopped_most);
  world_.schedule(world_.now() + length, [this, which] { go_on(which); });
}

void membership_study::go_on(host which) {
  if (world_.is_paused(which)) world_.resume(which);
  const duration length = drawn(slowness_, plan_.running_most);
  world_.schedule(world_.now() + length, [this, which] { stop(which); });
}

// ---- deaths, true and false ----

void membership_study::kill_one() {
  const host which = study_seeds + static_cast<host>(victims_.below(plan_.members - plan_.slow - study_seeds));
  nodes_[which].believers.clear();
  for (node& other : nodes_) other.believers.erase(which);
  death_ = death{.which = which, .at = world_.now(), .reporters = {}, .first = {}, .last = {}};
  world_.crash(which);
  const bool complete =
      world_.run_until([this] { return death_->reporters.size() == healthy_others(); }, plan_.patience);
  if (death_->reporters.empty()) death_->first = death_->last = world_.now();
  figures_.deaths.push_back(
      {.first = death_->first - death_->at, .last = death_->last - death_->at, .complete = complete});
  death_.reset();
  ++nodes_[which].who.boot;
  world_.restart(which, make(which));
}

void membership_study::delivered(std::size_t process, const membership::event& event, time_point now) {
  if (const auto* failed = std::get_if<membership::failed>(&event)) {
    reported(process, host_of_.at(failed->member.id), failed->member.boot, now);
  } else if (const auto* joined = std::get_if<membership::joined>(&event)) {
    nodes_[host_of_.at(joined->member.id)].believers.erase(process);
  }
}

void membership_study::reported(host by, host about, std::uint64_t boot, time_point now) {
  node& subject = nodes_[about];
  if (boot != subject.who.boot) return;
  if (death_ && death_->which == about) {
    if (nodes_[by].is_slow || !death_->reporters.insert(by).second) return;
    if (death_->reporters.size() == 1) death_->first = now;
    death_->last = now;
    return;
  }
  ++figures_.false_reports;
  if (subject.believers.empty()) ++(subject.is_slow ? figures_.false_deaths_of_slow : figures_.false_deaths_of_healthy);
  subject.believers.insert(by);
}

}  // namespace artillery::sim
