#include "sim/discovery_world.hpp"

#include <algorithm>
#include <map>
#include <string>

#include "sim/discovery_checks.hpp"
#include "sim/discovery_node.hpp"
#include "sim/discovery_swarm.hpp"
#include "sim/discovery_users.hpp"
#include "sim/discovery_wire_checks.hpp"

namespace artillery::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Nobody asks what a stranger sees; what others see of him is what counts.
class stranger_observer final : public discovery_observer {
public:
  void happened(host, const discovery::core_event&, time_point) override {}
  void sending(host, const endpoint&, bytes_view, time_point) override {}
  void hearing(host, const endpoint&, bytes_view, time_point) override {}
  void heard(host, time_point) override {}
};

discovery_swarm draw_in(const world& where, const run_options& options) {
  return draw_discovery(detail::random{where.seed_for("plan")}, options);
}

class discovery_run final : public discovery_observer {
public:
  discovery_run(std::uint64_t seed, const run_options& options)
      : world_{seed},
        swarm_{draw_in(world_, options)},
        checks_{link_, violations_},
        wire_{checks_, swarm_.interval, violations_},
        users_{world_, link_, checks_, wire_, violations_, swarm_.quiet()} {
    world_.watch(options.watch);
  }

  run_result run() {
    world_.set_faults(swarm_.faults);
    checks_.set_bounds({swarm_.transit_max(), swarm_.interval});
    start_hosts();
    add_strangers();
    fault_phase();
    heal();
    watch_for(settling_time());
    for (host h = 0; h < hosts().size(); ++h)
      if (hosts()[h].up) checks_.the_picture_is_right(h, world_.now());
    users_.last_words(random_for("last words"), [this](duration length) { watch_for(length); });
    wire_.no_storms(latest_local_time());
    return result();
  }

  // --- what is seen of the hosts: `now` is by the clock of each, which is what its own schedule is held to ---

  void happened(host at, const discovery::core_event& what, time_point now) override {
    checks_.happened(at, what, world_.now());
    if (const auto* done = std::get_if<discovery::withdrawn>(&what)) {
      wire_.withdrawn(at, {hosts()[at].id, done->instance}, now);
      users_.done_with(at, done->instance);
    }
    world_.note("discovery event", what.index());
  }
  void sending(host at, const endpoint& to, bytes_view datagram, time_point now) override {
    const auto decoded = discovery::decode(datagram, realm_);
    if (decoded.error) return violations_.add("frames_are_sound", at, now, "a frame of our own is refused");
    const bool to_all = to == link_.broadcast;
    wire_.sending(at, to, to_all, datagram, decoded.what, now);
    const auto* asked = std::get_if<discovery::question>(&decoded.what.body);
    if (asked != nullptr && !to_all) checks_.asks_after(at, asked->instance, world_.now());
  }
  void hearing(host at, const endpoint& from, bytes_view datagram, time_point now) override {
    heard_ = discovery::decode(datagram, realm_);
    if (heard_.error) return;
    checks_.hearing(at, heard_.what);
    wire_.hearing(at, from, heard_.what, now);
  }
  void heard(host at, time_point) override { checks_.heard(at, world_.now()); }

private:
  [[nodiscard]] std::vector<discovery_host>& hosts() { return users_.hosts; }
  [[nodiscard]] detail::random random_for(const std::string& name) const {
    return detail::random{world_.seed_for(name)};
  }

  void start_hosts() {
    hosts().resize(swarm_.hosts);
    for (host h = 0; h < hosts().size(); ++h) link_.hosts.push_back(discovery_link::place(h));
    for (host h = 0; h < hosts().size(); ++h) {
      auto random = random_for("host " + std::to_string(h));
      hosts()[h].id = random.identity();
      hosts()[h].browses_all = random.chance(1, 2);
      watch_for(milliseconds{random.below(500)});
      begin_life(h, [&](std::unique_ptr<program> node) { world_.add(link_.hosts[h], std::move(node)); });
      if (h == 0) day_ahead_ = world_.wall_clock(h).time_since_epoch() - world_.local_time(h).time_since_epoch();
      if (h < swarm_.clock_drift.size()) {
        world_.set_clock_drift(h, swarm_.clock_drift[h]);
        ++clocks_drifting_;
      }
    }
  }

