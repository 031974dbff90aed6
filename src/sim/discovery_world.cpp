#include "sim/discovery_world.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "sim/discovery_checks.hpp"
#include "sim/discovery_node.hpp"

namespace artillery::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::array<const char*, 3> types{"alpha", "beta", "gamma"};
constexpr const char* late_type = "omega";           // browsed for from the start, announced at the end
constexpr duration quiet_enough = milliseconds{50};  // on a quiet link everything is seen by then

/// The families of faults that a seed has at all.
struct families {
  bool loss = false;
  bool duplication = false;
  bool reorder = false;
  bool corruption = false;
  bool partition = false;
  bool crash = false;
  bool pause = false;
};

struct host_record {
  node_id id;
  std::uint64_t life = 0;
  bool up = false;
  time_point up_since;
  bool paused = false;
  bool browses_all = false;
  std::vector<discovery::service> offers;  ///< announced and not withdrawn, as last announced
  std::vector<node_id> withdrawn;          ///< may be announced again
};

class discovery_run final : public discovery_observer {
public:
  discovery_run(std::uint64_t seed, const discovery_options& options)
      : options_{options}, world_{seed}, plan_{world_.seed_for("plan")}, checks_{link_} {}

  run_result run() {
    draw();
    start_hosts();
    safety_phase();
    heal();
    watch_for(settling_time());
    for (host h = 0; h < hosts_.size(); ++h)
      if (hosts_[h].up) checks_.the_picture_is_right(h, world_.now());
    last_words();
    checks_.no_storms(world_.now());
    return result();
  }

  void happened(host at, const discovery::core_event& what, time_point now) override {
    checks_.happened(at, what, now);
    if (const auto* done = std::get_if<discovery::withdrawn>(&what)) hosts_[at].withdrawn.push_back(done->instance);
    world_.note("discovery event", what.index());
  }
  void sending(host at, const endpoint& to, bytes_view datagram, time_point now) override {
    checks_.sending(at, to, datagram, now);
  }

private:
  // --- the plan
  // -------------------------------------------------------------------------------------------------------

  void draw() {
    constexpr std::array<int, 4> intervals{1, 2, 5, 12};
    const auto hosts = plan_.between(2, 6);
    hosts_.resize(hosts);
    interval_ = seconds{intervals[plan_.below(intervals.size())]};
    safety_ = seconds{plan_.between(10, 30)};
    actions_ = plan_.between(5, 40);
    if (!options_.quiet) {
      for (bool* family :
           {&has_.loss, &has_.duplication, &has_.reorder, &has_.corruption, &has_.partition, &has_.crash, &has_.pause})
        *family = plan_.chance(1, 2);
    }
    link_faults faults;
    if (has_.loss) faults.loss = static_cast<std::uint32_t>(plan_.between(10, 400));
    if (has_.duplication) faults.duplication = static_cast<std::uint32_t>(plan_.between(10, 300));
    if (has_.reorder) faults.reorder = static_cast<std::uint32_t>(plan_.between(10, 500));
    if (has_.reorder) faults.reorder_delay = milliseconds{plan_.between(1, 3000)};
    if (has_.corruption) faults.corruption = static_cast<std::uint32_t>(plan_.between(10, 300));
    world_.set_faults(faults);
    // The world doubles a datagram up to a minute later.
    transit_max_ = milliseconds{100} + (has_.duplication ? duration{seconds{61}} : duration{}) +
                   (has_.reorder ? faults.reorder_delay : duration{});
    checks_.set_bounds({transit_max_, interval_});
  }

  void start_hosts() {
    for (host h = 0; h < hosts_.size(); ++h) link_.hosts.push_back(discovery_link::place(h));
    for (host h = 0; h < hosts_.size(); ++h) {
      hosts_[h].id = plan_.identity();
      hosts_[h].browses_all = plan_.chance(1, 2);
      hosts_[h].up = true;
      hosts_[h].up_since = world_.now();
      checks_.started(h);
      world_.add(link_.hosts[h], make_node(h));
      begin_life(h);
      const auto services = plan_.below(3);
      for (std::uint64_t i = 0; i < services; ++i) announce_new(h);
      watch_for(milliseconds{plan_.below(500)});
    }
  }

