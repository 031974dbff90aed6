// How the cores of a small chain are driven: a copy of the one that a step concerns, with the effects into the network.
#include <algorithm>
#include <string_view>
#include <utility>

#include "base/assert.hpp"
#include "sim/explore_chain.hpp"

namespace artillery::sim {

using namespace std::chrono_literals;
using namespace replication;

namespace {

/// Pauses before a retry; what is no longer than this may be over at any moment.
constexpr duration pause = 1ns;

/// The request of the write that opens the session; those of the operations count from 0.
constexpr request_id first_request = 1'000;

}  // namespace

// --- effects ---

class chain_setup::replica_sink final : public core_effects {
public:
  replica_sink(explore_network& network, std::size_t node, time_point now, outcome& came_to)
      : network_{network}, node_{static_cast<std::uint8_t>(node)}, now_{now}, came_to_{came_to} {}

  using network_effects::send;
  void send(const connection& to, bytes_view header, std::span<const bytes> body) override {
    network_.send(node_, to, joined(header, body));
  }
  void open(std::uint64_t number, const endpoint& to) override {
    network_.open(node_, number, explore_network::node_at(to));
  }
  void close(std::uint64_t number) override { network_.close(node_, number); }
  void persist(operation, std::span<const bytes>) override {}
  void deliver(event told) override {
    // Nobody loses what it held while it is a member, so nobody may find that its successor did.
    if (told.what == event::kind::fenced) came_to_.fault = "a successor is fenced off that is as it should be";
  }
  void answer(request_id request, std::error_code error, const read_result& result) override {
    came_to_.reads.push_back({request, error, result});
  }
  void changed(request_id /*request*/, std::error_code /*error*/) override {}
  void ask(const authority_question& /*question*/) override {}
  time_point sample_clock() override { return now_; }

private:
  explore_network& network_;
  std::uint8_t node_;
  time_point now_;
  outcome& came_to_;
};

class chain_setup::client_sink final : public client_effects {
public:
  client_sink(explore_network& network, std::size_t node, outcome& came_to)
      : network_{network}, node_{static_cast<std::uint8_t>(node)}, came_to_{came_to} {}

