#include "sim/register_world.hpp"

#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/wire.hpp"
#include "sim/register_checks.hpp"
#include "sim/register_member.hpp"
#include "sim/register_swarm.hpp"
#include "sim/register_voter.hpp"

namespace artillery::sim {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t chain_number = 1;
/// After all is healed: when everything must be in order again. Far more than the slowest back-off needs.
constexpr duration register_patience = 60s;

class register_run {
public:
  register_run(std::uint64_t seed, const run_options& options)
      : swarm_{register_swarm_of(seed, options)},
        checks_{swarm_.voters},
        disks_(swarm_.voters),
        disk_lives_(swarm_.voters, 1),
        lives_(swarm_.members, 0),
        world_{seed} {
    world_.watch(options.watch);
    be_calm();
    swarm_.proposer.cluster = register_cluster;
    swarm_.proposer.chain = chain_number;
  }

  run_result run() {
    build();
    go(swarm_.calm, [] { return false; });
    world_.set_faults(swarm_.faults);
    world_.set_disk_faults(swarm_.disks);
    const time_point began = world_.now();
    for (const register_fault& fault : swarm_.fault_events) {
      if (fault.what != register_fault::kind::none) {
        world_.schedule(began + fault.at, [this, fault] { strike(fault); });
      }
    }
    go(swarm_.fault_phase, [] { return false; });
    heal();
    if (must_make_progress()) {
      go(register_patience, [this] {
        start_again_whose_disk_refused();
        return is_in_order();
      });
      if (checks_.violations().empty() && !is_in_order()) tell_what_is_missing();
    } else {
      ++stopped_;
      go(1s, [] { return false; });
    }
    return result();
  }

private:
  // --- building ---

  static endpoint voter_place(std::size_t i) { return endpoint::v4(10, 0, 1, static_cast<std::uint8_t>(i), 7400); }
  static endpoint member_place(std::size_t i) { return endpoint::v4(10, 0, 2, static_cast<std::uint8_t>(i), 7400); }
  [[nodiscard]] host voter_host(std::size_t i) const { return i; }
  [[nodiscard]] host member_host(std::size_t i) const { return swarm_.voters + i; }

  [[nodiscard]] replication::member member_now(std::size_t i) const {
    return {{{2, i + 1}, lives_[i]}, member_place(i)};
  }

  std::unique_ptr<program> voter(std::size_t i) {
    voter_program::identity self;
    self.index = i;
    self.cluster = detail::cluster_tag(register_cluster);
    self.chain = chain_number;
    self.fresh = {{1, i + 1}, disk_lives_[i]};
    return std::make_unique<voter_program>(self, disks_[i], checks_, world_);
  }

  std::unique_ptr<program> member(std::size_t i) {
    ++lives_[i];
    replication::proposer_config config = swarm_.proposer;
    config.node = {2, i + 1};
    for (std::size_t v = 0; v < swarm_.voters; ++v) config.voters.push_back({{{1, v + 1}, 0}, voter_place(v)});
    const member_program::identity self{{i, lives_[i]}, member_now(i).id, member_place(i)};
    const std::string name = "member " + std::to_string(i) + " life " + std::to_string(lives_[i]);
    return std::make_unique<member_program>(self, config, swarm_.driving[i], world_.seed_for(name), checks_, figures_,
                                            world_, [this] {
                                              std::vector<replication::member> all;
                                              for (std::size_t m = 0; m < swarm_.members; ++m) {
                                                all.push_back(member_now(m));
                                              }
                                              return all;
                                            });
  }

  [[nodiscard]] replication::view first_view() const {
    replication::view v;
    v.chain = chain_number;
    v.epoch = 1;
    for (const std::size_t i : swarm_.first) v.replicas.push_back(member_now(i));
    for (const replication::member& one : v.replicas) v.readers.push_back(one.id);
    v.leases = replication::lease_mode::timed;
    v.lease = swarm_.lease;
    v.drift_ppm = swarm_.drift_ppm;
    return v;
  }