  std::unique_ptr<program> make_node(host h) {
    discovery::core_config config;
    config.cluster = "sim";
    config.announce_interval = interval_;
    config.node = hosts_[h].id;
    config.started = world_.now();
    // Epochs grow with the wall clock; a host that starts twice in one instant has a clock that did not stand still.
    config.epoch_us =
        static_cast<std::uint64_t>(
            std::chrono::duration_cast<std::chrono::microseconds>(world_.now().time_since_epoch()).count()) +
        ++hosts_[h].life;
    const std::string name = "host " + std::to_string(h) + " life " + std::to_string(hosts_[h].life);
    return std::make_unique<discovery_node>(h, std::move(config), world_.seed_for(name), link_, *this);
  }

  void begin_life(host h) {
    if (hosts_[h].browses_all) return browse(h, "");
    for (const char* type : types) browse(h, type);
    browse(h, late_type);
  }

  // --- what users do
  // --------------------------------------------------------------------------------------------------

  void call(host h, discovery_node::input what) {
    world_.call(h, [what = std::move(what)](program& on, time_point now, network_effects& out) {
      static_cast<discovery_node&>(on).call(what, now, out);
    });
  }

  void browse(host h, const char* type) {
    call(h, [type](discovery::core& c, time_point now, discovery::core_effects& out) {
      [[maybe_unused]] const auto error = c.browse(type, now, out);
    });
  }

  void announce_new(host h) {
    if (hosts_[h].offers.size() >= 5) return;
    discovery::service s;
    s.type = types[plan_.below(types.size())];
    s.protocol = "udp";
    s.name = "service of host " + std::to_string(h);
    s.instance = plan_.identity();
    const bool again = !hosts_[h].withdrawn.empty() && plan_.chance(1, 2);
    if (again) {
      s.instance = hosts_[h].withdrawn.back();
      hosts_[h].withdrawn.pop_back();
    }
    if (plan_.chance(1, 2))
      s.endpoints = {link_.hosts[h].with_port(9000)};
    else
      s.endpoints = {endpoint::v4(0, 0, 0, 0, 9000)};
    if (plan_.chance(1, 4)) s.ttl = seconds{plan_.between(3, 12)};
    hosts_[h].offers.push_back(s);
    announce(h, hosts_[h].offers.back());
  }

  void announce(host h, discovery::service& s) {
    s.load = static_cast<std::uint8_t>(plan_.below(256));
    const auto key = offer_key{hosts_[h].id, s.instance};
    call(h, [this, h, key, s](discovery::core& c, time_point now, discovery::core_effects& out) {
      discovery::service announced = s;
      const auto known = checks_.offers().find(key);
      const std::size_t version = known == checks_.offers().end() ? 1 : known->second.versions.size() + 1;
      announced.txt = {{"v", std::to_string(version)}};
      // Before the call: its first announcement is out when it returns.
      checks_.announced(h, key.first, announced, now);
      [[maybe_unused]] const auto error = c.announce(announced, now, out);
      if (options_.quiet && version == 1) expect_soon(key, true, "announcements_are_seen_at_once");
    });
  }

  void withdraw(host h) {
    auto& offers = hosts_[h].offers;
    if (offers.empty()) return;
    const auto at = static_cast<std::ptrdiff_t>(plan_.below(offers.size()));
    const node_id instance = offers[static_cast<std::size_t>(at)].instance;
    offers.erase(offers.begin() + at);
    withdraw(h, instance);
  }

  void withdraw(host h, const node_id& instance) {
    const offer_key key{hosts_[h].id, instance};
    call(h, [this, key](discovery::core& c, time_point now, discovery::core_effects& out) {
      if (checks_.offers().contains(key)) checks_.withdrawn(key, now);
      [[maybe_unused]] const auto error = c.withdraw(key.second, now, out);
      if (options_.quiet) expect_soon(key, false, "goodbyes_are_seen_at_once");
    });
  }

