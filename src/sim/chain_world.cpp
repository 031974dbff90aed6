#include "sim/chain_world.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sim/chain_actors.hpp"
#include "sim/chain_checks.hpp"
#include "sim/chain_swarm.hpp"
#include "sim/linearizability.hpp"

namespace artillery::sim {
namespace {

using namespace std::chrono_literals;
using replication::request_id;

constexpr duration heal_patience = 120s;
constexpr std::uint64_t search_steps_max = 200'000;
constexpr std::uint32_t unsearched_factor = 7;

class chain_run {
public:
  chain_run(std::uint64_t seed, const chain_options& options)
      : options_{options},
        seed_{seed},
        random_{detail::random{seed}.fork("chain world")},
        swarm_{draw_swarm(random_)},
        world_{seed, swarm_.faults},
        members_{swarm_.replicas} {
    // The search is for small histories.
    if (!searches_orders()) swarm_.operations *= unsearched_factor;
    swarm_.operations = std::min(swarm_.operations, options.operations_max);
    world_.set_stream_timeout(swarm_.stream_timeout);
  }

  run_result run() {
    build();
    slow_down();
    schedule_load();
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
  struct client_state {
    host at = 0;
    std::uint32_t issued = 0;
    std::uint32_t outstanding = 0;
    std::uint32_t lives = 1;
    std::array<replication::version, 8> seen{};  // newest version seen of each key
  };

  [[nodiscard]] bool searches_orders() const noexcept { return options_.search_always || seed_ % 4 == 0; }

  // --- building ---

  static endpoint replica_endpoint(std::size_t i) { return endpoint::v4(10, 0, 0, static_cast<std::uint8_t>(i), 7000); }

  replication::view chain() const {
    replication::view v;
    v.chain = 1;
    v.epoch = 1;
    for (std::size_t i = 0; i < swarm_.replicas; ++i) {
      v.replicas.push_back({{{1, i + 1}, 1}, replica_endpoint(i)});
    }
    v.reads = swarm_.reads;
    return v;
  }

  std::unique_ptr<replica_program> replica(std::size_t position, std::uint64_t incarnation) {
    replication::replica_config config = swarm_.replica;
    config.self = {{1, position + 1}, incarnation};
    return std::make_unique<replica_program>(config, chain(), random_.next(), swarm_.driving);
  }

  std::unique_ptr<client_program> client(std::uint32_t index) {
    const std::uint32_t life = clients_[index].lives;
    return std::make_unique<client_program>(
        swarm_.client, random_.next(),
        [this, index, life](request_id r, std::error_code e, const replication::read_result& found) {
          if (life == clients_[index].lives) answered(index, r, e, found);
        },
        [this, index, life](request_id r, std::error_code e, const replication::write_result& done) {
          if (life == clients_[index].lives) answered(index, r, e, done);
        });
  }

  std::unique_ptr<client_program> final_reader() {
    replication::client_config config;
    config.replicas = swarm_.client.replicas;
    return std::make_unique<client_program>(
        config, random_.next(),
        [this](request_id request, std::error_code e, const replication::read_result&) {
          if (!e) final_reads_answered_.insert(request);
        },
        [](request_id, std::error_code, const replication::write_result&) {});
  }

  void build() {
    for (std::size_t i = 0; i < swarm_.replicas; ++i) {
      swarm_.client.replicas.push_back(replica_endpoint(i));
      hosts_.push_back(world_.add(replica_endpoint(i), replica(i, 1)));
      lives_.push_back(1);
    }
    for (std::uint32_t i = 0; i < swarm_.clients; ++i) {
      clients_.emplace_back();
      const endpoint at = endpoint::v4(10, 0, 1, static_cast<std::uint8_t>(i), 9000);
      clients_[i].at = world_.add(at, client(i));
    }
  }

  void slow_down() {
    for (const auto& [from, to] : swarm_.slow_ways) world_.set_faults(from, to, swarm_.slow);
  }

  [[nodiscard]] const replica_program* member(std::size_t i) {
    if (lives_[i] != 1 || !world_.is_up(hosts_[i])) return nullptr;
    return static_cast<const replica_program*>(world_.running(hosts_[i]));
  }

  // --- load ---

  void schedule_load() {
    for (std::uint32_t i = 0; i < swarm_.clients; ++i) tick(i);
  }

  void tick(std::uint32_t index) {
    const auto wait = static_cast<duration::rep>(random_.below(static_cast<std::uint64_t>(swarm_.think_max.count())));
    world_.schedule(world_.now() + duration{wait}, [this, index] {
      client_state& c = clients_[index];
      if (c.issued >= swarm_.operations) return;
      if (world_.is_up(c.at) && c.outstanding < swarm_.depth) issue(index);
      tick(index);
    });
  }

  void issue(std::uint32_t index) {
    client_state& c = clients_[index];
    ++c.issued;
    ++c.outstanding;
    world_.call(c.at, [this, index, life = c.lives](program& p, time_point now, network_effects& out) {
      if (life != clients_[index].lives) return;
      auto& client = static_cast<client_program&>(p);
      if (random_.chance(swarm_.writes, 100)) {
        issue_write(index, client, now, out);
      } else {
        issue_read(index, client, now, out);
      }
    });
  }

  history_operation& begin(std::uint32_t index, std::size_t key, time_point now) {
    history_operation op;
    op.client = index;
    op.key = std::string(1, static_cast<char>('a' + key));
    op.invoked_at = now;
    op.invoked = ++order_;
    history_.push_back(std::move(op));
    return history_.back();
  }

  std::optional<time_point> deadline(time_point now) {
    if (!random_.chance(swarm_.deadlines, 100)) return std::nullopt;
    return now + duration{std::chrono::milliseconds{random_.between(1, 3000)}};
  }

  void issue_write(std::uint32_t index, client_program& client, time_point now, network_effects& out) {
    const auto key = static_cast<std::size_t>(random_.below(swarm_.keys));
    const request_id request = history_.size();
    history_operation& op = begin(index, key, now);
    op.what = random_.chance(swarm_.erases, 100) ? history_operation::kind::erase : history_operation::kind::put;
    if (random_.chance(swarm_.conditions, 100)) {
      const bool absent = random_.chance(1, 3);
      op.when = absent ? replication::condition::absent() : replication::condition::is(clients_[index].seen[key]);
    }
    if (op.what == history_operation::kind::put) {
      op.value = "v" + std::to_string(request);
      const std::uint64_t size = random_.chance(1, 4) ? random_.below(swarm_.value_max) : 0;
      if (size > op.value.size()) op.value.resize(static_cast<std::size_t>(size), '.');
    }
    const auto what = op.what == history_operation::kind::put ? replication::write::put(op.key, op.value, op.when)
                                                              : replication::write::erase(op.key, op.when);
    const auto until = deadline(now);
    client.write(request, what, until, now, out);
  }

  void issue_read(std::uint32_t index, client_program& client, time_point now, network_effects& out) {
    const auto key = static_cast<std::size_t>(random_.below(swarm_.keys));
    const request_id request = history_.size();
    history_operation& op = begin(index, key, now);
    if (random_.chance(swarm_.weak_reads, 100)) {
      switch (random_.below(3)) {
        case 0: op.level = replication::bounded(duration{std::chrono::milliseconds{random_.below(200)}}); break;
        case 1: op.level = replication::bounded(static_cast<std::uint32_t>(random_.below(4))); break;
        default: op.level = replication::eventual; break;
      }
    }
    replication::routing where = replication::routing::any();
    const std::uint64_t way = random_.below(4);
    if (way == 0) where = replication::routing::round_robin();
    if (way == 1) {
      op.asked = static_cast<std::uint32_t>(random_.below(swarm_.replicas));
      where = replication::routing::to({1, op.asked + 1});
    }
    const std::string key_text = op.key;
    const auto level = op.level;
    const auto until = deadline(now);
    client.read(request, key_text, level, where, until, now, out);
  }

  void answered(std::uint32_t index, request_id request, std::error_code error, const replication::read_result& r) {
    history_operation& op = complete(index, request, error);
    op.came_to = error ? history_operation::outcome::void_ : history_operation::outcome::done;
    if (error) return;
    op.found = r.found();
    op.version = r.version;
    op.as_of = r.as_of;
    op.local = r.local;
    if (r.found()) op.value = std::string{r.value->text()};
    clients_[index].seen[static_cast<std::size_t>(op.key[0] - 'a')] = r.version;
  }

  void answered(std::uint32_t index, request_id request, std::error_code error, const replication::write_result& r) {
    history_operation& op = complete(index, request, error);
    if (error) {
      const bool unknown = error == replication_unknown();
      op.came_to = unknown ? history_operation::outcome::pending : history_operation::outcome::void_;
      op.completed = unknown ? std::numeric_limits<std::uint64_t>::max() : op.completed;
      return;
    }
    op.came_to = history_operation::outcome::done;
    op.applied = r.applied;
    op.version = r.version;
    clients_[index].seen[static_cast<std::size_t>(op.key[0] - 'a')] =
        r.applied && op.what == history_operation::kind::erase ? replication::version{} : r.version;
  }

  static std::error_code replication_unknown() { return errc::outcome_unknown; }

  history_operation& complete(std::uint32_t index, request_id request, std::error_code error) {
    --clients_[index].outstanding;
    history_operation& op = history_.at(static_cast<std::size_t>(request));
    op.completed = ++order_;
    op.completed_at = world_.now();
    if (error) ++errors_;
    world_.note("answer", (request << 8U) ^ static_cast<std::uint64_t>(error.value()));
    return op;
  }

  // --- faults ---

  void schedule_faults() {
    for (const fault_event& fault : swarm_.fault_events) {
      world_.schedule(world_.now() + fault.at, [this, fault] { strike(fault); });
    }
  }

  void strike(const fault_event& fault) {
    const host any = static_cast<host>(fault.draw % world_.hosts());
    const host other = static_cast<host>((fault.draw / 7) % world_.hosts());
    switch (fault.what) {
      case fault_event::kind::cut_one_way:
        if (any != other) world_.cut(any, other);
        return;
      case fault_event::kind::isolate: return world_.partition({any});
      case fault_event::kind::heal: return world_.heal();
      case fault_event::kind::pause: return world_.pause(any);
      case fault_event::kind::resume: return world_.resume(any);
      case fault_event::kind::crash_client:
        return crash_client(static_cast<std::uint32_t>(fault.draw % swarm_.clients));
      case fault_event::kind::crash_replica: return crash_replica(fault.draw % swarm_.replicas, fault.draw / 64);
    }
  }

  void crash_client(std::uint32_t index) {
    client_state& c = clients_[index];
    if (!world_.is_up(c.at)) return;
    world_.crash(c.at);
    c.outstanding = 0;
    ++c.lives;
    c.seen.fill({});
    ++client_crashes_;
    world_.restart(c.at, client(index));
  }

  void crash_replica(std::size_t position, std::uint64_t draw) {
    if (replica_crashed_) return;
    replica_crashed_ = true;
    ++replica_crashes_;
    crashed_ = position;
    if (draw % 4 == 0) {
      world_.power_off(hosts_[position]);
    } else {
      world_.crash(hosts_[position]);
    }
    lives_[position] = 2;
    if (draw % 2 == 0) return;
    // It comes back without what it held: a stranger to its chain.
    world_.schedule(world_.now() + 200ms, [this, position] { world_.restart(hosts_[position], replica(position, 2)); });
  }

  void heal() {
    world_.heal();
    link_faults calm = swarm_.faults;
    calm.stream_reset = 0;
    world_.set_faults(calm);
    for (host h = 0; h < world_.hosts(); ++h) world_.resume(h);
  }

  // --- running and checking ---

  template <class Done>
  void go(duration length, Done done) {
    if (!result_.violations.empty()) return;
    world_.run_until(
        [&] {
          for (std::size_t i = 0; i < hosts_.size(); ++i) {
            if (const replica_program* live = member(i)) members_.observe(i, *live);
          }
          if (auto fault = check_step(members_)) violated(*fault);
          return !result_.violations.empty() || done();
        },
        length);
  }

  void violated(const std::string& what) {
    result_.violations.push_back(std::to_string((world_.now() - time_point{}).count() / 1000) + " us: " + what);
  }

  bool ended() {
    if (replica_crashed_) return stopped_is_said();
    for (const client_state& c : clients_) {
      if (c.issued < swarm_.operations || c.outstanding > 0) return false;
    }
    const auto& all = members_.all();
    return std::all_of(all.begin(), all.end(),
                       [&](const auto& m) { return m.commit == all.front().last && m.log_size == 0; });
  }

  /// Every live member next to the one that is gone says that the chain has stopped.
  bool stopped_is_said() {
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
      const bool next_to_it = i + 1 == crashed_ || i == crashed_ + 1;
      const replica_program* live = member(i);
      if (live != nullptr && next_to_it && !live->core().status().stopped) return false;
    }
    return true;
  }