  void build() {
    for (std::size_t i = 0; i < swarm_.voters; ++i) world_.add(voter_place(i), voter(i));
    for (std::size_t i = 0; i < swarm_.members; ++i) world_.add(member_place(i), member(i));
    for (host h = 0; h < world_.hosts(); ++h) {
      world_.set_clock_drift(h, swarm_.clock_drift[h]);
      if (swarm_.clock_drift[h] != 0) ++clocks_drifting_;
    }
    const replication::view first = first_view();
    for (std::size_t i = 0; i < swarm_.founders; ++i) found(i, first);
    if (!swarm_.has_other_founder) return;
    replication::view other = first;
    std::reverse(other.replicas.begin(), other.replicas.end());
    other.drift_ppm += 1;
    found(swarm_.members - 1, other);
  }

  void found(std::size_t i, const replication::view& first) {
    call_member(i, [first](member_program& p, time_point now, network_effects& out) { p.found(first, now, out); });
  }

  template <class Input>
  void call_member(std::size_t i, Input input) {
    world_.call(member_host(i), [input](program& p, time_point now, network_effects& out) {
      input(static_cast<member_program&>(p), now, out);
    });
  }
  [[nodiscard]] const member_program& member_at(std::size_t i) {
    return static_cast<const member_program&>(*world_.running(member_host(i)));
  }

  // --- faults ---

  void strike(const register_fault& fault) {
    const host any = static_cast<host>(fault.draw % world_.hosts());
    const host other = (any + 1 + fault.draw / 7 % (world_.hosts() - 1)) % world_.hosts();
    const auto which = static_cast<std::size_t>(fault.draw / 64 % swarm_.voters);
    switch (fault.what) {
      case register_fault_kind::none: return;
      case register_fault_kind::cut_one_way: return world_.cut(any, other);
      case register_fault_kind::isolate: return world_.isolate(any);
      case register_fault_kind::split: world_.split(); return;
      case register_fault_kind::bridge: return divide(fault.draw);
      case register_fault_kind::heal: return world_.heal();
      case register_fault_kind::pause: return world_.pause(any);
      case register_fault_kind::resume: return world_.resume(any);
      case register_fault_kind::suspend:
        return world_.suspend(any, duration{static_cast<duration::rep>(fault.draw / 64 % 600'000'000)});
      case register_fault_kind::crash_voter: return crash_voter(which, fault.draw, false);
      case register_fault_kind::lose_disk: return crash_voter(which, fault.draw, true);
      case register_fault_kind::crash_voter_midway: return crash_voter_midway(which, fault.draw);
      case register_fault_kind::crash_all_voters: return crash_all_voters(fault.draw);
      case register_fault_kind::crash_member:
        return crash_member(static_cast<std::size_t>(fault.draw / 64 % swarm_.members));
    }
  }

  void divide(std::uint64_t draw) {
    const host seen_by_all = draw % world_.hosts();
    std::vector<host> side;
    for (host h = 0; h < world_.hosts(); ++h) {
      if (h != seen_by_all && (draw >> (8 + h % 32) & 1U) != 0) side.push_back(h);
    }
    world_.partition(side, seen_by_all);
  }

  static duration downtime(std::uint64_t draw) {
    return duration{static_cast<duration::rep>(draw / 4096 % 300'000'000)};
  }

  void crash_voter(std::size_t i, std::uint64_t draw, bool loses_disk) {
    if (!world_.is_up(voter_host(i)) || (loses_disk && is_last_intact(i))) return;
    world_.crash(voter_host(i));
    voter_is_down(i, draw);
    if (loses_disk) lose_disk(i);
  }

  /// Where all voters have lost their disks nobody knows that there was a register: another one may be founded.
  [[nodiscard]] bool is_last_intact(std::size_t i) const {
    for (std::size_t other = 0; other < swarm_.voters; ++other) {
      const bool is_lost = std::find(lost_.begin(), lost_.end(), other) != lost_.end();
      if (other != i && !is_lost) return false;
    }
    return true;
  }

  void crash_voter_midway(std::size_t i, std::uint64_t draw) {
    if (!world_.is_up(voter_host(i))) return;
    const crash_point when{.inputs = draw / 64 % 8, .effects = draw / 512 % 3, .machine_goes_dark = false};
    world_.crash_at_event(voter_host(i), when, [this, i, draw] { voter_is_down(i, draw); });
  }

