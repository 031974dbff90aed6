#include "sim/view_world.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "replication/next_view.hpp"
#include "sim/chain_checks.hpp"
#include "sim/chain_figures.hpp"
#include "sim/chain_load.hpp"
#include "sim/chain_stranger.hpp"
#include "sim/plain_authority.hpp"
#include "sim/view_checks.hpp"
#include "sim/view_disks.hpp"
#include "sim/view_forcing.hpp"
#include "sim/view_histories.hpp"
#include "sim/view_plots.hpp"
#include "sim/view_rest.hpp"
#include "sim/view_swarm.hpp"
#include "sim/voted_authority.hpp"

namespace artillery::sim {
namespace {

using namespace std::chrono_literals;
using replication::request_id;

constexpr duration settling_patience = 120s;
constexpr duration forcing_patience = 10s;
constexpr std::uint64_t order_searched_one_in = 4;

class view_run {
public:
  view_run(std::uint64_t seed, const run_options& options)
      : options_{options},
        swarm_{draw_view_swarm(seed, options)},
        seeds_{detail::random{seed}.fork("view programs")},
        disks_{swarm_.sync_takes_max, detail::random{seed}.fork("view disks").next()},
        is_searched_{seed % order_searched_one_in == 0},
        world_{seed, swarm_.chain.faults},
        whole_authority_{make_authority(detail::random{seed}.fork("authority").next())},
        authority_{*whole_authority_},
        plots_{world_,
               authority_,
               {.nodes = swarm_.hosts(),
                .core_at = [this](std::size_t index) { return core_at(index); },
                .say_failed = [this](std::size_t at, std::size_t of) { say_failed(at, of); },
                .isolate = [this](std::size_t index, duration length) { isolate(index, length); }}},
        observer_{authority_.chosen(), [this](const replication::replica_id& who) { return disks_.of(who); }},
        load_{world_,       swarm_.chain, options_, swarm_.chain.fault_events.size() + swarm_.faults.size(),
              is_searched_, seed} {
    world_.watch(options.watch);
    world_.set_stream_timeout(swarm_.chain.stream_timeout);
    world_.set_stream_limits(swarm_.chain.streams);
  }

  view_run(const view_run&) = delete;
  view_run& operator=(const view_run&) = delete;
  ~view_run() { is_over_ = true; }

  run_result run() {
    build();
    load_.begin(hosts_, clients_);
    schedule_faults();
    go(swarm_.chain.fault_phase, [] { return false; });
    force_chain();
    heal();
    go(settling_patience, [this] { return is_lost() || (load_.ended() && has_settled()); });
    if (result_.violations.empty()) check_end();
    if (result_.violations.empty()) check_histories();
    count();
    return std::move(result_);
  }

private:
  // --- building ---

  /// One that everybody reaches, or real voters, which fail.
  std::unique_ptr<simulated_authority> make_authority(std::uint64_t seed) {
    const auto answer = [this](const auto& who, const auto& what) { tell(who, what); };
    if (!swarm_.voted) {
      return std::make_unique<plain_authority>(world_, genesis_of(swarm_), swarm_.authority, seed, answer);
    }
    auto voted =
        std::make_unique<voted_authority>(world_, genesis_of(swarm_), *swarm_.voted, swarm_.hosts(), seed, answer);
    if (swarm_.forcing) {
      const view_forcing::means means{
          .nodes = swarm_.hosts(),
          .core_at = [this](std::size_t index) { return core_at(index); },
          .local_time = [this](std::size_t index) { return world_.local_time(hosts_[index]); },
          .isolate = [this](std::size_t index, duration length) { isolate(index, length); },
          .say_failed = [this](std::size_t at, std::size_t of) { say_failed(at, of); }};
      forcing_.emplace(world_, *voted, means);
    }
    return voted;
  }

  [[nodiscard]] bool has_readers(std::size_t index) const noexcept { return index < swarm_.chain.replicas; }

