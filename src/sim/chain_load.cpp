#include "sim/chain_load.hpp"

#include <algorithm>
#include <utility>

namespace artillery::sim {

using namespace std::chrono_literals;
using replication::request_id;
using outcome = history_operation::outcome;

namespace {

std::size_t place_of(const history_operation& op) {
  return static_cast<std::size_t>(op.key[0] - 'a');
}

}  // namespace

chain_load::chain_load(world& in, const chain_swarm& swarm, const run_options& options, std::uint64_t first_block,
                       bool is_searched, std::uint64_t seed)
    : world_{in},
      swarm_{swarm},
      options_{options},
      first_block_{first_block},
      is_searched_{is_searched},
      users_(swarm.clients + swarm.replicas * swarm.readers) {
  const detail::random streams = detail::random{seed}.fork("chain load");
  for (std::size_t i = 0; i < users_.size(); ++i) {
    const bool reads_here = i >= swarm_.clients;
    const std::size_t reader = reads_here ? i - swarm_.clients : 0;
    if (reads_here) users_[i].replica = reader / swarm_.readers;
    detail::random own = streams.fork((reads_here ? "reader " : "client ") + std::to_string(reads_here ? reader : i));
    users_[i].seed = own.next();
    users_[i].pace = own;
  }
}

void chain_load::begin(std::vector<host> replicas, std::vector<host> clients) {
  for (std::size_t i = 0; i < users_.size(); ++i) {
    users_[i].at = users_[i].replica ? replicas[*users_[i].replica] : clients[i];
    tick(i);
  }
}

// --- who is there ---

std::unique_ptr<client_program> chain_load::client(std::uint64_t seed, client_program::ended on_end) {
  return std::make_unique<client_program>(
      swarm_.client, seed,
      [this](request_id r, std::error_code e, const replication::read_result& found) { read_answered(r, e, found); },
      [this](request_id r, std::error_code e, const replication::write_result& done) { write_answered(r, e, done); },
      std::move(on_end));
}

replica_callers chain_load::callers() {
  return {.on_read = [this](request_id r, std::error_code e,
                            const replication::read_result& found) { read_answered(r, e, found); },
          .on_try = [this](const tried_read& done) { tried(done); },
          .on_end = {}};
}

void chain_load::crashed(std::size_t index) {
  user& who = users_[index];
  for (const request_id request : who.under_way) {
    const history_operation& op = history_[static_cast<std::size_t>(request)];
    if (!op.is_write()) --open_[place_of(op)];  // a write may still happen
  }
  who.under_way.clear();
  who.to_be_asked = 0;
  who.seen.fill({});
  who.session = {};
  ++who.lives;
  go_on(index);
}

void chain_load::client_crashed(std::size_t index) {
  crashed(index);
}

void chain_load::replica_crashed(std::size_t replica) {
  for (std::size_t i = 0; i < users_.size(); ++i) {
    if (users_[i].replica != replica) continue;
    crashed(i);
    users_[i].over = true;
  }
}

void chain_load::replica_is_back(std::size_t replica) {
  for (std::size_t i = 0; i < users_.size(); ++i) {
    if (users_[i].replica != replica || !users_[i].over) continue;
    users_[i].over = false;
    users_[i].waits = false;
    tick(i);
  }
}

void chain_load::give_up_on_client(std::size_t index) {
  users_[index].over = true;
}

std::uint32_t chain_load::operations() const noexcept {
  return std::min(swarm_.operations, options_.operations.value_or(swarm_.operations));
}

bool chain_load::ended() const {
  return std::all_of(users_.begin(), users_.end(), [this](const user& who) {
    return who.over || (who.issued >= operations() && who.to_be_asked == 0 && who.under_way.empty());
  });
}

// --- asking ---

void chain_load::tick(std::size_t index) {
  const auto think = static_cast<std::uint64_t>(swarm_.think_max.count());
  const duration wait{static_cast<duration::rep>(users_[index].pace.below(think))};
  world_.schedule(world_.now() + wait, [this, index] {
    user& who = users_[index];
    if (who.over || who.issued >= operations()) return;
    const std::size_t depth = who.replica ? 1 : swarm_.depth;
    who.waits = who.to_be_asked + who.under_way.size() >= depth;
    if (who.waits) return;
    issue(index);
    tick(index);
  });
}

/// There is room for another operation.
void chain_load::go_on(std::size_t index) {
  if (std::exchange(users_[index].waits, false)) tick(index);
}

bool chain_load::is_left_out(std::size_t index, std::uint32_t operation) const {
  const std::uint64_t block = std::uint64_t{operation} * blocks_per_user / swarm_.operations;
  const std::uint64_t number = first_block_ + index * blocks_per_user + block;
  return std::binary_search(options_.without.begin(), options_.without.end(), number);
}

void chain_load::issue(std::size_t index) {
  user& who = users_[index];
  const std::uint32_t operation = who.issued++;
  if (is_left_out(index, operation)) return;
  ++who.to_be_asked;
  world_.call(who.at, [this, index, operation, life = who.lives](program& p, time_point now, network_effects& out) {
    user& asking = users_[index];
    if (life != asking.lives) return;
    --asking.to_be_asked;
    go_on(index);
    // Each operation draws from a stream of its own: one that is left out shifts no other.
    const detail::random random{detail::mix64(asking.seed + operation)};
    if (asking.replica) {
      ask_replica(index, static_cast<replica_program&>(p), random, now, out);
    } else {
      ask_client(index, static_cast<client_program&>(p), random, now, out);
    }
  });
}

/// Nothing when too many operations of the drawn key are open.
std::optional<std::size_t> chain_load::draw_key(detail::random& random) const {
  const auto key = static_cast<std::size_t>(random.below(swarm_.keys));
  if (is_searched_ && open_[key] >= open_per_key_max) return std::nullopt;
  return key;
}

history_operation& chain_load::begin_operation(std::size_t index, std::size_t key) {
  history_operation op;
  op.client = static_cast<std::uint32_t>(index);
  op.key = std::string(1, static_cast<char>('a' + key));
  op.invoked_at = world_.now();
  op.invoked = ++order_;
  users_[index].under_way.push_back(history_.size());
  ++open_[key];
  history_.push_back(std::move(op));
  return history_.back();
}

std::optional<time_point> chain_load::draw_deadline(detail::random& random, time_point now) const {
  const bool has_one = random.chance(swarm_.deadlines, 100);
  const auto longest = static_cast<std::uint64_t>(swarm_.deadline_max.count());
  const duration within{static_cast<duration::rep>(random.between(1, longest))};
  return has_one ? std::optional{now + within} : std::nullopt;
}

replication::consistency chain_load::draw_level(detail::random& random) const {
  if (!random.chance(swarm_.weak_reads, 100)) return replication::strong;
  switch (random.below(3)) {
    case 0: return replication::bounded(duration{200ms} / (1 + random.below(400)));
    case 1: return replication::bounded(static_cast<std::uint32_t>(random.below(4)));
    default: return replication::eventual;
  }
}

/// From a stream of its own: it was not always drawn.
void chain_load::draw_token(history_operation& read) const {
  detail::random random{detail::mix64(users_[read.client].seed ^ read.invoked << 40U)};
  if (random.chance(swarm_.tokens, 100)) users_[read.client].session.begin(read, place_of(read));
}

replication::condition chain_load::draw_condition(const user& who, std::size_t key, detail::random& random) const {
  if (!random.chance(swarm_.conditions, 100)) return {};
  const std::uint64_t kind = random.below(8);
  if (kind < 3) return replication::condition::absent();
  replication::version expected = who.seen[key];
  // Of another life of the chain: the same place in it says nothing.
  if (kind == 3) ++expected.epoch;
  return replication::condition::is(expected);
}

void chain_load::ask_client(std::size_t index, client_program& client, detail::random random, time_point now,
                            network_effects& out) {
  const bool writes = random.chance(swarm_.writes, 100);
  const auto key = draw_key(random);
  if (!key) return;
  if (writes) {
    ask_write(index, client, *key, random, now, out);
  } else {
    ask_read(index, client, *key, random, now, out);
  }
}

void chain_load::ask_write(std::size_t index, client_program& client, std::size_t key, detail::random& random,
                           time_point now, network_effects& out) {
  const request_id request = history_.size();
  history_operation& op = begin_operation(index, key);
  op.what = random.chance(swarm_.erases, 100) ? history_operation::kind::erase : history_operation::kind::put;
  op.when = draw_condition(users_[index], key, random);
  if (op.what == history_operation::kind::put) {
    op.value = "v" + std::to_string(request);
    const std::uint64_t size = random.chance(1, 4) ? random.below(swarm_.value_max) : 0;
    if (size > op.value.size()) op.value.resize(static_cast<std::size_t>(size), '.');
  }
  const auto what = op.what == history_operation::kind::put ? replication::write::put(op.key, op.value, op.when)
                                                            : replication::write::erase(op.key, op.when);
  client.write(request, what, draw_deadline(random, now), now, out);
}

void chain_load::ask_read(std::size_t index, client_program& client, std::size_t key, detail::random& random,
                          time_point now, network_effects& out) {
  const request_id request = history_.size();
  history_operation& op = begin_operation(index, key);
  op.level = draw_level(random);
  replication::routing where = replication::routing::any();
  const std::uint64_t way = random.below(4);
  if (way == 0) where = replication::routing::round_robin();
  if (way == 1) {
    const auto replica = static_cast<std::uint32_t>(random.below(swarm_.replicas));
    where = replication::routing::to({1, replica + 1});
    const bool goes_to_the_tail = op.level == replication::strong && swarm_.reads == replication::read_mode::tail_only;
    if (!goes_to_the_tail) op.asked = replica;
  }
  const auto until = draw_deadline(random, now);
  draw_token(op);
  client.read(request, bytes{op.key}, op.level, where, op.after, until, now, out);
}

void chain_load::ask_replica(std::size_t index, replica_program& replica, detail::random random, time_point now,
                             network_effects& out) {
  if (random.chance(swarm_.tries, 100)) return try_read(index, replica, random, now);
  const auto key = draw_key(random);
  if (!key) return;
  const request_id request = history_.size();
  history_operation& op = begin_operation(index, *key);
  op.level = draw_level(random);
  op.asked = static_cast<std::uint32_t>(*users_[index].replica);
  draw_token(op);
  read_here(index, request, replica, now, out);
}

void chain_load::try_read(std::size_t index, replica_program& replica, detail::random& random, time_point now) {
  std::vector<local_reads::call> keys;
  const std::uint64_t wanted = random.between(1, swarm_.batch);
  for (std::uint64_t i = 0; i < wanted; ++i) {
    const auto key = draw_key(random);
    if (!key) continue;
    const request_id request = history_.size();
    history_operation& op = begin_operation(index, *key);
    op.asked = static_cast<std::uint32_t>(*users_[index].replica);
    keys.push_back({request, op.key});
  }
  if (!keys.empty()) replica.try_read(std::move(keys), now);
}

void chain_load::read_here(std::size_t index, request_id request, replica_program& replica, time_point now,
                           network_effects& out) {
  const history_operation& op = history_[static_cast<std::size_t>(request)];
  detail::random random{detail::mix64(users_[index].seed ^ op.invoked << 32U)};
  const bool ends_it = random.chance(swarm_.cancels, 100);
  const duration patience{static_cast<duration::rep>(random.below(2'000'000))};
  const auto deadline = draw_deadline(random, now);
  if (ends_it) world_.schedule(world_.now() + patience, [this, index, request] { cancel(index, request); });
  replica.read(request, bytes{op.key}, op.level, op.after, deadline, now, out);
}

void chain_load::cancel(std::size_t index, request_id request) {
  world_.call(users_[index].at, [this, index, request](program& p, time_point now, network_effects& out) {
    if (std::erase(users_[index].under_way, request) == 0) return;  // answered, or of an earlier life
    ++cancelled_;
    history_operation& op = history_[static_cast<std::size_t>(request)];
    --open_[place_of(op)];
    op.came_to = outcome::void_;
    op.completed = ++order_;
    op.completed_at = world_.now();
    static_cast<replica_program&>(p).cancel(request, now, out);
    go_on(index);
  });
}

// --- answers ---

/// What a process says after it has died, in the midst of an input, is heard by nobody.
bool chain_load::is_heard(const history_operation& op) const {
  return world_.is_up(users_[op.client].at);
}

/// Nothing when there is no result.
history_operation* chain_load::complete(request_id request, std::error_code error) {
  history_operation& op = history_.at(static_cast<std::size_t>(request));
  if (!is_heard(op)) return nullptr;
  world_.note("answer", (request << 8U) ^ static_cast<std::uint64_t>(error.value()));
  if (std::erase(users_[op.client].under_way, request) == 0) {
    if (!fault_) fault_ = "operation " + std::to_string(request) + " is answered though nobody waits for it";
    return nullptr;
  }
  go_on(op.client);
  if (error == make_error_code(errc::outcome_unknown)) return nullptr;
  --open_[place_of(op)];
  op.completed = ++order_;
  op.completed_at = world_.now();
  op.came_to = error ? outcome::void_ : outcome::done;
  if (error == make_error_code(errc::token_void)) {
    ++void_tokens_;
    users_[op.client].session = {};
  }
  return error ? nullptr : &op;
}

void chain_load::tried(const tried_read& done) {
  const request_id request = done.request;
  if (done.result.what != replication::local_read::outcome::ask) {
    history_operation* op = complete(request, {});
    if (op == nullptr) return;
    op->local = true;
    op->found = done.result.found();
    op->version = done.result.version;
    if (op->found) op->value = std::string{done.result.value.text()};
    return;
  }
  if (!is_heard(history_.at(static_cast<std::size_t>(request)))) return;
  ++asked_after_try_;
  const std::size_t index = history_.at(static_cast<std::size_t>(request)).client;
  world_.schedule(world_.now(), [this, index, request] {
    world_.call(users_[index].at, [this, index, request](program& p, time_point now, network_effects& out) {
      const auto& waits = users_[index].under_way;
      if (std::find(waits.begin(), waits.end(), request) == waits.end()) return;  // of an earlier life
      read_here(index, request, static_cast<replica_program&>(p), now, out);
    });
  });
}

void chain_load::read_answered(request_id request, std::error_code error, const replication::read_result& r) {
  history_operation* op = complete(request, error);
  if (op == nullptr) return;
  op->found = r.found();
  op->version = r.version;
  op->as_of = r.as_of;
  op->local = r.local;
  op->all_committed = r.committed;
  users_[op->client].session.read_done(*op, place_of(*op), r);
  if (r.found()) op->value = std::string{r.value->text()};
  users_[op->client].seen[place_of(*op)] = r.version;
}

void chain_load::write_answered(request_id request, std::error_code error, const replication::write_result& r) {
  history_operation* op = complete(request, error);
  if (op == nullptr) return;
  op->applied = r.applied;
  op->version = r.version;
  users_[op->client].session.write_done(*op, place_of(*op), r);
  const bool erased = r.applied && op->what == history_operation::kind::erase;
  users_[op->client].seen[place_of(*op)] = erased ? replication::version{} : r.version;
}

}  // namespace artillery::sim
