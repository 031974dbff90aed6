#include "sim/membership_run.hpp"

#include <algorithm>
#include <string>

#include "sim/membership_demands.hpp"
#include "sim/membership_forgery.hpp"
#include "sim/membership_swarm.hpp"
#include "sim/membership_world.hpp"

namespace artillery::sim {
namespace {

using namespace std::chrono_literals;

/// One that talks without end, faster than news may be pushed on.
constexpr std::uint32_t chatter_events = 400;
constexpr duration chatter_spacing = 1ms;

/// More than one frame of a narrow stream's queue.
constexpr std::size_t large_message = 20'000;

/// Within this a drifting clock is off by nothing that matters; and after it what a timer sends is out, and no answer
/// in.
constexpr duration timer_is_near = 2ms;
constexpr duration question_is_out = 50us;

detail::random random_of(std::uint64_t seed) {
  return detail::random{seed}.fork("membership.run");
}

class run {
public:
  run(std::uint64_t seed, const run_options& options)
      : random_{random_of(seed)},
        swarm_{draw_membership_swarm(random_, options)},
        world_{seed, swarm_.settings, swarm_.links, swarm_.is_ipv6},
        demands_{world_, random_} {
    world_.world().watch(options.watch);
  }

  run_result result() {
    start();
    suffer();
    heal();
    demands_.convergence("after healing", swarm_.length);
    demands_.events();
    demands_.large_events();
    demands_.messages();
    demands_.queries();
    demands_.burst();
    demands_.idle_load();
    demands_.restarting();
    demands_.replaying();
    demands_.meeting();
    demands_.leaving();
    demands_.completeness();
    demands_.memory();
    return summary();
  }

private:
  [[nodiscard]] std::vector<host> all_but(host which) const {
    std::vector<host> others;
    for (host h = 0; h < swarm_.nodes; ++h) {
      if (h != which) others.push_back(h);
    }
    return others;
  }