  /// With what its disk holds, if it has one that was used.
  std::unique_ptr<replica_program> replica(std::size_t index) {
    replication::replica_config config = swarm_.chain.replica;
    const auto former = disks_.restarts_as(index);
    config.self = {{1, index + 1}, former ? *former : ++incarnations_[index]};
    if (!former) disks_.begin_anew(index, config.self.incarnation);
    replica_callers callers = load_.callers();
    const std::uint64_t process = ++processes_;
    running_[index] = process;
    callers.on_change = [this](request_id, std::error_code error) {
      if (!error) ++changes_done_;
    };
    callers.seat =
        authority_seat{.listens_at = host_endpoint(index),
                       .ask = [this, index, process](
                                  const replication::authority_question& question) { ask(index, process, question); },
                       .next_incarnation = [this, index] { return ++incarnations_[index]; }};
    callers.disk = disks_.at(index);
    callers.on_end = [this, index](const replica_program& ended) {
      if (is_over_) return;
      figures_.count(ended);
      observer_.ended(hosts_.at(index), ended);
    };
    return std::make_unique<replica_program>(config, genesis_of(swarm_), seeds_.next(), swarm_.chain.driving[index],
                                             std::move(callers));
  }

  void ask(std::size_t index, std::uint64_t process, const replication::authority_question& question) {
    const auto who = program_at(index) == nullptr ? first_name(index) : program_at(index)->core().self();
    authority_.ask({.at = index, .process = process, .who = who}, question);
  }

  [[nodiscard]] replication::replica_id first_name(std::size_t index) const {
    return {{1, index + 1}, incarnations_[index]};
  }

  void tell(const simulated_authority::asker& who, const replication::authority_answer& answer) {
    if (running_[who.at] != who.process) return;
    call<replica_program>(hosts_[who.at],
                          [this, who, answer](replica_program& p, time_point now, network_effects& out) {
                            if (running_[who.at] == who.process) p.answered(answer, now, out);
                          });
  }

  std::unique_ptr<client_program> client() {
    return load_.client(seeds_.next(), [this](const client_program& ended) {
      if (!is_over_) figures_.count(ended);
    });
  }

  void build() {
    const std::size_t count = swarm_.hosts();
    incarnations_.assign(count, 0);
    running_.assign(count, 0);
    disks_.resize(count);
    for (std::size_t i = 0; i < count; ++i) swarm_.chain.client.replicas.push_back(host_endpoint(i));
    for (std::size_t i = 0; i < count; ++i) {
      hosts_.push_back(i);  // hosts are numbered as they are added
      const host added = world_.add(host_endpoint(i), replica(i));
      hosts_[i] = added;
      world_.set_clock_drift(added, swarm_.chain.clock_drift[i]);
      if (swarm_.chain.clock_drift[i] != 0) ++figures_.clocks_drifting;
    }
    stranger_ = world_.add(endpoint::v4(10, 0, 3, 0, 9000),
                           std::make_unique<stranger_program>(genesis_of(swarm_), seeds_.next()));
    for (std::size_t i = 0; i < swarm_.chain.clients; ++i) {
      clients_.push_back(world_.add(endpoint::v4(10, 0, 1, static_cast<std::uint8_t>(i), 9000), client()));
    }
    authority_.begin();
  }

  [[nodiscard]] const replica_program* program_at(std::size_t index) {
    if (index >= hosts_.size() || hosts_[index] >= world_.hosts()) return nullptr;
    return static_cast<const replica_program*>(world_.running(hosts_[index]));
  }

  [[nodiscard]] const replication::core* core_at(std::size_t index) {
    const replica_program* const running = program_at(index);
    return running == nullptr ? nullptr : &running->core();
  }

  template <class Program, class Input>
  void call(host which, Input input) {
    world_.call(which, [input](program& p, time_point now, network_effects& out) {
      input(static_cast<Program&>(p), now, out);
    });
  }

  // --- faults ---

  [[nodiscard]] bool is_left_out(std::size_t number) const {
    return std::binary_search(options_.without.begin(), options_.without.end(), number);
  }

  void schedule_faults() {
    const auto& common = swarm_.chain.fault_events;
    for (std::size_t i = 0; i < common.size(); ++i) {
      if (is_left_out(i)) continue;
      world_.schedule(world_.now() + common[i].at, [this, fault = common[i]] { strike(fault); });
    }
    for (std::size_t i = 0; i < swarm_.faults.size(); ++i) {
      if (is_left_out(common.size() + i)) continue;
      world_.schedule(world_.now() + swarm_.faults[i].at, [this, fault = swarm_.faults[i]] { strike(fault); });
    }
  }

