#include "sim/explore_views.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/assert.hpp"
#include "base/crc32c.hpp"
#include "base/wire.hpp"
#include "replication/next_view.hpp"
#include "sim/linearizability.hpp"

namespace artillery::sim {

using namespace replication;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view object_key = "k";
constexpr std::uint64_t client_stream = std::uint64_t{1} << 40U;
constexpr duration retry_pause = 1ms;
constexpr std::uint64_t order_steps = 100'000;

explore_choice pick(explore_choice::kind what, std::size_t place, std::size_t first = 0) {
  return {what, static_cast<std::uint8_t>(place), static_cast<std::uint8_t>(first), 0};
}

replica_id first_life(std::size_t node) {
  return {{1, node + 1}, 1};
}

std::string letter(std::size_t node) {
  return std::string(1, static_cast<char>('A' + node));
}

bytes joined_frame(bytes_view header, std::span<const bytes> body) {
  std::vector<std::byte> whole{header.begin(), header.end()};
  for (const bytes& part : body) whole.insert(whole.end(), part.view().begin(), part.view().end());
  return bytes::copy(whole);
}

}  // namespace

// --- effects ---

struct views_setup::outcome {
  struct read_end {
    request_id request = 0;
    std::error_code error;
    read_result result;
  };
  std::vector<write_reply> writes;
  std::vector<read_end> reads;
  std::vector<authority_question> asked;
  bool removed = false;
  bool client_opened = false;
  bool client_closed = false;
  std::optional<std::string> fault;
};

class views_setup::sink final : public core_effects {
public:
  sink(explore_network& network, std::size_t node, time_point now, outcome& came_to)
      : network_{network}, node_{static_cast<std::uint8_t>(node)}, now_{now}, came_to_{came_to} {}

  using network_effects::send;
  void send(const connection& to, bytes_view header, std::span<const bytes> body) override {
    bytes message = joined_frame(header, body);
    if (to.number != client_stream) return network_.send(node_, to, std::move(message));
    const auto kind = decode_header(message);
    if (!kind || kind->kind != frame_kind::write_reply) return;  // its welcome
    came_to_.writes.push_back(decode_write_reply(message).value());
  }
  void open(std::uint64_t number, const endpoint& to) override {
    network_.open(node_, number, explore_network::node_at(to));
  }
  void close(std::uint64_t number) override {
    if (number == client_stream) {
      came_to_.client_closed = true;
    } else {
      network_.close(node_, number);
    }
  }
  void persist(operation, std::span<const bytes>) override {}
  void deliver(event told) override {
    if (told.what == event::kind::fenced) came_to_.fault = "a successor is fenced off that is as it should be";
    if (told.what == event::kind::displaced) came_to_.fault = "a replica is displaced, and every node is there once";
    if (told.what == event::kind::removed) came_to_.removed = true;
  }
  void answer(request_id request, std::error_code error, const read_result& result) override {
    came_to_.reads.push_back({request, error, result});
  }
  void changed(request_id /*request*/, std::error_code /*error*/) override {}
  void ask(const authority_question& question) override { came_to_.asked.push_back(question); }
  time_point sample_clock() override { return now_; }

private:
  explore_network& network_;
  std::uint8_t node_;
  time_point now_;
  outcome& came_to_;
};

// --- nodes and the register ---

std::shared_ptr<views_setup::actor> views_setup::make(std::size_t node) const {
  replica_config config;
  config.self = first_life(node);
  config.value_size_max = 64;
  config.silence_max = 1h;
  config.stopped_after = 1h;
  config.failed_after = 1h;
  config.authority_timeout = 1h;
  config.freeze_max = 1h;
  config.replicas_wanted = scope_.replicas;
  config.reconnect_min = config.reconnect_max = retry_pause;
  const detail::random seed{node + 1};
  return std::make_shared<actor>(actor{.core = core{config, seed}, .objects = {}, .now = {}});
}

