#include "sim/chain_world.hpp"

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sim/chain_checks.hpp"
#include "sim/chain_figures.hpp"
#include "sim/chain_load.hpp"
#include "sim/chain_stranger.hpp"
#include "sim/chain_swarm.hpp"
#include "sim/linearizability.hpp"
#include "sim/session_checks.hpp"

namespace artillery::sim {
namespace {

using namespace std::chrono_literals;
using replication::request_id;

constexpr duration heal_patience = 120s;
constexpr std::uint64_t search_steps_max = 200'000;
constexpr std::uint64_t searched_one_in = 4;

class chain_run {
public:
  chain_run(std::uint64_t seed, const run_options& options)
      : options_{options},
        swarm_{draw_swarm(seed, options)},
        seeds_{detail::random{seed}.fork("chain programs")},
        is_searched_{seed % searched_one_in == 0},
        observer_{swarm_.replicas},
        world_{seed, swarm_.faults},
        load_{world_, swarm_, options_, swarm_.fault_events.size(), is_searched_, seed} {
    world_.set_stream_timeout(swarm_.stream_timeout);
    world_.set_stream_limits(swarm_.streams);
    world_.watch(options.watch);
  }

  run_result run() {
    build();
    for (const auto& [from, to] : swarm_.slow_ways) world_.set_faults(from, to, swarm_.slow);
    load_.begin(hosts_, clients_);
    schedule_faults();
    go(swarm_.fault_phase, [] { return false; });
    heal();
    go(heal_patience, [this] { return ended(); });
    if (result_.violations.empty()) check_end();
    if (result_.violations.empty()) check_histories();
    count();
    return std::move(result_);
  }

private:
  // --- building ---

  static endpoint replica_endpoint(std::size_t i) { return endpoint::v4(10, 0, 0, static_cast<std::uint8_t>(i), 7000); }

  replication::view chain() const {
    replication::view v;
    v.chain = 1;
    v.epoch = 1;
    v.drift_ppm = swarm_.drift_ppm;
    for (std::size_t i = 0; i < swarm_.replicas; ++i) v.replicas.push_back({{{1, i + 1}, 1}, replica_endpoint(i)});
    v.reads = swarm_.reads;
    return v;
  }

  std::unique_ptr<replica_program> replica(std::size_t position, std::uint64_t incarnation) {
    replication::replica_config config = swarm_.replica;
    config.self = {{1, position + 1}, incarnation};
    replica_callers callers = load_.callers();
    callers.on_end = [this, position, is_member = incarnation == 1](const replica_program& ended) {
      figures_.count(ended);
      // What it still did in an input in the midst of which it died, others may have seen.
      if (is_member) observer_.observe(position, ended);
    };
    return std::make_unique<replica_program>(config, chain(), seeds_.next(), swarm_.driving[position],
                                             std::move(callers));
  }

  std::unique_ptr<client_program> client() {
    return load_.client(seeds_.next(), [this](const client_program& ended) { figures_.count(ended); });
  }

  void build() {
    for (std::size_t i = 0; i < swarm_.replicas; ++i) swarm_.client.replicas.push_back(replica_endpoint(i));
    for (std::size_t i = 0; i < swarm_.replicas; ++i) {
      hosts_.push_back(world_.add(replica_endpoint(i), replica(i, 1)));
      world_.set_clock_drift(hosts_[i], swarm_.clock_drift[i]);
      if (swarm_.clock_drift[i] != 0) ++figures_.clocks_drifting;
    }
    stranger_ = world_.add(endpoint::v4(10, 0, 3, 0, 9000), std::make_unique<stranger_program>(chain(), seeds_.next()));
    for (std::size_t i = 0; i < swarm_.clients; ++i) {
      const endpoint at = endpoint::v4(10, 0, 1, static_cast<std::uint8_t>(i), 9000);
      clients_.push_back(world_.add(at, client()));
    }
  }

  [[nodiscard]] const replica_program& replica_at(std::size_t i) {
    return static_cast<const replica_program&>(*world_.running(hosts_[i]));
  }
  [[nodiscard]] const client_program& client_at(std::size_t i) {
    return static_cast<const client_program&>(*world_.running(clients_[i]));
  }
  /// A replica in its first life: a member of the chain.
  [[nodiscard]] bool is_member(std::size_t i) const { return !gone_.contains(i) && world_.is_up(hosts_[i]); }