  void start() {
    detail::random random = random_.fork("start");
    world_.world().set_stream_limits(swarm_.streams);
    for (host h = 0; h < swarm_.nodes; ++h) {
      const auto wait = std::chrono::milliseconds{random.below(1'000)};
      world_.add(h == 0 ? all_but(0) : std::vector<host>{0, h - 1});
      if (swarm_.staggered) world_.run_for(wait);
    }
    world_.set_clock_drift(swarm_.clock_drift);
    world_.checkers().expect_no_suspicions(swarm_.faultless());
    world_.checkers().expect_no_baseless_suspicions(swarm_.lossless_network());
    world_.checkers().expect_no_false_positives(swarm_.mild_network());
    demands_.convergence("after the start", 0s);
  }

  /// Faults and calls at the times drawn, then the end of the faulty phase.
  void suffer() {
    const time_point begin = world_.world().now();
    faults_end_ = begin + swarm_.length;
    for (const membership_choice& c : swarm_.plan) {
      world_.world().schedule(begin + c.at, [this, &c] { act(c); });
    }
    world_.run_for(swarm_.length);
  }

  void act(const membership_choice& c) {
    sim::world& w = world_.world();
    switch (c.act) {
      case membership_act::crash:
        if (w.is_up(c.which)) world_.crash(c.which);
        return;
      case membership_act::power_off:
        if (w.is_up(c.which)) world_.power_off(c.which);
        return;
      case membership_act::crash_midway: return crash_midway(c);
      case membership_act::restart: return restart_somebody(c);
      case membership_act::pause: return pause(c);
      case membership_act::suspend: return c.value / 2 % 2 == 0 ? suspend(c) : suspend_while_it_waits(c);
      case membership_act::partition: return partition(c, {});
      case membership_act::bridge: return partition(c, c.other);
      case membership_act::one_way: return cut_one_way(c);
      case membership_act::clog: return clog(c);
      case membership_act::forge: return forge_something(c);
      case membership_act::leave:
        if (!world_.is_member(c.which) || w.is_paused(c.which)) return;
        ++leaves_;
        return world_.leave(c.which);
      case membership_act::change_tags: return change_tags(c);
      case membership_act::broadcast:
        ++operations_;
        return world_.broadcast(c.which, c.value % 2 == 0 ? "left" : "right",
                                c.value / 2 % 16 == 0 ? large_message : 0);
      case membership_act::chatter: return chatter(c);
      case membership_act::send: return send(c);
      case membership_act::query: return query(c);
    }
  }

  /// In an input soon, after some of what is done in it.
  void crash_midway(const membership_choice& c) {
    sim::world& w = world_.world();
    if (!w.is_up(c.which)) return;
    const crash_point when{
        .inputs = c.value % 8, .effects = c.value / 8 % 8, .machine_goes_dark = c.value / 64 % 2 == 0};
    w.crash_at_event(c.which, when, [this] { ++midway_crashes_; });
  }

  void restart(host which, bool same_id) {
    ++restarts_;
    world_.restart(which, all_but(which), same_id);
  }

  /// One of those that are down, if any is.
  void restart_somebody(const membership_choice& c) {
    for (host i = 0; i < swarm_.nodes; ++i) {
      const host which = (c.which + i) % swarm_.nodes;
      if (!world_.world().is_up(which)) return restart(which, c.value % 2 == 0);
    }
  }

  void pause(const membership_choice& c) {
    sim::world& w = world_.world();
    if (!w.is_up(c.which) || w.is_paused(c.which)) return;
    w.pause(c.which);
    world_.disturb_by_stop(c.which, c.length);
    w.schedule(w.now() + c.length, [this, which = c.which] {
      if (!world_.is_given_up(which)) world_.world().resume(which);
    });
  }

  /// No longer than the faults last.
  void suspend(const membership_choice& c) {
    sim::world& w = world_.world();
    const duration left = faults_end_ - w.now();
    if (!w.is_up(c.which) || w.is_paused(c.which) || left <= duration::zero()) return;
    world_.suspend(c.which, std::min(c.length, left), c.value % 2 == 0);
  }

  /// Just when its next timer has gone off, so that it sleeps while what it asked for is under way. In two steps, since
  /// its clock may drift.
  void suspend_while_it_waits(const membership_choice& c) {
    sim::world& w = world_.world();
    const membership::core* core = world_.core(c.which);
    const auto due = core == nullptr ? std::nullopt : core->next_deadline();
    if (!due || w.now() >= faults_end_) return;
    const duration left = std::max<duration>(*due - w.local_time(c.which), duration::zero());
    if (left > timer_is_near) {
      w.schedule(w.now() + left - timer_is_near / 2, [this, &c] { suspend_while_it_waits(c); });
    } else {
      w.schedule(w.now() + left + question_is_out, [this, &c] { suspend(c); });
    }
  }

  void partition(const membership_choice& c, std::optional<host> bridge) {
    sim::world& w = world_.world();
    std::vector<host> side;
    for (host h = 0; h < swarm_.nodes; ++h) {
      if ((c.value >> (h % 64) & 1U) != 0) side.push_back(h);
    }
    ++partitions_;
    bridges_ += bridge ? 1U : 0U;
    w.partition(side, bridge);
    world_.disturb_network(w.now() + c.length);
    w.schedule(w.now() + c.length, [this] { world_.world().heal(); });
  }

  void cut_one_way(const membership_choice& c) {
    if (c.other == c.which) return;
    sim::world& w = world_.world();
    w.cut(c.which, c.other);
    world_.disturb_network(w.now() + c.length);
    w.schedule(w.now() + c.length, [this, from = c.which, to = c.other] { world_.world().mend(from, to); });
  }

  void clog(const membership_choice& c) {
    if (c.other == c.which) return;
    sim::world& w = world_.world();
    ++clogs_;
    w.clog(c.which, c.other);
    world_.disturb_network(w.now() + c.length);
    w.schedule(w.now() + c.length, [this, from = c.which, to = c.other] { world_.world().unclog(from, to); });
  }

  void chatter(const membership_choice& c) {
    ++chatters_;
    for (std::uint32_t i = 0; i < chatter_events; ++i) {
      world_.world().schedule(world_.world().now() + chatter_spacing * static_cast<int>(i), [this, from = c.which] {
        ++operations_;
        world_.broadcast(from, "chatter");
      });
    }
  }

  /// Every other one reliably, of these some that are much larger than a datagram.
  void send(const membership_choice& c) {
    if (c.other == c.which) return;
    ++operations_;
    const bool reliable = c.value % 2 == 0;
    const std::size_t more = reliable && c.value / 2 % 8 == 0 ? large_message : 0;
    static_cast<void>(world_.send(c.which, c.other, reliable, more));
  }

  /// Every other one names whom it asks.
  void query(const membership_choice& c) {
    ++operations_;
    std::vector<host> named;
    if (c.value % 2 == 0) named = {c.other, static_cast<host>(c.value / 2 % swarm_.nodes)};
    static_cast<void>(world_.query(c.which, named, std::chrono::milliseconds{100 + c.value / 256 % 10'000}));
  }

  void forge_something(const membership_choice& c) {
    detail::random random{c.value};
    const auto kind = static_cast<forgery>(random.below(forgeries));
    const forgery_target of{world_.id(c.which), world_.boot(c.which), world_.at(c.which)};
    std::vector<node_id> made_up;
    const forgery_target to{world_.id(c.other), world_.boot(c.other), world_.at(c.other)};
    const auto datagrams = forge(kind, of, to, detail::cluster_tag(swarm_.settings.cluster), random, made_up);
    if (kind == forgery::made_up) {
      for (const node_id& id : made_up) world_.checkers().allow_made_up(id);
    }
    ++forgeries_;
    for (const bytes& datagram : datagrams) {
      world_.inject(c.other, world_.at(c.which), datagram);
    }
  }

  void change_tags(const membership_choice& c) {
    ++operations_;
    world_.call(c.which,
                [value = c.value % 1'000](membership::core& core, time_point now, membership::core::effects_type& out) {
                  static_cast<void>(core.set_tags({{"role", std::to_string(value)}}, now, out));
                });
  }

  /// Faults end for all, or for all but a few; who is down may come back or stay so.
  void heal() {
    detail::random random = random_.fork("heal");
    sim::world& w = world_.world();
    w.heal();
    w.set_faults(link_faults{});
    for (host h = 0; h < swarm_.nodes; ++h) {
      // Whatever crash is still to come does not.
      if (w.is_up(h)) w.crash_at_event(h, crash_point{.inputs = ~std::uint64_t{0}});
    }
    for (host h = 0; h < swarm_.nodes; ++h) {
      const std::uint64_t fate = random.below(4);
      const bool same_id = random.chance(1, 2);
      // Node 0 is everybody's seed: without it those who have not met yet could never meet.
      const bool comes_back = h == 0 || fate < 2;
      if (w.is_paused(h) && (comes_back || !swarm_.stays_broken)) w.resume(h);
      if (w.is_paused(h)) world_.give_up(h);
      const membership::core* c = world_.core(h);
      if (c != nullptr && c->has_left()) world_.crash(h);
      if (!w.is_up(h) && comes_back) restart(h, same_id);
    }
  }

  run_result summary() {
    run_result r;
    sim::world& w = world_.world();
    const auto& seen = world_.checkers().seen();
    const membership_demands::figures& reached = demands_.reached();
    r.trace_hash = w.trace_hash();
    r.violations = world_.checkers().violations();
    r.choices = swarm_.choices;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(w.now().time_since_epoch() - 1h).count();
    r.counters = {{"operations", operations_ + leaves_ + reached.operations},
                  {"events", w.counters().events},
                  {"cluster_seconds", static_cast<std::uint64_t>(seconds)},
                  {"node_seconds", static_cast<std::uint64_t>(seconds) * swarm_.nodes},
                  {"nodes_max", swarm_.nodes},
                  {"crashes", w.counters().crashes},
                  {"restarts", restarts_ + reached.restarts},
                  {"pauses", w.counters().pauses},
                  {"partitions", partitions_},
                  {"bridges", bridges_},
                  {"clogs", clogs_},
                  {"crashes_midway", midway_crashes_},
                  {"suspensions", w.counters().suspensions},
                  {"clocks_drifting", swarm_.clock_drift.size()},
                  {"streams_congested", w.counters().streams_congested},
                  {"chatters", chatters_},
                  {"forgeries", forgeries_},
                  {"leaves", leaves_},
                  {"datagrams_lost", w.counters().datagrams_lost},
                  {"events_delivered", seen.user_events},
                  {"events_skipped", seen.gaps},
                  {"messages_sent", world_.messages().seen().sent},
                  {"messages_delivered", world_.messages().seen().given},
                  {"messages_failed", world_.messages().seen().failed},
                  {"queries_asked", world_.queries().seen().asked},
                  {"queries_heard", world_.queries().seen().heard},
                  {"answers", world_.queries().seen().answers},
                  {"joined", seen.joined},
                  {"suspected", seen.suspected},
                  {"recovered", seen.recovered},
                  {"failed", seen.failed},
                  {"false_positives", seen.false_positives},
                  {"left", seen.left},
                  {"updated", seen.updated},
                  {"deaths_detected", reached.deaths_detected},
                  {"detection_last_ms", reached.detection_last_ms},
                  {"detection_permille_max", reached.detection_permille_max},
                  {"convergence_last_ms", reached.convergence_last_ms},
                  {"convergence_permille_max", reached.convergence_permille_max},
                  {"second_bytes_max", seen.second_bytes_max},
                  {"second_datagrams_permille_max", seen.second_datagrams_permille_max},
                  {"held_max", seen.held_max}};
    return r;
  }

  detail::random random_;
  membership_swarm swarm_;
  membership_world world_;
  membership_demands demands_;
  time_point faults_end_;
  std::uint64_t operations_ = 0;
  std::uint64_t restarts_ = 0;
  std::uint64_t partitions_ = 0;
  std::uint64_t bridges_ = 0;
  std::uint64_t clogs_ = 0;
  std::uint64_t midway_crashes_ = 0;
  std::uint64_t chatters_ = 0;
  std::uint64_t leaves_ = 0;
  std::uint64_t forgeries_ = 0;
};

}  // namespace

membership_swarm membership_swarm_of(std::uint64_t seed, const run_options& options) {
  return draw_membership_swarm(random_of(seed), options);
}

run_result run_membership_seed(std::uint64_t seed, const run_options& options) {
  return run{seed, options}.result();
}

}  // namespace artillery::sim