  /// Back one after another, so soon that leases from before are still in force.
  void crash_all_voters(std::uint64_t draw) {
    ++power_failures_;
    for (std::size_t i = 0; i < swarm_.voters; ++i) {
      if (!world_.is_up(voter_host(i))) continue;
      world_.crash(voter_host(i));
      ++voter_crashes_;
      const duration away{static_cast<duration::rep>((draw / 64 >> 4 * i) % 16 * 1'000'000)};
      world_.schedule(world_.now() + away, [this, i] { bring_up(i); });
    }
  }

  void voter_is_down(std::size_t i, std::uint64_t draw) {
    ++voter_crashes_;
    world_.schedule(world_.now() + downtime(draw), [this, i] { bring_up(i); });
  }

  void lose_disk(std::size_t i) {
    world_.set_disk(voter_host(i), {});
    const bool was_a_voter = disks_[i].durable.is_founded();
    disks_[i] = {};
    ++disk_lives_[i];
    ++disks_lost_;
    if (was_a_voter) {
      lost_.push_back(i);
      checks_.lost(i);
    }
  }

  void bring_up(std::size_t i) {
    if (!world_.is_up(voter_host(i))) world_.restart(voter_host(i), voter(i));
  }

  void crash_member(std::size_t i) {
    if (!world_.is_up(member_host(i))) return;
    world_.crash(member_host(i));
    ++member_crashes_;
    world_.restart(member_host(i), member(i));
  }

  // --- the run ---

  template <class Done>
  void go(duration length, Done done) {
    world_.run_until(
        [&] {
          watch_openings();
          return !checks_.violations().empty() || done();
        },
        length);
  }

  /// I6, at the moment at which a tail opens. (When a lease is given, the member says so itself.)
  void watch_openings() {
    if (openings_seen_ == checks_.openings()) return;
    openings_seen_ = checks_.openings();
    for (std::size_t i = 0; i < swarm_.members; ++i) {
      if (!world_.is_up(member_host(i))) continue;
      const auto held = member_at(i).lease(world_.local_time(member_host(i)));
      if (held) checks_.no_lease_outlives_gate(*held, world_.now());
    }
  }

  /// Nothing goes wrong: messages and writes take their time, that is all.
  void be_calm() {
    world_.set_faults({.delay_min = swarm_.faults.delay_min, .delay_mean = swarm_.faults.delay_mean});
    world_.set_disk_faults(disk_faults{.delay_mean = swarm_.disks.delay_mean});
  }

  void heal() {
    world_.heal();
    be_calm();
    for (host h = 0; h < world_.hosts(); ++h) world_.resume(h);
    for (std::size_t i = 0; i < swarm_.voters; ++i) {
      // One whose disk refused is silent until somebody starts it again.
      if (world_.is_up(voter_host(i)) && is_silent(i)) world_.crash(voter_host(i));
      bring_up(i);
    }
    for (std::size_t i = 0; i < swarm_.members; ++i) {
      call_member(i, [proposes = i == 0](member_program& p, time_point now, network_effects& out) {
        p.settle(proposes, now, out);
      });
    }
  }

  /// What was written as all was healed may still fail afterwards.
  void start_again_whose_disk_refused() {
    for (std::size_t i = 0; i < swarm_.voters; ++i) {
      if (!world_.is_up(voter_host(i))) continue;
      const auto* acceptor = static_cast<const voter_program&>(*world_.running(voter_host(i))).acceptor();
      if (acceptor == nullptr || !acceptor->is_silent()) continue;
      world_.crash(voter_host(i));
      bring_up(i);
    }
  }

  [[nodiscard]] bool is_silent(std::size_t i) {
    const auto* acceptor = static_cast<const voter_program&>(*world_.running(voter_host(i))).acceptor();
    return acceptor == nullptr || acceptor->is_silent();
  }