template <class Call>
void views_setup::run(state& at, std::size_t node, outcome& came_to, Call call) const {
  if (at.nodes[node] == nullptr) return;
  const auto here = std::make_shared<actor>(*at.nodes[node]);
  const std::uint64_t committed = here->core.serving().commit;
  const std::uint64_t epoch = here->core.in_force().epoch;
  const bool was_frozen = here->core.opening().is_frozen();
  const std::uint64_t freezes = here->core.counters().freezes;
  sink effects{at.network, node, here->now, came_to};
  const turn turn{here->now, here->objects, effects};
  call(here->core, turn);
  if (came_to.removed) {
    at.ended.insert_or_assign(here->core.self(), here->core.log());
    here->core.begin_anew(here->core.self().incarnation + 1, turn);
  }
  here->core.flush(turn);
  if (came_to.client_opened) here->has_client = true;
  if (came_to.client_closed || came_to.removed) here->has_client = false;
  const bool is_same_epoch = here->core.in_force().epoch == epoch;
  const bool commits_more = here->core.serving().commit > committed;
  const bool is_same_freeze =
      was_frozen && here->core.opening().is_frozen() && here->core.counters().freezes == freezes;
  if (is_same_epoch && is_same_freeze && commits_more) {
    came_to.fault = "I9: " + letter(node) + " commits while it is frozen";
  }
  for (authority_question& each : came_to.asked) {
    at.questions.push_back({static_cast<std::uint8_t>(node), std::move(each), {}});
  }
  came_to.asked.clear();
  detail::state_hash hash;
  hash.add(here->core.hash(here->now)).add(here->core.self().incarnation).add(here->has_client);
  here->objects.hash(hash);
  here->hash = hash.value();
  at.nodes[node] = here;
}

void views_setup::decide(state& at, std::size_t which) const {
  question& one = at.questions[which];
  const chosen_view now{at.chosen.back(), {}};
  if (const auto* read = std::get_if<authority_read>(&one.asked)) {
    if (scope_.fences) at.fenced[one.node] = std::max(at.fenced[one.node], read->id);
    one.answer = authority_view{.id = read->id, .newest = now, .fences = scope_.fences};
  } else if (const auto* renewal = std::get_if<authority_renew>(&one.asked)) {
    const auto& who = at.nodes[one.node]->core.self();
    const bool yes = renewal->epoch == now.view.epoch && is_replica(now.view, who);
    one.answer = authority_renewed{.id = renewal->id, .yes = yes};
  } else if (const auto* quiet = std::get_if<authority_quiet>(&one.asked)) {
    one.answer = authority_quieted{.id = quiet->id, .yes = false};
  } else {
    using fate = authority_cas_done::outcome;
    const auto& cas = std::get<authority_cas>(one.asked);
    authority_cas_done done{.id = cas.id, .what = fate::refused, .now = now};
    if (cas.id < at.fenced[one.node]) {
      done = {.id = cas.id, .what = fate::unknown, .now = {}};
    } else if (cas.expected == now.view.epoch) {
      at.chosen.push_back(cas.next);
      done = {.id = cas.id, .what = fate::chosen, .now = chosen_view{cas.next, {}}};
    }
    one.answer = std::move(done);
  }
}

void views_setup::expire(state& at, std::size_t node, outcome& came_to) const {
  const auto later = std::make_shared<actor>(*at.nodes[node]);
  later->now = std::max(later->now, *later->core.next_deadline());
  at.nodes[node] = later;
  run(at, node, came_to, [](core& replica, const turn& turn) { replica.expire(turn); });
}

// --- operations ---