  // --- faults ---

  void schedule_faults() {
    for (std::size_t i = 0; i < swarm_.fault_events.size(); ++i) {
      if (std::binary_search(options_.without.begin(), options_.without.end(), i)) continue;
      const fault_event& fault = swarm_.fault_events[i];
      world_.schedule(world_.now() + fault.at, [this, fault] { strike(fault); });
    }
  }

  void strike(const fault_event& fault) {
    using kind = fault_event::kind;
    const bool strikes_later = fault.what == kind::crash_client_midway || fault.what == kind::crash_replica_midway;
    if (!strikes_later) has_struck(fault.what);
    const host any = static_cast<host>(fault.draw % world_.hosts());
    const host other = (any + 1 + fault.draw / 7 % (world_.hosts() - 1)) % world_.hosts();
    switch (fault.what) {
      case kind::none: return;
      case kind::cut_one_way: return world_.cut(any, other);
      case kind::split: world_.split(); return;
      case kind::bridge: return divide(fault.draw);
      case kind::pester:
        return call<stranger_program>(
            stranger_, [at = replica_endpoint(fault.draw % swarm_.replicas)](
                           stranger_program& p, time_point, network_effects& out) { p.pester(at, out); });
      case kind::hint: return hint(fault.draw);
      case kind::isolate: return world_.isolate(any);
      case kind::heal: return world_.heal();
      case kind::suspend:
        return world_.suspend(any, duration{static_cast<duration::rep>(fault.draw / 64 % 300'000'000)});
      case kind::clog: return clog(any, other, duration{static_cast<duration::rep>(fault.draw / 64 % 500'000'000)});
      case kind::pause: return world_.pause(any);
      case kind::resume: return world_.resume(any);
      case kind::crash_client: return crash_client(fault.draw % swarm_.clients);
      case kind::crash_client_midway: return crash_client_midway(fault);
      case kind::crash_replica_midway: return crash_replica_midway(fault);
      case kind::crash_replica: return crash_replica(fault.draw % swarm_.replicas, fault.draw / 64 % 4 == 0, false);
      case kind::crash_replica_and_restart:
        return crash_replica(fault.draw % swarm_.replicas, fault.draw / 64 % 4 == 0, true);
    }
  }

  void has_struck(fault_event::kind what) { ++figures_.struck[static_cast<std::size_t>(what)]; }

  template <class Program, class Input>
  void call(host which, Input input) {
    world_.call(which, [input](program& p, time_point now, network_effects& out) {
      input(static_cast<Program&>(p), now, out);
    });
  }

  /// One host sees everybody; the others see those on their own side.
  void divide(std::uint64_t draw) {
    const host seen_by_all = draw % world_.hosts();
    std::vector<host> side;
    for (host h = 0; h < world_.hosts(); ++h) {
      if (h != seen_by_all && (draw >> (8 + h % 32) & 1U) != 0) side.push_back(h);
    }
    world_.partition(side, seen_by_all);
  }

  void clog(host from, host to, duration length) {
    world_.clog(from, to);
    world_.schedule(world_.now() + length, [this, from, to] { world_.unclog(from, to); });
  }

  void hint(std::uint64_t draw) {
    const node_id about{1, draw / 8 % swarm_.replicas + 1};
    const auto what = draw % 2 == 0 ? replication::peer_hint::doubted : replication::peer_hint::present;
    call<replica_program>(
        hosts_[draw / 64 % swarm_.replicas],
        [about, what](replica_program& p, time_point now, network_effects& out) { p.hint(about, what, now, out); });
  }

  void crash_client(std::size_t index) {
    if (!world_.is_up(clients_[index])) return;
    world_.crash(clients_[index]);
    client_is_gone(index);
  }

  void client_is_gone(std::size_t index) {
    ++figures_.client_crashes;
    load_.client_crashed(index);
    world_.restart(clients_[index], client());
  }

  /// Soon, and in the midst of an input.
  static crash_point midway(std::uint64_t draw) {
    return {.inputs = draw / 64 % 8, .effects = draw / 512 % 4, .machine_goes_dark = draw / 2048 % 4 == 0};
  }