  /// A majority of voters has the same first view and its disk.
  [[nodiscard]] bool must_make_progress() {
    std::vector<std::uint64_t> sound;
    for (std::size_t i = 0; i < swarm_.voters; ++i) {
      const bool is_lost = std::find(lost_.begin(), lost_.end(), i) != lost_.end();
      if (!is_lost && !disks_[i].is_damaged && disks_[i].durable.is_founded()) {
        sound.push_back(disks_[i].durable.genesis);
      }
    }
    return std::any_of(sound.begin(), sound.end(), [&](std::uint64_t one) {
      return static_cast<std::size_t>(std::count(sound.begin(), sound.end(), one)) > swarm_.voters / 2;
    });
  }

  /// Everybody has read the newest view, one more was chosen, and where its tail is here it has opened.
  [[nodiscard]] bool is_in_order() {
    for (std::size_t i = 0; i < swarm_.members; ++i) {
      if (!member_at(i).is_settled() || member_at(i).has_gate()) return false;
    }
    return true;
  }

  void tell_what_is_missing() {
    for (std::size_t i = 0; i < swarm_.members; ++i) {
      if (member_at(i).is_settled() && !member_at(i).has_gate()) continue;
      checks_.fail("the_register_answers_again", world_.now(),
                   "member " + std::to_string(i) + (member_at(i).has_gate() ? " waits for its gate" : " waits"));
    }
  }

  run_result result() {
    run_result r;
    r.trace_hash = world_.trace_hash();
    r.violations = checks_.violations();
    r.choices = swarm_.fault_events.size();
    for (std::size_t i = 0; i < swarm_.members; ++i) {
      if (world_.is_up(member_host(i))) member_at(i).count_into(figures_);
    }
    const world_counters& w = world_.counters();
    r.counters = {{"events", w.events},
                  {"operations", figures_.reads + figures_.swaps_chosen + figures_.swaps_refused + figures_.renewals +
                                     figures_.renewals_refused},
                  {"view_changes", checks_.newest() == 0 ? 0 : checks_.newest() - 1},
                  {"reads", figures_.reads},
                  {"short_reads", figures_.short_reads},
                  {"swaps_chosen", figures_.swaps_chosen},
                  {"swaps_refused", figures_.swaps_refused},
                  {"swaps_unknown", figures_.swaps_unknown},
                  {"ballots", figures_.ballots},
                  {"contentions", figures_.contentions},
                  {"renewals", figures_.renewals},
                  {"renewals_refused", figures_.renewals_refused},
                  {"leases_ended", figures_.leases_ended},
                  {"gates_none", figures_.gates_none},
                  {"gates_waited", figures_.gates_waited},
                  {"gates_early", figures_.gates_early},
                  {"foundings", figures_.foundings},
                  {"foundings_refused", figures_.foundings_refused},
                  {"alarms", figures_.alarms},
                  {"voter_crashes", voter_crashes_},
                  {"power_failures", power_failures_},
                  {"member_crashes", member_crashes_},
                  {"disks_lost", disks_lost_},
                  {"disk_errors", w.disk_errors},
                  {"records_torn", w.records_torn},
                  {"bits_rotten", w.bits_rotten},
                  {"clocks_drifting", clocks_drifting_},
                  {"pauses", w.pauses},
                  {"suspensions", w.suspensions},
                  {"datagrams_lost", w.datagrams_lost},
                  {"datagrams_duplicated", w.datagrams_duplicated},
                  {"without_majority", stopped_}};
    return r;
  }

  // What programs refer to outlives the world, which holds them.
  register_swarm swarm_;
  register_checks checks_;
  register_figures figures_;
  std::vector<voter_disk> disks_;
  std::vector<std::uint64_t> disk_lives_;  // how many disks a voter has had
  std::vector<std::uint64_t> lives_;       // of members
  std::vector<std::size_t> lost_;          // voters that were founded and lost their disks
  std::size_t openings_seen_ = 0;
  std::uint64_t voter_crashes_ = 0;
  std::uint64_t power_failures_ = 0;
  std::uint64_t member_crashes_ = 0;
  std::uint64_t disks_lost_ = 0;
  std::uint64_t clocks_drifting_ = 0;
  std::uint64_t stopped_ = 0;
  world world_;
};

}  // namespace

run_result run_register_seed(std::uint64_t seed, const run_options& options) {
  return register_run{seed, options}.run();
}

}  // namespace artillery::sim