void views_setup::write(state& at, std::size_t number, std::size_t node, outcome& came_to) const {
  const std::string value(1, static_cast<char>('a' + number));
  const bool is_open = at.nodes[node]->has_client;
  run(at, node, came_to, [&](core& replica, const turn& turn) {
    frame message;
    came_to.client_opened = true;
    if (!is_open) {
      replica.link(connection::stream(client_stream), link_state::up, turn);
      encode(message, detail::cluster_tag("artillery"),
             hello{.role = link_role::client, .chain = 1, .epoch = replica.in_force().epoch, .from = {}});
      replica.receive(connection::stream(client_stream), joined_frame(message.header, message.body), turn);
    }
    write_request request{.request = number,
                          .what = write_request::kind::put,
                          .session = at.session,
                          .number = number + 1,
                          .lowest = 1,
                          .when = {},
                          .key = object_key,
                          .value = value,
                          .checksum = detail::crc32c(as_bytes(value))};
    if (at.session == 0) request.what = write_request::kind::open_session;
    encode(message, replica.in_force().epoch, request);
    replica.receive(connection::stream(client_stream), joined_frame(message.header, message.body), turn);
  });
}

void views_setup::read(state& at, std::size_t node, outcome& came_to) const {
  const request_id number = scope_.writes + at.reads_asked++;
  history_operation asked;
  asked.client = static_cast<std::uint32_t>(number);
  asked.key = object_key;
  asked.invoked = ++at.moments;
  at.operations.push_back(std::move(asked));
  run(at, node, came_to,
      [&](core& replica, const turn& turn) { replica.read(number, object_key, strong, std::nullopt, turn); });
}

void views_setup::open_session(state& at) const {
  outcome came_to;
  write(at, 0, 0, came_to);
  settle(at);
  ARTILLERY_INVARIANT(at.session != 0);
}

void views_setup::settle(state& at) const {
  std::vector<explore_choice> next;
  for (add_arrivals(at, next); !next.empty(); add_arrivals(at, next)) {
    const auto fault = apply(at, next.front());
    ARTILLERY_INVARIANT(!fault);
    next.clear();
  }
}

views_setup::state views_setup::initial() const {
  state at;
  view genesis;
  genesis.chain = 1;
  genesis.epoch = 1;
  genesis.leases = lease_mode::none;
  for (std::size_t i = 0; i < scope_.replicas; ++i) {
    genesis.replicas.push_back({first_life(i), explore_network::address_of(i)});
    genesis.readers.push_back(first_life(i));
  }
  at.left.retries = 255;  // while it begins
  at.chosen.push_back(genesis);
  at.fenced.resize(nodes());
  for (std::size_t i = 0; i < nodes(); ++i) at.nodes.push_back(make(i));
  outcome came_to;
  for (std::size_t i = 0; i < nodes(); ++i) {
    run(at, i, came_to, [&](core& replica, const turn& turn) { replica.start(explore_network::address_of(i), turn); });
  }
  settle(at);
  open_session(at);
  for (std::uint8_t i = 0; i < scope_.writes; ++i) {
    history_operation put;
    put.client = i;
    put.what = history_operation::kind::put;
    put.key = object_key;
    put.value = std::string(1, static_cast<char>('a' + i));
    at.operations.push_back(std::move(put));
  }
  at.left = scope_.budget;
  return at;
}

// --- what may happen ---

bool views_setup::retries(const state& at, std::size_t node) const {
  if (at.nodes[node] == nullptr) return false;
  const auto due = at.nodes[node]->core.next_deadline();
  return due && *due <= at.nodes[node]->now + retry_pause;
}

void views_setup::add_arrivals(const state& at, std::vector<explore_choice>& out) const {
  for (std::size_t i = 0; i < at.questions.size(); ++i) {
    out.push_back(pick(kind::step, i, at.questions[i].answer ? step_tell : step_decide));
  }
  const auto& streams = at.network.streams();
  for (std::size_t i = 0; i < streams.size(); ++i) {
    for (const std::size_t end : {std::size_t{0}, std::size_t{1}}) {
      if (!streams[i].to[end].empty()) out.push_back(pick(kind::deliver, i, end));
    }
  }
  for (std::size_t node = 0; at.left.retries > 0 && node < nodes(); ++node) {
    if (retries(at, node)) out.push_back(pick(kind::expire, node, expire_retry));
  }
}