  using network_effects::send;
  void send(const connection& to, bytes_view header, std::span<const bytes> body) override {
    network_.send(node_, to, joined(header, body));
  }
  void open(std::uint64_t number, const endpoint& to) override {
    network_.open(node_, number, explore_network::node_at(to));
  }
  void close(std::uint64_t number) override { network_.close(node_, number); }
  void persist(operation, std::span<const bytes>) override {}
  void answer(request_id request, std::error_code error, const read_result& result) override {
    came_to_.reads.push_back({request, error, result});
  }
  void answer(request_id request, std::error_code error, const write_result& result) override {
    came_to_.writes.push_back({request, error, result});
  }

private:
  explore_network& network_;
  std::uint8_t node_;
  outcome& came_to_;
};

// --- nodes ---

view chain_setup::view() const {
  replication::view chain;
  chain.chain = 1;
  chain.epoch = 1;
  for (std::size_t i = 0; i < scope_.replicas; ++i) {
    chain.replicas.push_back({{{1, i + 1}, 1}, explore_network::address_of(i)});
  }
  return chain;
}

std::shared_ptr<chain_setup::replica_actor> chain_setup::make_replica(std::size_t position,
                                                                      std::uint64_t incarnation) const {
  replica_config config;
  config.self = {{1, position + 1}, incarnation};
  config.value_size_max = 64;
  config.silence_max = 1h;
  config.stopped_after = 1h;
  config.reconnect_min = config.reconnect_max = pause;
  const detail::random seed{(incarnation << 8U) + position};
  return std::make_shared<replica_actor>(
      replica_actor{.core = replication::core{config, seed}, .objects = {}, .now = {}, .published = {}});
}

std::shared_ptr<chain_setup::client_actor> chain_setup::make_client(std::size_t index) const {
  client_config config;
  for (std::size_t i = 0; i < scope_.replicas; ++i) config.replicas.push_back(explore_network::address_of(i));
  config.value_size_max = 64;
  config.silence_max = 1h;
  config.attempt_timeout = 1s;
  config.retry_min = config.retry_max = config.reconnect_min = config.reconnect_max = pause;
  const detail::random seed{1'000 + index};
  return std::make_shared<client_actor>(client_actor{.core = client_core{config, seed}, .now = {}});
}

std::shared_ptr<const chain_setup::replica_actor>* chain_setup::running(state& at, std::size_t position) noexcept {
  if (!at.down[position]) return &at.members[position];
  return at.strangers[position] == nullptr ? nullptr : &at.strangers[position];
}

const chain_setup::replica_actor* chain_setup::running(const state& at, std::size_t position) noexcept {
  return at.down[position] ? at.strangers[position].get() : at.members[position].get();
}

template <class Call>
void chain_setup::run_replica(state& at, std::size_t position, outcome& came_to, bool flushes, Call call) const {
  std::shared_ptr<const replica_actor>* place = running(at, position);
  if (place == nullptr) return;
  const auto actor = std::make_shared<replica_actor>(**place);
  const std::uint64_t committed = actor->core.serving().commit;
  replica_sink effects{at.network, position, actor->now, came_to};
  const turn turn{actor->now, actor->objects, effects};
  call(actor->core, turn);
  actor->unsent = !flushes;
  if (flushes) {
    actor->core.flush(turn);
    actor->published = actor->core.serving();
  }
  if (actor->core.serving().commit < committed) came_to.fault = "the watermark fell at " + name_of(position);
  detail::state_hash hash;
  hash.add(actor->core.hash(actor->now)).add(actor->published.epoch).add(actor->published.commit).add(actor->unsent);
  actor->objects.hash(hash);
  actor->hash = hash.value();
  *place = actor;
}

template <class Call>
void chain_setup::run_client(state& at, std::size_t index, outcome& came_to, Call call) const {
  if (at.clients[index] == nullptr) return;
  const auto actor = std::make_shared<client_actor>(*at.clients[index]);
  client_sink effects{at.network, scope_.replicas + index, came_to};
  call(actor->core, actor->now, effects);
  actor->hash = actor->core.hash(actor->now);
  at.clients[index] = actor;
}

void chain_setup::receive(state& at, std::size_t node, const connection& from, const explore_network::arrival& what,
                          outcome& came_to) const {
  const auto hand_in = [&](auto& core, auto&... rest) {
    switch (what.what) {
      case explore_network::arrival::kind::up: return core.link(from, link_state::up, rest...);
      case explore_network::arrival::kind::down: return core.link(from, link_state::down, rest...);
      case explore_network::arrival::kind::frame: return core.receive(from, what.content, rest...);
    }
  };
  if (is_replica(node)) {
    return run_replica(at, node, came_to, !scope_.gathers,
                       [&](core& replica, const turn& turn) { hand_in(replica, turn); });
  }
  run_client(at, node - scope_.replicas, came_to,
             [&](client_core& client, time_point now, client_effects& effects) { hand_in(client, now, effects); });
}

std::optional<time_point> chain_setup::deadline(const state& at, std::size_t node) const {
  if (!is_replica(node)) {
    const auto& client = at.clients[node - scope_.replicas];
    return client == nullptr ? std::nullopt : client->core.next_deadline();
  }
  const replica_actor* replica = running(at, node);
  return replica == nullptr ? std::nullopt : replica->core.next_deadline();
}

time_point chain_setup::clock(const state& at, std::size_t node) const {
  return is_replica(node) ? running(at, node)->now : at.clients[node - scope_.replicas]->now;
}

bool chain_setup::retries(const state& at, std::size_t node) const {
  const auto due = deadline(at, node);
  return due && *due <= clock(at, node) + pause;
}

void chain_setup::expire(state& at, std::size_t node, outcome& came_to) const {
  const time_point due = std::max(clock(at, node), *deadline(at, node));
  if (is_replica(node)) {
    std::shared_ptr<const replica_actor>* place = running(at, node);
    const auto later = std::make_shared<replica_actor>(**place);
    later->now = due;
    *place = later;
    return run_replica(at, node, came_to, !scope_.gathers,
                       [](core& replica, const turn& turn) { replica.expire(turn); });
  }
  std::shared_ptr<const client_actor>& place = at.clients[node - scope_.replicas];
  const auto later = std::make_shared<client_actor>(*place);
  later->now = due;
  place = later;
  run_client(at, node - scope_.replicas, came_to,
             [](client_core& client, time_point now, client_effects& effects) { client.expire(now, effects); });
}

void chain_setup::flush(state& at, std::size_t position, outcome& came_to) const {
  run_replica(at, position, came_to, true, [](core&, const turn&) {});
}

void chain_setup::ask(state& at, const explore_choice& choice, outcome& came_to) const {
  if (choice.place == ask_write) {
    const std::size_t number = at.writes_asked++;
    at.monitor.asked(number);
    return run_client(at, 0, came_to, [&](client_core& client, time_point now, client_effects& effects) {
      client.write(number, scope_.writes[number], std::nullopt, now, effects);
    });
  }
  const std::size_t number = scope_.writes.size() + at.reads_asked++;
  at.monitor.asked(number);
  if (scope_.steps_reads) {
    at.stepping.push_back({.operation = static_cast<std::uint8_t>(number),
                           .replica = choice.first,
                           .noted = note(running(std::as_const(at), choice.first)->published),
                           .found = {}});
    return;
  }
  run_client(at, 1, came_to, [&](client_core& client, time_point now, client_effects& effects) {
    client.read(number, explore_object, strong, routing::to({1, choice.first + std::uint64_t{1}}), {}, std::nullopt,
                now, effects);
  });
}

void chain_setup::step(state& at, std::size_t which, outcome& came_to) const {
  stepping_read& read = at.stepping[which];
  const replica_actor& here = *running(std::as_const(at), read.replica);
  if (read.at == stepping_read::phase::noted) {
    read.found = fetch(here.objects, explore_object);
    read.at = stepping_read::phase::fetched;
    return;
  }
  if (check(here.published, read.noted, read.found, strong, here.now) == local_verdict::answer) {
    came_to.reads.push_back({read.operation, {}, result_of(read.found, {as_of(read.noted, read.found)}, true)});
    return;
  }
  read = {.operation = read.operation,
          .replica = read.replica,
          .at = stepping_read::phase::waiting,
          .noted = {},
          .found = {}};
  run_replica(at, read.replica, came_to, !scope_.gathers, [&](core& replica, const turn& turn) {
    replica.read(read.operation, explore_object, strong, {}, std::nullopt, turn);
  });
}

void chain_setup::crash(state& at, std::size_t node, bool keeps_sent) const {
  at.network.crash(static_cast<std::uint8_t>(node), keeps_sent);
  if (!is_replica(node)) {
    at.clients[node - scope_.replicas].reset();
    for (std::size_t i = 0; i < scope_.writes.size(); ++i) at.monitor.abandoned(i);
    return;
  }
  at.down[node] = true;
  at.network.set_down(static_cast<std::uint8_t>(node), true, true);
  for (const stepping_read& read : at.stepping) {
    if (read.replica == node) at.monitor.abandoned(read.operation);
  }
  std::erase_if(at.stepping, [&](const stepping_read& read) { return read.replica == node; });
}

void chain_setup::restart(state& at, std::size_t position, outcome& came_to) const {
  at.network.set_down(static_cast<std::uint8_t>(position), false, false);
  at.strangers[position] = make_replica(position, 2);
  run_replica(at, position, came_to, true,
              [&](core& replica, const turn& turn) { replica.adopt(view(), duration::max(), turn.now, turn); });
}

chain_setup::state chain_setup::initial() const {
  state at;
  outcome came_to;
  at.monitor = explore_chain_monitor{scope_.writes.size() + scope_.reads};
  at.strangers.resize(scope_.replicas);
  at.down.resize(scope_.replicas);
  at.left = scope_.budget;
  for (std::size_t i = 0; i < scope_.replicas; ++i) at.members.push_back(make_replica(i, 1));
  for (std::size_t i = 0; i < clients(); ++i) at.clients.push_back(make_client(i));
  for (std::size_t i = 0; i < scope_.replicas; ++i) {
    run_replica(at, i, came_to, true,
                [&](core& replica, const turn& turn) { replica.adopt(view(), duration::max(), turn.now, turn); });
  }
  for (std::size_t i = 0; i < clients(); ++i) {
    run_client(at, i, came_to,
               [](client_core& client, time_point now, client_effects& effects) { client.start(now, effects); });
  }
  settle(at);
  // A write of another object, so that there is a session.
  run_client(at, 0, came_to, [](client_core& client, time_point now, client_effects& effects) {
    client.write(first_request, write::put("first", "write"), std::nullopt, now, effects);
  });
  settle(at);
  ARTILLERY_INVARIANT(settled(at) && !check_members(at));
  return at;
}

}  // namespace artillery::sim