  void strike(const fault_event& fault) {
    using kind = fault_event::kind;
    const host any = static_cast<host>(fault.draw % world_.hosts());
    const host other = (any + 1 + fault.draw / 7 % (world_.hosts() - 1)) % world_.hosts();
    ++figures_.struck[static_cast<std::size_t>(fault.what)];
    switch (fault.what) {
      case kind::cut_one_way: return world_.cut(any, other);
      case kind::split: world_.split(); return;
      case kind::bridge: return divide(fault.draw);
      case kind::pester:
        return call<stranger_program>(
            stranger_, [at = host_endpoint(fault.draw % swarm_.hosts())](stranger_program& p, time_point,
                                                                         network_effects& out) { p.pester(at, out); });
      case kind::isolate: return world_.isolate(any);
      case kind::heal: return world_.heal();
      case kind::suspend:
        return world_.suspend(any, duration{static_cast<duration::rep>(fault.draw / 64 % 300'000'000)});
      case kind::clog: {
        world_.clog(any, other);
        const duration length{static_cast<duration::rep>(fault.draw / 64 % 500'000'000)};
        world_.schedule(world_.now() + length, [this, any, other] { world_.unclog(any, other); });
        return;
      }
      case kind::pause: return world_.pause(any);
      case kind::resume: return world_.resume(any);
      case kind::hint:
        return hint(fault.draw,
                    std::array{replication::peer_hint::doubted, replication::peer_hint::present,
                               replication::peer_hint::missed, replication::peer_hint::present}[fault.draw % 4]);
      case kind::crash_client:
      case kind::crash_client_midway: return crash_client(fault.draw % swarm_.chain.clients);
      default: return;
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

  void hint(std::uint64_t draw, replication::peer_hint what) {
    hint(draw / 64 % swarm_.hosts(), draw / 8 % swarm_.hosts(), what);
  }

  void hint(std::size_t at, std::size_t of, replication::peer_hint what) {
    const node_id about{1, of + 1};
    call<replica_program>(hosts_[at], [about, what](replica_program& p, time_point now, network_effects& out) {
      p.hint(about, what, now, out);
    });
  }

  void say_failed(std::size_t at, std::size_t of) { hint(at, of, replication::peer_hint::failed); }

  void crash_client(std::size_t index) {
    if (!world_.is_up(clients_[index])) return;
    world_.crash(clients_[index]);
    ++figures_.client_crashes;
    load_.client_crashed(index);
    world_.restart(clients_[index], client());
  }

  void strike(const view_fault& fault) {
    using kind = view_fault::kind;
    const std::size_t index = fault.draw % swarm_.hosts();
    const host which = hosts_[index];
    switch (fault.what) {
      case kind::none: return;
      case kind::crash_replica:
      case kind::power_off_replica:
        if (!may_crash(index, fault.draw)) return;
        if (fault.what == kind::crash_replica) {
          world_.crash(which);
        } else {
          world_.power_off(which);
        }
        return replica_is_gone(index, fault.length, loses_disk(fault.draw));
      case kind::crash_replica_midway:
        if (!may_crash(index, fault.draw)) return;
        return world_.crash_at_event(
            which, {.inputs = fault.draw / 64 % 8, .effects = fault.draw / 512 % 4, .machine_goes_dark = false},
            [this, index, length = fault.length, draw = fault.draw] {
              replica_is_gone(index, length, loses_disk(draw));
            });
      case kind::pause_replica:
        world_.pause(which);
        world_.schedule(world_.now() + fault.length, [this, which] { world_.resume(which); });
        return;
      case kind::isolate_replica: return isolate(index, fault.length);
      case kind::fail_while_joining: return plots_.fail_while_joining(fault.draw, fault.length);
      case kind::silence_authority: return plots_.silence_authority(fault.draw, fault.length);
      case kind::strand_frozen_tail: return plots_.strand_frozen_tail(fault.draw, fault.length);
      case kind::cut_from_authority:
        authority_.cut_off(index);
        world_.schedule(world_.now() + fault.length, [this] { authority_.mend(); });
        return;
      case kind::strand_head: return strand_head(fault.length);
      case kind::mute_tail: return mute_tail(fault.length);
      case kind::say_failed: return hint(fault.draw, replication::peer_hint::failed);
      case kind::ask_change: return ask_change(fault.draw);
      case kind::power_cut: return power_cut(fault.length, fault.draw);
    }
  }

  void power_cut(duration length, std::uint64_t draw) {
    ++power_cuts_;
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
      if (!world_.is_up(hosts_[i])) continue;
      world_.crash(hosts_[i]);
      replica_is_gone(i, length * static_cast<int>(1 + (draw >> (2 * i) & 3U)), false);
    }
  }

  void isolate(std::size_t index, duration length) {
    const host which = hosts_[index];
    world_.isolate(which);
    world_.schedule(world_.now() + length, [this, which] {
      for (host h = 0; h < world_.hosts(); ++h) {
        if (h == which) continue;
        world_.mend(which, h);
        world_.mend(h, which);
      }
    });
  }

  void strand_head(duration length) {
    const auto& replicas = authority_.newest().replicas;
    if (replicas.size() < 2) return;
    const auto head = static_cast<std::size_t>(replicas[0].id.node.low - 1);
    const host from = hosts_[head];
    const host to = hosts_[static_cast<std::size_t>(replicas[1].id.node.low - 1)];
    authority_.cut_off(head);
    world_.cut(from, to);
    world_.schedule(world_.now() + swarm_.chain.replica.failed_after + length, [this, from, to] {
      authority_.mend();
      world_.mend(from, to);
    });
  }

  void mute_tail(duration length) {
    const auto& replicas = authority_.newest().replicas;
    if (replicas.size() < 2) return;
    const host tail = hosts_[static_cast<std::size_t>(replicas.back().id.node.low - 1)];
    const host before = hosts_[static_cast<std::size_t>(replicas[replicas.size() - 2].id.node.low - 1)];
    world_.cut(tail, before);
    world_.schedule(world_.now() + length, [this, tail, before] { world_.mend(tail, before); });
  }

  void ask_change(std::uint64_t draw) {
    using what = replication::view_change::kind;
    constexpr std::array kinds{what::remove, what::add, what::add, what::promote, what::repair};
    const replication::view_change change{kinds[draw / 4096 % kinds.size()], {1, draw / 8 % swarm_.hosts() + 1}};
    const request_id request = ++changes_asked_;
    call<replica_program>(hosts_[draw / 64 % swarm_.hosts()],
                          [change, request](replica_program& p, time_point now, network_effects& out) {
                            p.change(request, change, now + 1s, now, out);
                          });
  }

  [[nodiscard]] bool loses_disk(std::uint64_t draw) const { return !disks_.there_are() || draw / 65'536 % 4 == 0; }

  /// A chain whose last replica goes is gone, with the last disk if it has any: seldom wanted.
  [[nodiscard]] bool may_crash(std::size_t index, std::uint64_t draw) {
    if (!world_.is_up(hosts_[index])) return false;
    if (!loses_disk(draw)) return true;
    std::size_t others = 0;
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
      if (i == index) continue;
      const replica_program* running = program_at(i);
      const replication::replica_id who = running != nullptr ? running->core().self() : disks_.name_at(i);
      if (is_replica(authority_.newest(), who)) ++others;
    }
    return others > 0 || draw / 4096 % 16 == 0;
  }

  void replica_is_gone(std::size_t index, bool loses_disk) {
    ++figures_.replica_crashes;
    disks_.crash(index, loses_disk);
    running_[index] = 0;
    authority_.went_down(index);
    if (has_readers(index)) load_.replica_crashed(index);
  }

  void replica_is_gone(std::size_t index, duration comes_back_after, bool loses_disk) {
    replica_is_gone(index, loses_disk);
    world_.schedule(world_.now() + comes_back_after, [this, index] { come_back(index); });
  }

  /// Without a disk, without what it held: under another name.
  void come_back(std::size_t index) {
    if (world_.is_up(hosts_[index]) || stays_down_ == index) return;
    authority_.is_back(index);
    world_.restart(hosts_[index], replica(index));
    if (has_readers(index)) load_.replica_is_back(index);
  }

  /// What was forced goes on beside what is left of the lost chain, for a while.
  void force_chain() {
    if (!forcing_) return;
    forcing_->begin(*swarm_.forcing);
    go(forcing_patience, [this] { return forcing_->is_over(); });
    if (forcing_->has_forced()) go(swarm_.forcing->aftermath, [] { return false; });
  }

  void heal() {
    plots_.end();
    if (forcing_) forcing_->end();
    world_.heal();
    authority_.mend();
    authority_.calm();
    link_faults calm = swarm_.chain.faults;
    calm.stream_reset = 0;
    calm.stream_bytes_per_ms = 0;
    world_.set_faults(calm);
    for (host h = 0; h < world_.hosts(); ++h) world_.resume(h);
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
      if (!authority_.asks_lost_voters(i) || !world_.is_up(hosts_[i])) continue;
      world_.crash(hosts_[i]);  // by whoever forced the chain: it comes back with an empty directory
      replica_is_gone(i, duration{0}, true);
    }
    if (swarm_.stays_down) leave_one_down(*swarm_.stays_down);
    call<stranger_program>(stranger_, [](stranger_program& p, time_point, network_effects& out) { p.leave(out); });
  }

