#include "sim/membership_run.hpp"

#include <algorithm>
#include <string>

#include "sim/membership_world.hpp"

namespace artillery::sim {
namespace {

using namespace std::chrono_literals;

/// Which families of faults a seed has, and how strong.
struct swarm {
  std::size_t nodes = 3;
  link_faults links;
  bool crashes = false;
  bool restarts = false;
  bool pauses = false;
  bool partitions = false;
  bool one_way_cuts = false;
  bool leaves = false;
  bool tag_changes = false;
  bool seedless = false;  ///< seeds serve for joining only: what heals must heal by itself
  std::uint32_t broadcasts = 0;
  std::uint32_t actions = 0;
  duration length{};

  /// Nothing that could make a sound node doubt another: loss alone is made good by the helpers and TCP.
  [[nodiscard]] bool faultless() const {
    return links.loss == 0 && links.reorder == 0 && links.corruption == 0 && links.stream_reset == 0 && calm();
  }
  /// Nothing that could keep a sound node from refuting in time.
  [[nodiscard]] bool mild() const { return links.loss <= 250 && calm(); }
  [[nodiscard]] bool calm() const { return !crashes && !pauses && !partitions && !one_way_cuts; }
};

swarm draw(detail::random& random, const membership_run_options& options) {
  swarm s;
  s.nodes = 3 + static_cast<std::size_t>(random.below(6));
  if (random.chance(1, 16)) s.nodes = 9 + static_cast<std::size_t>(random.below(8));
  s.nodes = std::min(s.nodes, std::max<std::size_t>(options.nodes_max, 3));
  const auto some = [&](std::uint64_t numerator, std::uint64_t denominator, std::uint32_t low, std::uint32_t high) {
    const bool present = random.chance(numerator, denominator);
    const auto strength = static_cast<std::uint32_t>(random.between(low, high));
    return present ? strength : 0U;
  };
  s.links.loss = some(1, 2, 5, 300);
  s.links.duplication = some(1, 3, 5, 200);
  s.links.reorder = some(1, 3, 5, 300);
  s.links.corruption = some(1, 4, 1, 50);
  s.links.stream_reset = some(1, 4, 5, 300);
  s.crashes = random.chance(1, 2);
  s.restarts = random.chance(2, 3);
  s.pauses = random.chance(1, 3);
  s.partitions = random.chance(1, 3);
  s.one_way_cuts = random.chance(1, 4);
  s.leaves = random.chance(1, 4);
  s.tag_changes = random.chance(1, 4);
  s.seedless = random.chance(1, 3);
  s.broadcasts = some(3, 4, 1, 40);
  s.actions = static_cast<std::uint32_t>(random.between(1, 24));
  s.length = std::chrono::milliseconds{random.between(5'000, 60'000)};
  return s;
}

class run {
public:
  run(std::uint64_t seed, const membership_run_options& options)
      : random_{detail::random{seed}.fork("membership.run")},
        swarm_{draw(random_, options)},
        world_{seed, settings(swarm_, random_), swarm_.links} {}

  run_result result() {
    join();
    suffer();
    heal();
    demand_events();
    demand_completeness();
    look_at_memory();
    return summary();
  }

private:
  static membership::config settings(const swarm& s, detail::random& random) {
    membership::config c = membership::config::lan();
    c.reconnect_interval = 2s;
    c.tombstone = 10min;
    if (s.seedless) c.seed_retry_max = 1h;
    if (random.chance(1, 4)) c.datagram_max = membership::datagram_size_least;
    if (random.chance(1, 6)) c.events_kept_max = 16;
    return c;
  }

  [[nodiscard]] std::vector<host> all_but(host which) const {
    std::vector<host> others;
    for (host h = 0; h < swarm_.nodes; ++h) {
      if (h != which) others.push_back(h);
    }
    return others;
  }