  void seek(host h) {
    const std::uint64_t request = ++requests_;
    const std::string type = types[plan_.below(types.size())];
    const duration patience = milliseconds{plan_.between(10, 2000)};
    call(h, [=](discovery::core& c, time_point now, discovery::core_effects& out) {
      [[maybe_unused]] const auto error = c.seek(request, type, now + patience, now, out);
    });
  }

  void expect_soon(const offer_key& key, bool seen, const char* invariant) {
    const time_point said = world_.now();
    world_.schedule(said + quiet_enough, [this, key, seen, invariant, said] {
      const true_offer& offer = checks_.offers().at(key);
      if (offer.alive != seen) return;  // changed again meanwhile
      for (host h = 0; h < hosts_.size(); ++h)
        if (hosts_[h].up && hosts_[h].up_since <= said && h != offer.owner)
          checks_.sees(h, key, seen, invariant, world_.now());
    });
  }

  // --- what happens to them
  // -------------------------------------------------------------------------------------------

  void crash(host h) {
    if (!hosts_[h].up || hosts_[h].paused) return;
    world_.crash(h);
    checks_.died(h, world_.now());
    hosts_[h].up = false;
  }

  void restart(host h) {
    if (hosts_[h].up) return;
    const bool same_id = plan_.chance(1, 2);
    const bool same_offers = same_id && plan_.chance(1, 2);
    if (!same_id) hosts_[h].id = plan_.identity();
    hosts_[h].withdrawn.clear();
    if (!same_offers) hosts_[h].offers.clear();
    hosts_[h].up = true;
    hosts_[h].up_since = world_.now();
    checks_.started(h);
    world_.restart(h, make_node(h));
    begin_life(h);
    auto announced = hosts_[h].offers;
    for (discovery::service& s : announced) announce(h, s);
    if (!same_offers && plan_.chance(1, 2)) announce_new(h);
  }

  void pause(host h) {
    if (!hosts_[h].up || hosts_[h].paused) return;
    hosts_[h].paused = true;
    world_.pause(h);
  }

  void resume(host h) {
    if (!hosts_[h].paused) return;
    hosts_[h].paused = false;
    checks_.resumed(h, world_.now());
    world_.resume(h);
  }

  void partition() {
    std::vector<host> one_side;
    for (host h = 0; h < hosts_.size(); ++h)
      if (plan_.chance(1, 2)) one_side.push_back(h);
    world_.partition(one_side);
  }

  void act() {
    const auto h = static_cast<host>(plan_.below(hosts_.size()));
    switch (plan_.below(10)) {
      case 0:
      case 1: return hosts_[h].up ? announce_new(h) : void();
      case 2:
        if (hosts_[h].up && !hosts_[h].offers.empty()) announce(h, hosts_[h].offers.front());
        return;
      case 3: return hosts_[h].up ? withdraw(h) : void();
      case 4: return hosts_[h].up ? seek(h) : void();
      case 5: return has_.crash ? crash(h) : void();
      case 6: return restart(h);
      case 7: return has_.pause ? pause(h) : void();
      case 8: return resume(h);
      default:
        if (!has_.partition) return;
        if (plan_.chance(1, 2)) return partition();
        world_.heal();
    }
  }

  // --- the phases
  // -----------------------------------------------------------------------------------------------------

  void safety_phase() {
    for (std::uint64_t i = 0; i < actions_; ++i) {
      watch_for(safety_ / static_cast<std::int64_t>(actions_));
      act();
    }
  }

  void heal() {
    world_.heal();
    world_.set_faults(link_faults{});
    for (host h = 0; h < hosts_.size(); ++h) {
      resume(h);
      if (plan_.chance(1, 2)) restart(h);
    }
    if (std::none_of(hosts_.begin(), hosts_.end(), [](const host_record& h) { return h.up; })) restart(0);
  }

  /// Until everyone has been announced again, and what is dead has run out.
  [[nodiscard]] duration settling_time() const {
    const duration ttl = std::max<duration>(3 * interval_, seconds{12});
    return ttl * 11 / 10 + interval_ * 6 / 5 + seconds{4} + transit_max_;
  }