  [[nodiscard]] time_point latest_local_time() const {
    time_point latest = world_.now();
    for (host h = 0; h < world_.hosts(); ++h) latest = std::max(latest, world_.local_time(h));
    return latest;
  }

  /// One of another cluster beside the others, and one from beyond the link who says that he is of this one.
  void add_strangers() {
    const auto add = [&](const endpoint& at, const char* of_cluster) {
      discovery::core_config config;
      config.cluster = of_cluster;
      config.announce_interval = swarm_.interval;
      auto random = random_for(std::string{"stranger of "} + of_cluster);
      config.node = random.identity();
      config.epoch_us = in_us(world_.now().time_since_epoch());
      config.started = world_.now();
      const host added = world_.hosts();
      world_.add(at, std::make_unique<discovery_node>(added, at, std::move(config), random.next(), link_, strangers_));
      world_.call(added, [random](program& on, time_point now, network_effects& out) mutable {
        discovery::service s;
        s.type = discovery_users::types.front();
        s.protocol = "udp";
        s.name = "service of a stranger";
        s.instance = random.identity();
        s.endpoints = {endpoint::v4(0, 0, 0, 0, 9000)};
        static_cast<discovery_node&>(on).call(
            [&s](discovery::core& c, time_point at_once, discovery::core_effects& effects) {
              [[maybe_unused]] const auto announced = c.announce(s, at_once, effects);
              [[maybe_unused]] const auto asked = c.browse("", at_once, effects);
            },
            now, out);
      });
    };
    if (swarm_.has_other_realm) add(endpoint::v4(10, 1, 0, 1, discovery::config::default_port), other_cluster);
    if (swarm_.has_off_link) add(endpoint::v4(192, 168, 0, 1, discovery::config::default_port), discovery_cluster);
  }

  // --- lives of hosts ---

  template <class Start>
  void begin_life(host h, Start start) {
    discovery_host& self = hosts()[h];
    ++self.life;
    self.up = true;
    self.up_since = world_.now();
    checks_.started(h, self.id);
    wire_.started(h);
    start(make_node(h));
    users_.browse(h);
  }

  [[nodiscard]] bool is_new(host h) const { return h == world_.hosts(); }

  /// What the host's wall clock shows; the first to be added found all right.
  [[nodiscard]] duration time_of_day(host h) const {
    return is_new(h) ? world_.now().time_since_epoch() : world_.wall_clock(h).time_since_epoch() - day_ahead_;
  }