void views_setup::add_requests(const state& at, std::vector<explore_choice>& out) const {
  for (std::size_t node = 0; node < nodes(); ++node) {
    if (at.nodes[node] == nullptr) continue;
    const role here = at.nodes[node]->core.status().role;
    const bool is_head = here == role::head || here == role::single;
    if (is_head && at.writes_asked < scope_.writes) out.push_back(pick(kind::ask, at.writes_asked, node));
    for (std::size_t w = 0; is_head && at.left.resends > 0 && w < at.writes_asked; ++w) {
      if (at.operations[w].came_to == history_operation::outcome::pending) out.push_back(pick(kind::ask, w, node));
    }
    if (here != role::none && here != role::learner && at.reads_asked < scope_.reads) {
      out.push_back(pick(kind::ask, scope_.writes, node));
    }
  }
}

void views_setup::add_faults(const state& at, std::vector<explore_choice>& out) const {
  for (std::size_t node = 0; node < nodes(); ++node) {
    if (at.nodes[node] == nullptr) continue;
    if (at.left.crashes > 0) out.push_back(pick(kind::crash, node));
    const core& here = at.nodes[node]->core;
    if (at.left.doubts == 0 || !is_replica(here.in_force(), here.self())) continue;
    for (const member& each : here.in_force().replicas) {
      const auto other = static_cast<std::size_t>(each.id.node.low - 1);
      if (other != node) out.push_back(pick(kind::hasten, node, other));
    }
  }
}

void views_setup::choices(const state& at, std::vector<explore_choice>& out) const {
  add_arrivals(at, out);
  const bool is_idle = out.empty();
  add_requests(at, out);
  for (std::size_t node = 0; is_idle && at.left.idle > 0 && node < nodes(); ++node) {
    if (at.nodes[node] != nullptr && at.nodes[node]->core.next_deadline()) {
      out.push_back(pick(kind::expire, node, expire_idle));
    }
  }
  add_faults(at, out);
}

std::optional<std::string> views_setup::apply(state& at, const explore_choice& choice) const {
  outcome came_to;
  switch (choice.what) {
    case kind::step: {
      if (choice.first == step_decide) {
        decide(at, choice.place);
        break;
      }
      const question told = std::move(at.questions[choice.place]);
      at.questions.erase(at.questions.begin() + choice.place);
      run(at, told.node, came_to, [&](core& replica, const turn& turn) { replica.answered(*told.answer, turn); });
      break;
    }
    case kind::deliver: {
      const explore_network::stream& stream = at.network.streams()[choice.place];
      const std::size_t node = stream.node(choice.first);
      const connection from = stream.as_seen_at(choice.first);
      const explore_network::arrival what = at.network.take(choice.place, choice.first);
      run(at, node, came_to, [&](core& replica, const turn& turn) {
        if (what.what == explore_network::arrival::kind::frame) return replica.receive(from, what.content, turn);
        const bool is_up = what.what == explore_network::arrival::kind::up;
        replica.link(from, is_up ? link_state::up : link_state::down, turn);
      });
      break;
    }
    case kind::expire:
      --(choice.first == expire_idle ? at.left.idle : at.left.retries);
      expire(at, choice.place, came_to);
      break;
    case kind::ask:
      if (choice.place == scope_.writes) {
        read(at, choice.first, came_to);
        break;
      }
      if (choice.place == at.writes_asked) {
        at.operations[at.writes_asked++].invoked = ++at.moments;
      } else {
        --at.left.resends;
      }
      write(at, choice.place, choice.first, came_to);
      break;
    case kind::hasten:
      --at.left.doubts;
      run(at, choice.place, came_to, [&](core& replica, const turn& turn) {
        replica.hint(first_life(choice.first).node, peer_hint::failed, turn);
      });
      break;
    case kind::crash: {
      --at.left.crashes;
      const core& gone = at.nodes[choice.place]->core;
      at.ended.insert_or_assign(gone.self(), gone.log());
      at.network.crash(choice.place, true);
      at.network.set_down(choice.place, true, true);
      at.nodes[choice.place] = nullptr;
      std::erase_if(at.questions, [&](const question& each) { return each.node == choice.place; });
      break;
    }
    case kind::lose:
    case kind::duplicate:
    case kind::cut:
    case kind::restart: break;  // none of these
  }
  return judge(at, came_to);
}