  void check_end() {
    if (!ended())
      return violated(replica_crashed_ ? "a replica is gone, and its neighbours do not say so"
                                       : "healed, and not every operation came to an end");
    if (!replica_crashed_) {
      if (auto fault = check_converged(members_)) return violated(*fault);
      return;
    }
    read_clean_objects();
  }

  /// With a replica gone, clean objects are still read at every other.
  void read_clean_objects() {
    if (swarm_.reads == replication::read_mode::tail_only) return;
    // By a client of their own: reads of dirty objects wait, and may fill the places of the others.
    const host reader = world_.add(endpoint::v4(10, 0, 2, 0, 9000), final_reader());
    struct final_read {
      std::size_t replica;
      std::string key;
    };
    const auto is_clean = [this](const final_read& read) {
      const replica_program& live = *member(read.replica);
      return live.objects().fetch(read.key).version.seq <= live.core().status().commit;
    };
    std::vector<final_read> wanted;
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
      for (std::size_t key = 0; key < swarm_.keys && member(i) != nullptr; ++key) {
        const final_read read{i, std::string(1, static_cast<char>('a' + key))};
        if (!is_clean(read)) continue;
        world_.call(reader, [read, request = wanted.size()](program& p, time_point now, network_effects& out) {
          static_cast<client_program&>(p).read(request, read.key, replication::strong,
                                               replication::routing::to({1, read.replica + 1}), now + 30s, now, out);
        });
        wanted.push_back(read);
      }
    }
    go(40s, [&] { return final_reads_answered_.size() == wanted.size(); });
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      // One that has become dirty meanwhile may wait.
      if (!final_reads_answered_.contains(i) && is_clean(wanted[i])) {
        return violated("a clean object is not read while a replica is gone");
      }
    }
  }