  [[nodiscard]] static std::uint64_t in_us(duration since_epoch) {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(since_epoch).count());
  }

  std::unique_ptr<program> make_node(host h) {
    const discovery_host& self = hosts()[h];
    discovery::core_config config;
    config.cluster = discovery_cluster;
    config.announce_interval = swarm_.interval;
    config.node = self.id;
    config.started = is_new(h) ? world_.now() : world_.local_time(h);
    // A host that starts twice in one instant has a clock that did not stand still.
    config.epoch_us = in_us(time_of_day(h)) + self.life;
    std::uint64_t& latest = latest_epochs_[self.id];
    if (config.epoch_us <= latest) {
      checks_.clock_set_back(self.id);
      ++lives_set_back_;
    }
    latest = std::max(latest, config.epoch_us);
    const std::string name = "host " + std::to_string(h) + " life " + std::to_string(self.life);
    return std::make_unique<discovery_node>(h, link_.hosts[h], std::move(config), world_.seed_for(name), link_, *this);
  }

  void crash(host h) {
    if (!hosts()[h].up || is_stopped(h)) return;
    world_.crash(h);
    checks_.died(h, world_.now());
    hosts()[h].up = false;
  }

  void restart(host h, detail::random random) {
    discovery_host& self = hosts()[h];
    if (self.up) return;
    ++restarts_;
    const node_id fresh = random.identity();
    const bool same_id = random.chance(1, 2);
    const bool same_offers = random.chance(1, 2) && same_id;
    const bool set_back = random.chance(1, 3);
    const std::uint64_t step = random.between(1, 100'000'000);
    if (!same_id) self.id = fresh;
    self.withdrawn.clear();
    if (!same_offers) self.offers.clear();
    if (set_back && swarm_.has(fault_family::clock)) {
      world_.step_wall_clock(h, -std::chrono::microseconds{step});
      ++clock_steps_;
    }
    begin_life(h, [&](std::unique_ptr<program> node) { world_.restart(h, std::move(node)); });
    users_.announce_again(h);
    if (!same_offers && random.chance(1, 2)) users_.announce_new(h, random.fork("offer"));
  }

  void pause(host h) {
    if (!hosts()[h].up || is_stopped(h)) return;
    hosts()[h].paused = true;
    world_.pause(h);
  }

  [[nodiscard]] bool is_stopped(host h) { return hosts()[h].paused || hosts()[h].asleep; }

  /// No longer than the faults last. What is sent to it meanwhile waits, or is lost.
  void suspend(host h, detail::random random) {
    const duration drawn = milliseconds{random.between(100, 20'000)};
    const bool is_deaf = random.chance(1, 2);
    if (!hosts()[h].up || is_stopped(h)) return;
    hosts()[h].asleep = true;
    const time_point wakes = std::min(world_.now() + drawn, faults_end_);
    if (is_deaf)
      for (host other = 0; other < world_.hosts(); ++other)
        if (other != h) world_.cut(other, h);
    // Scheduled first: the checks know before what was held arrives.
    world_.schedule(wakes, [this, h, is_deaf] {
      hosts()[h].asleep = false;
      checks_.resumed(h, world_.now());
      for (host other = 0; is_deaf && other < world_.hosts(); ++other) world_.mend(other, h);
    });
    world_.suspend(h, wakes - world_.now());
  }

  void step_clock(host h, detail::random random) {
    const milliseconds step{random.between(1, 100'000)};
    const bool back = random.chance(1, 2);
    world_.step_wall_clock(h, back ? -step : step);
    ++clock_steps_;
  }

  void resume(host h) {
    if (!hosts()[h].paused) return;
    hosts()[h].paused = false;
    checks_.resumed(h, world_.now());
    world_.resume(h);
  }

  // --- the network ---

  void partition(detail::random random, bool with_bridge) {
    std::vector<host> one_side;
    for (host h = 0; h < hosts().size(); ++h)
      if (random.chance(1, 2)) one_side.push_back(h);
    world_.partition(one_side);
    if (!with_bridge) return;
    const auto bridge = static_cast<host>(random.below(hosts().size()));
    for (host h = 0; h < world_.hosts(); ++h) {
      world_.mend(bridge, h);
      world_.mend(h, bridge);
    }
  }

  void cut_one_way(host from, detail::random random) {
    const auto to = static_cast<host>(random.below(hosts().size()));
    if (from != to) world_.cut(from, to);
  }

  void clog(host from, detail::random random) {
    const auto to = static_cast<host>(random.below(hosts().size()));
    const milliseconds length{random.between(100, 15'000)};
    if (from == to) return;
    ++clogs_;
    world_.clog(from, to);
    world_.schedule(world_.now() + length, [this, from, to] {
      checks_.unclogged(to, world_.now());
      world_.unclog(from, to);
    });
  }

  void mend_network() {
    for (host h = 0; h < hosts().size(); ++h) checks_.unclogged(h, world_.now());
    world_.heal();
  }

  // --- the phases ---

  void act(const discovery_choice& what) {
    using choice = discovery_choice::kind;
    const auto h = static_cast<host>(what.host % hosts().size());
    const detail::random random{what.draw};
    const bool up = hosts()[h].up;
    switch (what.what) {
      case choice::announce: return up ? users_.announce_new(h, random) : void();
      case choice::change: return up ? users_.change(h, random) : void();
      case choice::withdraw: return up ? users_.withdraw(h, random) : void();
      case choice::seek: return up ? users_.seek(h, random) : void();
      case choice::seek_often: return up ? users_.seek_often(h, random) : void();
      case choice::crash: return crash(h);
      case choice::restart: return restart(h, random);
      case choice::pause: return pause(h);
      case choice::resume: return resume(h);
      case choice::partition: return partition(random, false);
      case choice::bridge: return partition(random, true);
      case choice::one_way: return cut_one_way(h, random);
      case choice::heal: return mend_network();
      case choice::suspend: return suspend(h, random);
      case choice::step_clock: return step_clock(h, random);
      case choice::clog: return clog(h, random);
    }
  }

  void fault_phase() {
    const time_point began = world_.now();
    faults_end_ = began + swarm_.fault_phase;
    for (const discovery_choice& choice : swarm_.choices) {
      watch_until(began + choice.at);
      if (!choice.left_out) act(choice);
    }
    watch_until(faults_end_);
  }

  void heal() {
    mend_network();
    world_.set_faults(link_faults{});
    auto random = random_for("heal");
    for (host h = 0; h < hosts().size(); ++h) {
      resume(h);
      const bool comes_back = random.chance(1, 2);
      if (comes_back) restart(h, random.fork(std::to_string(h)));
    }
    if (std::none_of(hosts().begin(), hosts().end(), [](const discovery_host& h) { return h.up; }))
      restart(0, random.fork("somebody"));
  }

  /// Until everyone has been announced again, and what is dead has run out.
  [[nodiscard]] duration settling_time() const {
    const duration ttl = std::max<duration>(3 * swarm_.interval, seconds{12});
    duration time = ttl * 11 / 10 + swarm_.interval * 6 / 5 + seconds{4} + swarm_.transit_max();
    // A node whose clock was set back is believed when its earlier life is forgotten.
    if (lives_set_back_ != 0) time += ttl * 11 / 10 + discovery::service_table::departed_memory;
    return time + time / 1'000;  // by the slowest clock
  }

  void watch_for(duration length) { watch_until(world_.now() + length); }

  void watch_until(time_point end) {
    while (world_.now() < end) {
      world_.run_for(std::min<duration>(seconds{1}, end - world_.now()));
      for (host h = 0; h < hosts().size(); ++h) {
        if (!hosts()[h].up || is_stopped(h)) continue;
        checks_.silent_deaths_are_noticed(h, world_.now());
        const auto* node = static_cast<const discovery_node*>(world_.running(h));
        world_.note("discovery state", node->core().hash(world_.local_time(h)));
      }
    }
  }

  run_result result() {
    run_result r;
    r.trace_hash = world_.trace_hash();
    r.violations = violations_.lines();
    r.choices = swarm_.choices.size();
    const world_counters& w = world_.counters();
    r.counters = {{"events", w.events},
                  {"operations", users_.operations},
                  {"datagrams", w.datagrams_sent},
                  {"datagrams_lost", w.datagrams_lost},
                  {"crashes", w.crashes},
                  {"restarts", restarts_},
                  {"pauses", w.pauses},
                  {"suspensions", w.suspensions},
                  {"clock_steps", clock_steps_},
                  {"lives_set_back", lives_set_back_},
                  {"clocks_drifting", clocks_drifting_},
                  {"clogs", clogs_},
                  {"found", checks_.found},
                  {"updated", checks_.updated},
                  {"lost_by_goodbye", checks_.lost_by_goodbye},
                  {"lost_by_expiry", checks_.lost_by_expiry},
                  {"lost_by_restart", checks_.lost_by_restart},
                  {"withdrawals", checks_.withdrawals},
                  {"seeks_answered", checks_.seeks_answered},
                  {"seeks_timed_out", checks_.seeks_timed_out},
                  {"quiet_seeds", swarm_.quiet() ? 1U : 0U}};
    return r;
  }

  /// Its tag is that of "sim", so that only the realm of the frame itself tells the two apart.
  static constexpr const char* other_cluster = "sim j94isja";

  sim::world world_;
  discovery_swarm swarm_;
  discovery::realm realm_ = discovery::realm::of(discovery_cluster);
  discovery_link link_;
  discovery_violations violations_;
  discovery_checks checks_;
  discovery_wire_checks wire_;
  discovery_users users_;
  stranger_observer strangers_;
  discovery::decoded_frame heard_;
  std::uint64_t restarts_ = 0;
  std::uint64_t clock_steps_ = 0;
  std::uint64_t clocks_drifting_ = 0;
  std::uint64_t clogs_ = 0;
  std::uint64_t lives_set_back_ = 0;  ///< began no later, by their clock, than an earlier one of that node
  std::map<node_id, std::uint64_t> latest_epochs_;  ///< of all lives of a node
  time_point faults_end_;
  duration day_ahead_{};  ///< of the world's wall clocks to its time
};

}  // namespace

discovery_swarm discovery_swarm_of(std::uint64_t seed, const run_options& options) {
  return draw_in(world{seed}, options);
}

run_result run_discovery_seed(std::uint64_t seed, const run_options& options) {
  return discovery_run{seed, options}.run();
}

}  // namespace artillery::sim