  void watch_for(duration length) {
    const time_point end = world_.now() + length;
    while (world_.now() < end) {
      world_.run_for(std::min<duration>(seconds{1}, end - world_.now()));
      for (host h = 0; h < hosts_.size(); ++h) {
        if (!hosts_[h].up || hosts_[h].paused) continue;
        checks_.silent_deaths_are_noticed(h, world_.now());
        const auto* node = static_cast<const discovery_node*>(world_.running(h));
        world_.note("discovery state", node->core().hash(world_.now()));
      }
    }
  }

  /// On the healed link: what is announced is seen, sought and said good-bye to, at once.
  void last_words() {
    host speaker = 0;
    while (!hosts_[speaker].up) ++speaker;
    hosts_[speaker].offers.resize(std::min<std::size_t>(hosts_[speaker].offers.size(), 4));
    announce_new(speaker);
    const discovery::service said = hosts_[speaker].offers.back();
    const offer_key key{hosts_[speaker].id, said.instance};
    expect_soon(key, true, "announcements_are_seen_at_once");
    watch_for(quiet_enough * 2);
    const std::uint64_t asking = everyone_seeks(speaker, said.type);  // known: answered from the table
    watch_for(seconds{2});
    const std::uint64_t waiting = everyone_seeks(speaker, late_type);  // answered by the announcement that follows
    watch_for(milliseconds{100});
    discovery::service late = said;
    late.type = late_type;
    late.instance = plan_.identity();
    announce(speaker, late);
    watch_for(seconds{2});
    for (std::uint64_t request = asking; request <= requests_; ++request)
      if (checks_.seek_results[request] != 1)
        checks_.violate("seeks_are_answered", speaker, world_.now(),
                        request < waiting ? "not from what is known" : "not by a later announcement");
    withdraw(speaker, said.instance);
    expect_soon(key, false, "goodbyes_are_seen_at_once");
    watch_for(seconds{5});
  }

  /// All but `speaker` seek `type` for a second. The number of the first request.
  std::uint64_t everyone_seeks(host speaker, const std::string& type) {
    const std::uint64_t first = requests_ + 1;
    for (host h = 0; h < hosts_.size(); ++h) {
      if (!hosts_[h].up || h == speaker) continue;
      const std::uint64_t request = ++requests_;
      call(h, [=](discovery::core& c, time_point now, discovery::core_effects& out) {
        [[maybe_unused]] const auto error = c.seek(request, type, now + seconds{1}, now, out);
      });
    }
    return first;
  }

  run_result result() {
    run_result r;
    r.trace_hash = world_.trace_hash();
    r.violations = checks_.violations();
    const world_counters& w = world_.counters();
    r.counters = {{"events", w.events},
                  {"datagrams", w.datagrams_sent},
                  {"datagrams_lost", w.datagrams_lost},
                  {"crashes", w.crashes},
                  {"pauses", w.pauses},
                  {"found", checks_.found},
                  {"updated", checks_.updated},
                  {"lost_by_goodbye", checks_.lost_by_goodbye},
                  {"lost_by_expiry", checks_.lost_by_expiry},
                  {"lost_by_restart", checks_.lost_by_restart},
                  {"withdrawals", checks_.withdrawals},
                  {"seeks_answered", checks_.seeks_answered},
                  {"seeks_timed_out", checks_.seeks_timed_out}};
    return r;
  }

  discovery_options options_;
  sim::world world_;
  detail::random plan_;
  discovery_link link_;
  discovery_checks checks_;
  std::vector<host_record> hosts_;
  families has_;
  duration interval_{};
  duration safety_{};
  duration transit_max_{};
  std::uint64_t actions_ = 0;
  std::uint64_t requests_ = 0;
};

}  // namespace

run_result run_discovery_seed(std::uint64_t seed, const discovery_options& options) {
  return discovery_run{seed, options}.run();
}

}  // namespace artillery::sim