  void check_histories() {
    if (auto fault = check_equal_prefixes(members_)) return violated(*fault);
    if (auto fault = check_against_log(history_, members_.all().front().objects->applied())) return violated(*fault);
    if (auto fault = check_monotone_reads(history_)) return violated(*fault);
    if (!searches_orders()) return;
    for (std::size_t key = 0; key < swarm_.keys; ++key) {
      const std::string name(1, static_cast<char>('a' + key));
      switch (search_order(history_, name, search_steps_max)) {
        case search_result::ok: ++searches_; break;
        case search_result::gave_up: ++searches_given_up_; break;
        case search_result::violated: return violated("no order explains the operations on '" + name + "'");
      }
    }
  }

  void count() {
    replication::replica_counters sum;
    std::uint64_t needless = 0;
    std::uint64_t interrupted = 0;
    std::uint64_t stops = 0;
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
      const auto* live = static_cast<const replica_program*>(world_.running(hosts_[i]));
      if (live == nullptr) continue;
      const replication::replica_counters& c = live->core().counters();
      sum.local_reads += c.local_reads;
      sum.dirty_reads += c.dirty_reads;
      sum.stale_reads += c.stale_reads;
      sum.watermark_queries += c.watermark_queries;
      sum.duplicate_writes += c.duplicate_writes;
      sum.failed_conditions += c.failed_conditions;
      sum.refused_busy += c.refused_busy;
      sum.resent_records += c.resent_records;
      sum.append_frames += c.append_frames;
      sum.appended_records += c.appended_records;
      sum.malformed += c.malformed;
      needless += live->needless_questions();
      interrupted += live->broken_direct_reads();
      for (const replication::event& e : live->events()) {
        if (e.what == replication::event::kind::chain_stopped) ++stops;
      }
    }
    std::uint64_t retries = 0;
    for (const client_state& c : clients_) {
      retries += static_cast<const client_program*>(world_.running(c.at))->core().counters().retries;
    }
    if (sum.malformed > 0 && result_.violations.empty()) violated("a well-behaved peer was not understood");
    if (needless * 20 > needless + sum.local_reads && result_.violations.empty()) {
      violated("more than 5 % of the strong reads of clean objects asked the tail");
    }
    const auto& w = world_.counters();
    const auto done = std::count_if(history_.begin(), history_.end(), [](const history_operation& op) {
      return op.came_to == history_operation::outcome::done;
    });
    const auto failed = history_.size() - static_cast<std::size_t>(done);
    result_.counters = {{"operations", static_cast<std::uint64_t>(done)},
                        {"unanswered operations", failed},
                        {"local reads", sum.local_reads},
                        {"dirty reads", sum.dirty_reads},
                        {"needless questions", needless},
                        {"bounded and eventual reads", sum.stale_reads},
                        {"watermark queries", sum.watermark_queries},
                        {"reads interrupted between steps", interrupted},
                        {"retries", retries},
                        {"duplicate writes", sum.duplicate_writes},
                        {"failed conditions", sum.failed_conditions},
                        {"refused busy", sum.refused_busy},
                        {"records resent", sum.resent_records},
                        {"records received", sum.appended_records},
                        {"append frames", sum.append_frames},
                        {"client crashes", client_crashes_},
                        {"replica crashes", replica_crashes_},
                        {"chain stopped events", stops},
                        {"streams broken", w.streams_broken},
                        {"pauses", w.pauses},
                        {"orders searched", searches_},
                        {"searches given up", searches_given_up_},
                        {"events", w.events}};
    result_.trace_hash = world_.trace_hash();
  }

  chain_options options_;
  std::uint64_t seed_;
  detail::random random_;
  chain_swarm swarm_;
  world world_;
  chain_members members_;
  std::vector<host> hosts_;
  std::vector<std::uint64_t> lives_;
  std::vector<client_state> clients_;
  history history_;
  std::uint64_t order_ = 0;
  std::uint64_t errors_ = 0;
  std::uint64_t client_crashes_ = 0;
  std::uint64_t replica_crashes_ = 0;
  bool replica_crashed_ = false;
  std::size_t crashed_ = 0;
  std::set<request_id> final_reads_answered_;
  std::uint64_t searches_ = 0;
  std::uint64_t searches_given_up_ = 0;
  run_result result_;
};

}  // namespace

run_result run_chain_seed(std::uint64_t seed, const chain_options& options) {
  return chain_run{seed, options}.run();
}

}  // namespace artillery::sim