  void crash_client_midway(const fault_event& fault) {
    const std::size_t index = fault.draw % swarm_.clients;
    if (!world_.is_up(clients_[index])) return;
    world_.crash_at_event(clients_[index], midway(fault.draw), [this, index] {
      has_struck(fault_event::kind::crash_client_midway);
      client_is_gone(index);
    });
  }

  void crash_replica(std::size_t position, bool with_its_machine, bool comes_back) {
    if (!world_.is_up(hosts_[position])) return;
    if (with_its_machine) {
      world_.power_off(hosts_[position]);
    } else {
      world_.crash(hosts_[position]);
    }
    replica_is_gone(position, comes_back);
  }

  void crash_replica_midway(const fault_event& fault) {
    const std::size_t position = fault.draw % swarm_.replicas;
    if (!world_.is_up(hosts_[position])) return;
    const bool comes_back = swarm_.has(fault_family::restart) && fault.draw / 8192 % 2 == 0;
    world_.crash_at_event(hosts_[position], midway(fault.draw), [this, position, comes_back] {
      has_struck(fault_event::kind::crash_replica_midway);
      replica_is_gone(position, comes_back);
    });
  }

  void replica_is_gone(std::size_t position, bool comes_back) {
    ++figures_.replica_crashes;
    load_.replica_crashed(position);
    gone_.insert(position);
    if (!comes_back) return;
    // It comes back without what it held: a stranger to its chain.
    world_.schedule(world_.now() + 200ms, [this, position, incarnation = ++lives_] {
      if (!world_.is_up(hosts_[position])) world_.restart(hosts_[position], replica(position, incarnation));
    });
  }

  void heal() {
    world_.heal();
    link_faults calm = swarm_.faults;
    calm.stream_reset = 0;
    calm.stream_bytes_per_ms = 0;
    world_.set_faults(calm);
    for (host h = 0; h < world_.hosts(); ++h) world_.resume(h);
    call<stranger_program>(stranger_, [](stranger_program& p, time_point, network_effects& out) { p.leave(out); });
    if (!swarm_.lost_client) return;
    world_.partition({clients_[*swarm_.lost_client]});
    load_.give_up_on_client(*swarm_.lost_client);
  }

  // --- running and checking ---

  template <class Done>
  void go(duration length, Done done) {
    if (!result_.violations.empty()) return;
    world_.run_until(
        [&] {
          for (std::size_t i = 0; i < hosts_.size(); ++i) {
            if (is_member(i)) observer_.observe(i, replica_at(i));
          }
          if (auto fault = check_step(observer_, swarm_.replica)) violated(*fault);
          if (load_.fault()) violated(*load_.fault());
          return !result_.violations.empty() || done();
        },
        length);
  }

  void violated(const std::string& what) {
    result_.violations.push_back(std::to_string((world_.now() - time_point{}).count() / 1000) + " us: " + what);
  }

  bool ended() {
    if (!gone_.empty()) return stopped_is_said();
    if (!load_.ended()) return false;
    const chain_members& all = observer_.members();
    return std::all_of(all.begin(), all.end(),
                       [&](const chain_member& m) { return m.commit == all.front().last && m.log_size == 0; });
  }

  /// Every live member next to one that is gone says that the chain has stopped.
  bool stopped_is_said() {
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
      const bool next_to_one = gone_.contains(i + 1) || (i > 0 && gone_.contains(i - 1));
      if (is_member(i) && next_to_one && !replica_at(i).core().status().stopped) return false;
    }
    return true;
  }

  void check_end() {
    if (!ended()) {
      return violated(gone_.empty() ? "healed, and not every operation came to an end"
                                    : "a replica is gone, and its neighbours do not say so");
    }
    if (!gone_.empty()) return read_clean_objects();
    if (auto fault = check_converged(observer_.members())) violated(*fault);
  }

  struct final_read {
    std::size_t replica;
    std::string key;
  };

  [[nodiscard]] bool is_clean(const final_read& read) {
    const replica_program& live = replica_at(read.replica);
    return live.objects().fetch(read.key).version.seq <= live.core().serving().commit;
  }