  void join() {
    const bool staggered = random_.chance(1, 2);
    for (host h = 0; h < swarm_.nodes; ++h) {
      world_.add(h == 0 ? all_but(0) : std::vector<host>{0, h - 1});
      if (staggered) world_.run_for(std::chrono::milliseconds{random_.below(1'000)});
    }
    world_.checkers().expect_no_suspicions(swarm_.faultless());
    world_.checkers().expect_no_failures(swarm_.mild());
    if (swarm_.seedless || swarm_.calm()) demand_convergence("after the start", 60s);
  }

  /// Actions and events at random times, then the end of the faulty phase.
  void suffer() {
    const time_point begin = world_.world().now();
    const auto sometime = [&] {
      return begin +
             duration{static_cast<duration::rep>(random_.below(static_cast<std::uint64_t>(swarm_.length.count())))};
    };
    for (std::uint32_t i = 0; i < swarm_.actions; ++i) {
      const time_point when = sometime();
      world_.world().schedule(when, [this] { act(); });
    }
    for (std::uint32_t i = 0; i < swarm_.broadcasts; ++i) {
      const time_point when = sometime();
      const auto from = static_cast<host>(random_.below(swarm_.nodes));
      const std::string topic = random_.chance(1, 2) ? "left" : "right";
      world_.world().schedule(when, [this, from, topic] {
        world_.broadcast(from, topic);
        ++broadcasts_;
      });
    }
    world_.run_for(swarm_.length);
  }

  void act() {
    const auto which = static_cast<host>(random_.below(swarm_.nodes));
    const std::uint64_t what = random_.below(8);
    sim::world& w = world_.world();
    switch (what) {
      case 0:
      case 1:
        if (swarm_.crashes && w.is_up(which)) {
          if (random_.chance(1, 2)) {
            world_.crash(which);
          } else {
            world_.power_off(which);
          }
        }
        return;
      case 2:
      case 3:
        if (swarm_.restarts && !w.is_up(which)) restart(which);
        return;
      case 4:
        if (swarm_.pauses && w.is_up(which) && !w.is_paused(which)) {
          w.pause(which);
          const auto length = std::chrono::milliseconds{random_.between(50, 20'000)};
          w.schedule(w.now() + length, [this, which] { world_.world().resume(which); });
        }
        return;
      case 5:
        if (swarm_.partitions) return partition();
        return;
      case 6:
        if (swarm_.one_way_cuts) {
          const auto other = static_cast<host>(random_.below(swarm_.nodes));
          if (other == which) return;
          w.cut(which, other);
          const auto length = std::chrono::milliseconds{random_.between(500, 15'000)};
          w.schedule(w.now() + length, [this, which, other] { world_.world().mend(which, other); });
        }
        return;
      default:
        if (swarm_.leaves && random_.chance(1, 2) && world_.is_member(which) && !w.is_paused(which)) {
          ++leaves_;
          return world_.leave(which);
        }
        if (swarm_.tag_changes) change_tags(which);
        return;
    }
  }

  void restart(host which) {
    ++restarts_;
    const bool same_id = random_.chance(1, 2);
    world_.restart(which, all_but(which), same_id);
  }

  void partition() {
    std::vector<host> side;
    for (host h = 0; h < swarm_.nodes; ++h) {
      if (random_.chance(1, 2)) side.push_back(h);
    }
    ++partitions_;
    world_.world().partition(side);
    const auto length = std::chrono::milliseconds{random_.between(500, 25'000)};
    world_.world().schedule(world_.world().now() + length, [this] { world_.world().heal(); });
  }

  void change_tags(host which) {
    const std::uint64_t value = random_.below(1'000);
    world_.call(which, [value](membership::core& core, time_point now, membership::core::effects_type& out) {
      static_cast<void>(core.set_tags({{"role", std::to_string(value)}}, now, out));
    });
  }

  /// Faults end; who is down may come back or stay so.
  void heal() {
    sim::world& w = world_.world();
    w.heal();
    w.set_faults(link_faults{});
    for (host h = 0; h < swarm_.nodes; ++h) {
      if (w.is_paused(h)) w.resume(h);
      const membership::core* c = world_.core(h);
      if (c != nullptr && c->has_left()) world_.crash(h);
    }
    for (host h = 0; h < swarm_.nodes; ++h) {
      // Node 0 is everybody's seed: without it those who have not met yet could never meet.
      const bool comes_back = h == 0 || random_.chance(1, 2);
      if (!w.is_up(h) && comes_back) restart(h);
    }
    demand_convergence("after healing", 120s);
  }

  void demand_convergence(const char* when, duration limit) {
    const time_point before = world_.world().now();
    if (!world_.run_until_converged(limit)) {
      world_.checkers().violate(world_.world().now(),
                                std::string{"no convergence "} + when + ": " + world_.difference());
      return;
    }
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(world_.world().now() - before);
    slowest_convergence_ms_ = std::max(slowest_convergence_ms_, static_cast<std::uint64_t>(took.count()));
  }

  /// In sound times every event reaches every member, once.
  void demand_events() {
    if (!world_.checkers().violations().empty()) return;
    world_.run_for(3s);
    const auto members = world_.members();
    const std::string topic = "final";
    for (host from : members) {
      const auto count = random_.between(1, 3);
      for (std::uint64_t i = 0; i < count; ++i) {
        world_.broadcast(from, topic);
        ++broadcasts_;
        // With a tiny store a burst would push events out before they are told.
        if (world_.settings().events_kept_max < members.size() * 3) world_.run_for(300ms);
      }
    }
    // A node whose health suffered probes every nine seconds only.
    world_.run_for(12s);
    for (host from : members) {
      for (host to : members) {
        if (from == to) continue;
        const auto& seen = world_.checkers().events_seen(world_.process(to), world_.process(from), topic);
        const std::uint64_t sent = world_.sent_on(world_.process(from), topic);
        if (seen.size() == sent) continue;
        world_.checkers().violate(world_.world().now(),
                                  "n" + std::to_string(to) + " got " + std::to_string(seen.size()) + " of " +
                                      std::to_string(sent) + " final events of n" + std::to_string(from) +
                                      " (settled up to " +
                                      std::to_string(world_.core(to)->events_base(world_.id(from))) + " of " +
                                      std::to_string(world_.core(from)->events_base(world_.id(from))) + ")");
      }
    }
  }

  /// M2, and leaving: a dead member is reported failed by all, one that left is reported left.
  void demand_completeness() {
    if (!world_.checkers().violations().empty()) return;
    world_.checkers().expect_no_failures(false);
    world_.checkers().expect_no_suspicions(false);
    auto members = world_.members();
    if (members.size() < 3) return;
    random_.shuffle(members);
    const host dead = members[0];
    const host leaver = members[1];
    const node_id dead_id = world_.id(dead);
    const node_id leaver_id = world_.id(leaver);
    const std::vector<host> rest{members.begin() + 2, members.end()};
    world_.leave(leaver);
    world_.run_for(5s);
    for (host h : rest) {
      if (!world_.checkers().reported_left(world_.process(h), leaver_id)) {
        world_.checkers().violate(world_.world().now(),
                                  "n" + std::to_string(h) + " does not know that n" + std::to_string(leaver) + " left");
      }
    }
    ++leaves_;
    world_.crash(leaver);
    const time_point died = world_.world().now();
    world_.power_off(dead);
    const auto all_know = [&] {
      return std::all_of(rest.begin(), rest.end(),
                         [&](host h) { return world_.checkers().reported_failed(world_.process(h), dead_id); });
    };
    // Everybody's turn comes within two rounds of probing; then the longest suspicion; then the word gets about.
    const membership::config& c = world_.settings();
    const auto n = static_cast<std::uint32_t>(members.size());
    const duration bound =
        c.probe_interval * (2 * n + 3) +
        membership::suspicion_timeout_min(c.suspicion_mult, n, c.probe_interval) * c.suspicion_max_mult + 5s;
    if (!world_.world().run_until(all_know, bound)) {
      world_.checkers().violate(world_.world().now(), "the death of n" + std::to_string(dead) + " is not known to all");
      return;
    }
    detection_ms_ = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(world_.world().now() - died).count());
  }

  /// M6: nothing is left over when there is nothing to do.
  void look_at_memory() {
    if (!world_.checkers().violations().empty()) return;
    world_.run_for(5s);
    for (host h : world_.members()) {
      const membership::core& c = *world_.core(h);
      c.check_invariants();
      const std::size_t most = world_.settings().events_kept_max + world_.settings().seeds_max + 64;
      if (c.held() > most) {
        world_.checkers().violate(world_.world().now(),
                                  "n" + std::to_string(h) + " holds " + std::to_string(c.held()) + " things when idle");
      }
    }
  }

  run_result summary() {
    run_result r;
    sim::world& w = world_.world();
    const auto& seen = world_.checkers().seen();
    r.trace_hash = w.trace_hash();
    r.violations = world_.checkers().violations();
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(w.now().time_since_epoch() - 1h).count();
    r.counters = {{"events", w.counters().events},
                  {"node_seconds", static_cast<std::uint64_t>(seconds) * swarm_.nodes},
                  {"crashes", w.counters().crashes},
                  {"restarts", restarts_},
                  {"pauses", w.counters().pauses},
                  {"partitions", partitions_},
                  {"leaves", leaves_},
                  {"datagrams_lost", w.counters().datagrams_lost},
                  {"broadcasts", broadcasts_},
                  {"events_delivered", seen.user_events},
                  {"events_skipped", seen.gaps},
                  {"joined", seen.joined},
                  {"suspected", seen.suspected},
                  {"recovered", seen.recovered},
                  {"failed", seen.failed},
                  {"left", seen.left},
                  {"updated", seen.updated},
                  {"slowest_convergence_ms", slowest_convergence_ms_},
                  {"detection_ms", detection_ms_}};
    return r;
  }

  detail::random random_;
  swarm swarm_;
  membership_world world_;
  std::uint64_t restarts_ = 0;
  std::uint64_t partitions_ = 0;
  std::uint64_t leaves_ = 0;
  std::uint64_t broadcasts_ = 0;
  std::uint64_t slowest_convergence_ms_ = 0;
  std::uint64_t detection_ms_ = 0;
};

}  // namespace

run_result run_membership_seed(std::uint64_t seed, const membership_run_options& options) {
  return run{seed, options}.result();
}

}  // namespace artillery::sim