  /// All is healed but for one host, where the others can do without it.
  void leave_one_down(std::uint64_t draw) {
    const std::size_t index = draw % swarm_.hosts();
    const bool others = draw / 4096 % 16 != 0;  // never the last one, with its disk
    if (!others || !may_crash(index, draw % 65'536) || !authority_.can_do_without(index)) return;
    stays_down_ = index;
    world_.crash(hosts_[index]);
    replica_is_gone(index, true);
    ++left_down_;
  }

  // --- running and checking ---

  template <class Done>
  void go(duration length, Done done) {
    if (!result_.violations.empty()) return;
    world_.run_until(
        [&] {
          for (std::size_t i = 0; i < hosts_.size(); ++i) {
            if (const replica_program* running = program_at(i)) observer_.observe(hosts_[i], *running);
          }
          if (auto fault = observer_.check(world_)) violated(*fault);
          if (authority_.fault()) violated(*authority_.fault());
          if (load_.fault()) violated(*load_.fault());
          return !result_.violations.empty() || done();
        },
        length);
  }

  void violated(const std::string& what) {
    result_.violations.push_back(std::to_string((world_.now() - time_point{}).count() / 1000) + " us: " + what);
  }

  /// Nobody is left who holds what the chain held.
  [[nodiscard]] bool is_lost() {
    const auto& replicas = authority_.newest().replicas;
    return std::none_of(replicas.begin(), replicas.end(), [&](const replication::member& each) {
      const auto life = observer_.lives().find(each.id);
      return life == observer_.lives().end() || life->second.running != nullptr || disks_.of(each.id) != nullptr;
    });
  }

  [[nodiscard]] bool has_settled() { return is_at_rest(view_of_hosts()); }

  [[nodiscard]] chain_in_sight view_of_hosts() {
    chain_in_sight seen{
        .newest = authority_.newest(), .lives = observer_.lives(), .wanted = swarm_.chain.replicas, .cores = {}};
    for (std::size_t i = 0; i < hosts_.size(); ++i) seen.cores.push_back(core_at(i));
    return seen;
  }

  void check_end() {
    if (is_lost()) {
      ++chains_lost_;
      return;
    }
    if (!load_.ended() || !has_settled()) {
      return violated("healed, and the chain does not come to rest as it should: " +
                      std::string{load_.ended() ? "" : "operations are open; "} + unrest(view_of_hosts()));
    }
    if (const auto fault = difference_at_rest(view_of_hosts())) return violated(*fault);
    write_once_more();
  }

  /// A chain that is healed serves a client that knows nothing but where its nodes are. Where sessions are few others
  /// end its session between two attempts: then it is told that nobody knows what became of the write, and writes it
  /// anew.
  void write_once_more() {
    std::optional<std::error_code> ended;
    const host writer = world_.add(
        endpoint::v4(10, 0, 2, 0, 9000),
        std::make_unique<client_program>(
            swarm_.chain.client, seeds_.next(), [](request_id, std::error_code, const replication::read_result&) {},
            [&](request_id, std::error_code error, const replication::write_result&) { ended = error; }));
    const time_point until = world_.now() + 20s;
    request_id request = 0;
    do {
      ended.reset();
      call<client_program>(
          writer, [until, number = ++request](client_program& p, time_point now, network_effects& out) {
            p.write(number, replication::write::put(bytes{"z"}, bytes{"the last one"}), until, now, out);
          });
      go(25s, [&] { return ended || is_lost(); });
    } while (ended == errc::outcome_unknown && world_.now() < until && !is_lost());
    const bool is_written = ended && !*ended;
    if (!is_written && result_.violations.empty() && !is_lost()) violated("a healed chain takes no writes");
    world_.crash(writer);
  }

  void check_histories() {
    const std::size_t searched = is_searched_ ? static_cast<std::size_t>(swarm_.chain.keys) : 0;
    if (auto fault = check_view_histories(observer_, load_.seen(), searched, figures_)) violated(*fault);
  }

  void count() {
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
      if (const replica_program* running = program_at(i)) figures_.count(*running);
    }
    for (const host each : clients_) {
      if (world_.is_up(each)) figures_.count(static_cast<const client_program&>(*world_.running(each)));
    }
    figures_.reads_cancelled = load_.cancelled();
    figures_.tries_sent_on = load_.asked_after_try();
    figures_.void_tokens = load_.void_tokens();
    figures_.view_changes = authority_.chosen().size() - 1;
    result_.counters = figures_.all(load_.seen(), world_.counters());
    result_.counters.emplace_back("chains_lost", chains_lost_);
    result_.counters.emplace_back("runs_with_disks", disks_.there_are() ? 1 : 0);
    result_.counters.emplace_back("power_cuts", power_cuts_);
    result_.counters.emplace_back("restarts_from_disk", disks_.restarts());
    result_.counters.emplace_back("changes_done", changes_done_);
    result_.counters.emplace_back("left_down", left_down_);
    const view_forcing::figures forced = forcing_ ? forcing_->counted() : view_forcing::figures{};
    result_.counters.emplace_back("forces_tried", forced.tried);
    result_.counters.emplace_back("forces_refused_by_majority", forced.refused_by_majority);
    result_.counters.emplace_back("forces_refused_as_stale", forced.refused_as_stale);
    result_.counters.emplace_back("chains_forced", forced.forced);
    for (auto& each : authority_.figures()) result_.counters.push_back(std::move(each));
    result_.trace_hash = world_.trace_hash();
    result_.choices = swarm_.chain.fault_events.size() + swarm_.faults.size() + load_.blocks();
  }

  run_options options_;
  view_swarm swarm_;
  detail::random seeds_;
  view_disks disks_;
  bool is_searched_;
  std::vector<host> hosts_;
  std::vector<host> clients_;
  host stranger_ = 0;
  std::vector<std::uint64_t> incarnations_;  // by host: the last that was used
  std::vector<std::uint64_t> running_;       // by host: the process that runs there; 0: none
  std::uint64_t power_cuts_ = 0;
  std::uint64_t processes_ = 0;
  std::uint64_t chains_lost_ = 0;
  std::uint64_t changes_asked_ = 0;
  std::uint64_t changes_done_ = 0;
  std::uint64_t left_down_ = 0;
  std::optional<std::size_t> stays_down_;  // a host, when everything else is healed
  chain_figures figures_;
  run_result result_;
  bool is_over_ = false;  // the world's programs, which end with it, tell nobody any more
  world world_;
  std::optional<view_forcing> forcing_;
  std::unique_ptr<simulated_authority> whole_authority_;
  simulated_authority& authority_;
  view_plots plots_;
  view_observer observer_;
  chain_load load_;
};

}  // namespace

run_result run_view_seed(std::uint64_t seed, const run_options& options) {
  return view_run{seed, options}.run();
}

}  // namespace artillery::sim