  /// With a replica gone, clean objects are still read at every other that has the right to.
  void read_clean_objects() {
    if (swarm_.reads == replication::read_mode::tail_only) return;
    std::set<request_id> answered;
    replication::client_config config;
    config.replicas = swarm_.client.replicas;
    // By a client of their own: reads of dirty objects wait, and may fill the places of the others.
    const host reader = world_.add(endpoint::v4(10, 0, 2, 0, 9000),
                                   std::make_unique<client_program>(
                                       config, seeds_.next(),
                                       [&](request_id request, std::error_code e, const replication::read_result&) {
                                         if (!e) answered.insert(request);
                                       },
                                       [](request_id, std::error_code, const replication::write_result&) {}));
    std::vector<final_read> wanted;
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
      for (std::size_t key = 0; key < swarm_.keys && is_member(i) && !swarm_.driving[i].lease; ++key) {
        const final_read read{i, std::string(1, static_cast<char>('a' + key))};
        if (!is_clean(read)) continue;
        world_.call(reader, [read, request = wanted.size()](program& p, time_point now, network_effects& out) {
          static_cast<client_program&>(p).read(request, bytes{read.key}, replication::strong,
                                               replication::routing::to({1, read.replica + 1}), {}, now + 30s, now,
                                               out);
        });
        wanted.push_back(read);
      }
    }
    go(40s, [&] { return answered.size() == wanted.size(); });
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      // One that has become dirty meanwhile may wait.
      if (!answered.contains(i) && is_member(wanted[i].replica) && is_clean(wanted[i])) {
        violated("a clean object is not read while a replica is gone");
        break;
      }
    }
    world_.crash(reader);
  }

  void check_histories() {
    const journal& applied = observer_.members().front().objects->applied();
    if (auto fault = check_equal_prefixes(observer_.members())) return violated(*fault);
    if (auto fault = check_applied_once(applied)) return violated(*fault);
    if (auto fault = check_against_log(load_.seen(), applied)) return violated(*fault);
    if (auto fault = check_monotone_reads(load_.seen())) return violated(*fault);
    if (auto fault = check_sessions(load_.seen(), applied)) return violated(*fault);
    if (!is_searched_) return;
    for (std::size_t key = 0; key < swarm_.keys; ++key) {
      const std::string name(1, static_cast<char>('a' + key));
      switch (search_order(load_.seen(), name, search_steps_max)) {
        case search_result::ok: ++figures_.orders_searched; break;
        case search_result::gave_up: ++figures_.searches_given_up; break;
        case search_result::violated: return violated("no order explains the operations on '" + name + "'");
      }
    }
  }

  void count() {
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
      if (world_.is_up(hosts_[i])) figures_.count(replica_at(i));
    }
    for (std::size_t i = 0; i < clients_.size(); ++i) {
      if (world_.is_up(clients_[i])) figures_.count(client_at(i));
    }
    figures_.reads_cancelled = load_.cancelled();
    figures_.tries_sent_on = load_.asked_after_try();
    figures_.void_tokens = load_.void_tokens();
    const bool well_behaved = !swarm_.has(fault_family::garbage);
    if (well_behaved && figures_.malformed() > 0 && result_.violations.empty())
      violated("a well-behaved peer was not understood");
    if (figures_.asks_needlessly() && result_.violations.empty()) {
      violated("more than 5 % of the strong reads of clean objects asked the tail");
    }
    result_.counters = figures_.all(load_.seen(), world_.counters());
    result_.trace_hash = world_.trace_hash();
    result_.choices = swarm_.fault_events.size() + load_.blocks();
  }

  run_options options_;
  chain_swarm swarm_;
  detail::random seeds_;
  bool is_searched_;
  chain_observer observer_;
  chain_figures figures_;
  world world_;  // its programs tell the two above of their end
  chain_load load_;
  std::vector<host> hosts_;
  std::vector<host> clients_;
  host stranger_ = 0;
  std::set<std::size_t> gone_;  // replicas that are no members any more
  std::uint64_t lives_ = 1;
  run_result result_;
};

}  // namespace

run_result run_chain_seed(std::uint64_t seed, const run_options& options) {
  return chain_run{seed, options}.run();
}

}  // namespace artillery::sim