// --- what must hold ---

std::optional<std::string> views_setup::judge(state& at, outcome& came_to) const {
  if (came_to.fault) return came_to.fault;
  bool is_answered = false;
  for (const write_reply& reply : came_to.writes) {
    if (reply.status != reply_status::ok) continue;
    if (at.session == 0) {
      at.session = reply.session;
      continue;
    }
    history_operation& write = at.operations[static_cast<std::size_t>(reply.request)];
    if (write.came_to != history_operation::outcome::pending) continue;
    write.came_to = history_operation::outcome::done;
    write.completed = ++at.moments;
    write.applied = reply.result.applied;
    write.version = reply.result.version;
    is_answered = true;
  }
  for (const outcome::read_end& end : came_to.reads) {
    const auto op = std::find_if(at.operations.begin(), at.operations.end(),
                                 [&](const history_operation& each) { return each.client == end.request; });
    op->completed = ++at.moments;
    op->came_to = end.error ? history_operation::outcome::void_ : history_operation::outcome::done;
    op->found = end.result.found();
    if (op->found) op->value = std::string{end.result.value->text()};
    op->version = end.result.version;
    is_answered = is_answered || !end.error;
  }
  for (const auto& each : at.nodes) {
    const std::uint64_t commit = each == nullptr ? 0 : each->core.serving().commit;
    if (commit == 0) continue;
    const auto [point, is_new] = at.commit_points.emplace(commit, each->core.log().dropped());
    if (!is_new && point->second != each->core.log().dropped()) return "I4: two records are committed at one place";
  }
  if (auto fault = check_logs(at)) return fault;
  if (!is_answered) return std::nullopt;
  history asked = at.operations;
  std::erase_if(asked, [](const history_operation& op) { return op.invoked == 0; });
  const bool has_order = search_order(asked, std::string{object_key}, order_steps) == search_result::ok;
  return has_order ? std::nullopt : std::optional<std::string>{"I5: no order explains the answers"};
}

std::optional<std::string> views_setup::check_logs(const state& at) const {
  std::map<replica_id, const core*> running;
  for (const auto& each : at.nodes) {
    if (each == nullptr) continue;
    const view& here = each->core.in_force();
    if (here.epoch > at.chosen.size()) return "I1: a view is in force that was not chosen";
    if (here.epoch > 0 && !(here == at.chosen[here.epoch - 1])) return "I1: another view is in force than was chosen";
    running.emplace(each->core.self(), &each->core);
  }
  for (const auto& [who, above] : running) {
    const std::vector<member>& in = above->in_force().replicas;
    const auto place = std::find_if(in.begin(), in.end(), [wanted = who](const member& m) { return m.id == wanted; });
    if (place == in.end() || place + 1 == in.end()) continue;
    const auto below = running.find((place + 1)->id);
    if (below == running.end() || below->second->in_force().epoch != above->in_force().epoch) continue;
    const version last = below->second->log().last();
    if (last.seq > 0 && !above->log().knows(last) && last.seq > above->log().dropped().seq) {
      return "I3: a replica holds what its predecessor does not";
    }
  }
  if (at.commit_points.empty()) return std::nullopt;
  const version newest = at.commit_points.rbegin()->second;
  for (const member& each : at.chosen.back().replicas) {
    const auto alive = running.find(each.id);
    const auto over = at.ended.find(each.id);
    if (alive == running.end() && over == at.ended.end()) continue;  // it has not heard of itself yet
    const log& records = alive != running.end() ? alive->second->log() : over->second;
    if (!records.knows(newest)) return "I4: a replica of the newest view lacks what was committed";
  }
  return std::nullopt;
}

std::optional<std::string> views_setup::check_end(const state& /*at*/) const {
  return std::nullopt;
}

std::uint64_t views_setup::hash_of(const question& one) {
  detail::state_hash into;
  into.add(one.node).add(one.asked.index()).add(one.answer.has_value());
  std::visit([&](const auto& asked) { into.add(asked.id); }, one.asked);
  if (const auto* cas = std::get_if<authority_cas>(&one.asked))
    into.add(cas->expected).add(cas->next.replicas.size()).add(cas->next.learners.size());
  if (const auto* renewal = std::get_if<authority_renew>(&one.asked)) into.add(renewal->epoch);
  if (!one.answer) return into.value();
  if (const auto* told = std::get_if<authority_view>(&*one.answer)) into.add(told->newest.view.epoch);
  if (const auto* told = std::get_if<authority_cas_done>(&*one.answer))
    into.add(told->what).add(told->now ? told->now->view.epoch : 0);
  if (const auto* told = std::get_if<authority_renewed>(&*one.answer)) into.add(told->yes);
  return into.value();
}

std::uint64_t views_setup::hash(const state& at) const {
  detail::state_hash into;
  for (const auto& each : at.nodes) into.add(each == nullptr ? 0 : each->hash);
  at.network.hash(into);
  // Any of them may be next, so their order tells nothing.
  std::uint64_t questions = 0;
  for (const question& each : at.questions) questions += hash_of(each);
  into.add(at.questions.size()).add(questions);
  into.add(at.chosen.size());
  for (const view& each : at.chosen) {
    for (const auto* list : {&each.replicas, &each.learners}) {
      into.add(list->size());
      for (const member& m : *list) into.add(m.id.node).add(m.id.incarnation);
    }
  }
  for (const question_id fenced : at.fenced) into.add(fenced);
  for (const auto& [who, records] : at.ended) {
    into.add(who.node).add(who.incarnation);
    records.hash(into, {});
  }
  for (const auto& [seq, version] : at.commit_points) into.add(seq).add(version.epoch);
  for (const history_operation& op : at.operations) {
    into.add(op.came_to).add(op.invoked).add(op.completed).add(op.found).add(op.value).add(op.version.seq);
  }
  into.add(at.writes_asked).add(at.reads_asked);
  into.add(at.left.doubts).add(at.left.crashes).add(at.left.idle).add(at.left.retries).add(at.left.resends);
  return into.value();
}

std::string views_setup::describe(const state& at, const explore_choice& choice) const {
  switch (choice.what) {
    case kind::step: {
      const question& one = at.questions[choice.place];
      constexpr std::array names{"a read", "a proposal", "a renewal", "a question whether all is quiet"};
      return std::string{choice.first == step_decide ? "the register decides " : "the register's answer reaches "} +
             (choice.first == step_decide ? std::string{names[one.asked.index()]} + " of " : std::string{}) +
             letter(one.node);
    }
    case kind::deliver: {
      const explore_network::stream& stream = at.network.streams()[choice.place];
      return letter(stream.node(choice.first)) + " hears " + letter(stream.node(1U - choice.first));
    }
    case kind::expire: return letter(choice.place) + ": time passes";
    case kind::ask:
      return (choice.place == scope_.writes ? "a read at " : "write " + std::to_string(choice.place) + " to ") +
             letter(choice.first);
    case kind::hasten: return letter(choice.place) + " is told that " + letter(choice.first) + " has failed";
    case kind::crash: return letter(choice.place) + " crashes";
    default: return "nothing";
  }
}

}  // namespace artillery::sim
