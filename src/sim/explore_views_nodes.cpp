// How the cores of a small chain whose view changes are driven.
#include <algorithm>
#include <chrono>
#include <utility>

#include "base/crc32c.hpp"
#include "base/wire.hpp"
#include "replication/next_view.hpp"
#include "sim/explore_views.hpp"
#include "sim/explore_views_names.hpp"

namespace artillery::sim {

using namespace replication;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t client_stream = std::uint64_t{1} << 40U;
/// What no run waits for.
constexpr duration far_away = 10'000h;
constexpr duration freeze_max = 1'000h;
/// Whatever a node does, its clock moves on by that, so that a pause before a retry is over when anything else happens.
constexpr duration moment = 1ns;

}  // namespace

struct views_setup::outcome {
  struct read_end {
    std::size_t node = 0;
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
    bytes message = joined(header, body);
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
    came_to_.reads.push_back({node_, request, error, result});
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

// --- nodes ---

std::shared_ptr<views_setup::actor> views_setup::make(std::size_t node) const {
  replica_config config;
  config.self = first_life(node);
  config.value_size_max = 64;
  config.silence_max = config.client_silence_max = far_away;
  config.stopped_after = config.failed_after = far_away;
  config.authority_timeout = far_away;
  config.readmit_min = config.readmit_max = far_away;
  config.freeze_max = freeze_max;
  config.replicas_wanted = scope_.begins_in == 1 ? scope_.replicas : nodes();
  config.reconnect_min = config.reconnect_max = moment;
  const detail::random seed{node + 1};
  return std::make_shared<actor>(actor{.core = core{config, seed}, .objects = {}, .now = {}});
}

template <class Call>
void views_setup::run(state& at, std::size_t node, outcome& came_to, Call call) const {
  if (at.nodes[node] == nullptr) return;
  const std::shared_ptr<const actor> before = at.nodes[node];
  const auto here = std::make_shared<actor>(*before);
  here->now += moment;
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
  came_to.removed = came_to.client_opened = came_to.client_closed = false;
  at.nodes[node] = here;
  for (authority_question& each : came_to.asked) {
    at.questions.push_back({static_cast<std::uint8_t>(node), std::move(each), {}});
  }
  came_to.asked.clear();
  // Of an epoch that its asker has left nobody needs an answer.
  std::erase_if(at.questions, [&](const question& each) {
    const auto* renewal = std::get_if<authority_renew>(&each.asked);
    return renewal != nullptr && each.node == node && renewal->epoch != here->core.in_force().epoch;
  });
  if (!came_to.fault) came_to.fault = note_commits(at, *before, *here);
  detail::state_hash hash;
  hash.add(here->core.hash(here->now, coarse())).add(here->core.self().incarnation).add(here->has_client);
  here->objects.hash(hash);
  here->hash = hash.value();
}

void views_setup::start(state& at, std::size_t node) const {
  outcome came_to;
  run(at, node, came_to, [&](core& replica, const turn& turn) {
    replica.start(explore_network::address_of(node), turn);
    if (!scope_.comes_back) replica.retire();
  });
}

void views_setup::deliver(state& at, std::size_t stream, std::size_t end, outcome& came_to) const {
  const std::size_t node = at.network.streams()[stream].node(end);
  const connection from = at.network.streams()[stream].as_seen_at(end);
  const explore_network::arrival what = at.network.take(stream, end);
  run(at, node, came_to, [&](core& replica, const turn& turn) {
    if (what.what == explore_network::arrival::kind::frame) return replica.receive(from, what.content, turn);
    const bool is_up = what.what == explore_network::arrival::kind::up;
    replica.link(from, is_up ? link_state::up : link_state::down, turn);
  });
}

/// A stream that was opened is up at both ends at once: until its hello arrives it is as if it were not.
void views_setup::bring_up(state& at, outcome& came_to) const {
  for (bool found = true; std::exchange(found, false);) {
    const auto& streams = at.network.streams();
    for (std::size_t i = 0; i < streams.size() && !found; ++i) {
      for (const std::size_t end : {std::size_t{0}, std::size_t{1}}) {
        if (streams[i].to[end].empty() || streams[i].to[end].front().what != explore_network::arrival::kind::up)
          continue;
        deliver(at, i, end, came_to);
        found = true;
        break;
      }
    }
  }
}

bool views_setup::retries(const state& at, std::size_t node) {
  if (at.nodes[node] == nullptr) return false;
  const auto due = at.nodes[node]->core.next_deadline();
  return due && *due <= at.nodes[node]->now + moment;
}

void views_setup::drop_renewals(state& at, std::size_t node) const {
  std::erase_if(at.questions, [&](const question& each) {
    const bool is_renewal = std::holds_alternative<authority_renew>(each.asked);
    return each.node == node && is_renewal && scope_.leases == lease_mode::timed;
  });
}

void views_setup::expire(state& at, const explore_choice& choice, outcome& came_to) const {
  const std::size_t node = choice.place;
  const auto later = std::make_shared<actor>(*at.nodes[node]);
  if (choice.first == expire_lease) later->now += gate_length(lease_length, later->core.in_force().drift_ppm);
  if (choice.first == expire_freeze) later->now += freeze_max;
  at.nodes[node] = later;
  // A yes to a question from before would give a right that is over; a no says what the next one does.
  if (choice.first != expire_retry) drop_renewals(at, node);
  run(at, node, came_to, [](core& replica, const turn& turn) { replica.expire(turn); });
  if (choice.first != expire_retry && !scope_.renews) drop_renewals(at, node);
}

// --- operations ---

void views_setup::write(state& at, std::size_t number, std::size_t node, outcome& came_to) const {
  const std::string value = explore_answers::value_of(number);
  const bool is_open = at.nodes[node]->has_client;
  run(at, node, came_to, [&](core& replica, const turn& turn) {
    frame message;
    came_to.client_opened = true;
    if (!is_open) {
      replica.link(connection::stream(client_stream), link_state::up, turn);
      encode(message, detail::cluster_tag("artillery"),
             hello{.role = link_role::client, .chain = 1, .epoch = replica.in_force().epoch, .from = {}});
      replica.receive(connection::stream(client_stream), joined(message.header, message.body), turn);
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
    replica.receive(connection::stream(client_stream), joined(message.header, message.body), turn);
  });
}

/// With no session yet, a write stands for the opening of one.
void views_setup::ask_session(state& at) const {
  outcome came_to;
  write(at, 0, 0, came_to);
}

void views_setup::read(state& at, std::size_t node, outcome& came_to) const {
  --at.reads_left;
  const std::uint64_t number = at.answers.read_asked(node);
  run(at, node, came_to,
      [&](core& replica, const turn& turn) { replica.read(number, object_key, strong, {}, std::nullopt, turn); });
  // Refused on the spot: as if nobody had asked.
  const auto refused = std::erase_if(came_to.reads, [&](const outcome::read_end& end) {
    return end.error && end.node == node && end.request == number;
  });
  if (refused == 0) return;
  ++at.reads_left;
  at.answers.read_over(node, number);
}

void views_setup::crash(state& at, std::size_t node) const {
  const core& gone = at.nodes[node]->core;
  at.ended.insert_or_assign(gone.self(), gone.log());
  at.network.crash(static_cast<std::uint8_t>(node), true);
  at.network.set_down(static_cast<std::uint8_t>(node), true, true);
  at.nodes[node] = nullptr;
  std::erase_if(at.questions, [&](const question& each) { return each.node == node && !each.is_given_up; });
}

// --- what happens ---

void views_setup::make_happen(state& at, const explore_choice& choice, outcome& came_to) const {
  switch (choice.what) {
    case kind::step:
      if (choice.first == step_decide) return decide(at, choice.place);
      return tell(at, choice.place, came_to);
    case kind::lose: --at.left.give_ups; return give_up(at, choice.place, came_to);
    case kind::deliver: return deliver(at, choice.place, choice.first, came_to);
    case kind::expire:
      if (choice.first == expire_freeze) --at.left.thaws;
      return expire(at, choice, came_to);
    case kind::ask:
      if (choice.place == scope_.writes) return read(at, choice.first, came_to);
      if (choice.place == at.writes_asked) {
        at.answers.write_asked(at.writes_asked++);
      } else {
        --at.left.resends;
      }
      return write(at, choice.place, choice.first, came_to);
    case kind::hasten:
      --at.left.doubts;
      return run(at, choice.place, came_to, [&](core& replica, const turn& turn) {
        replica.hint(first_life(choice.first).node, peer_hint::failed, turn);
      });
    case kind::crash: --at.left.crashes; return crash(at, choice.place);
    case kind::duplicate:
    case kind::cut:
    case kind::restart: return;  // none of these
  }
}

std::optional<std::string> views_setup::apply(state& at, const explore_choice& choice) const {
  outcome came_to;
  make_happen(at, choice, came_to);
  bring_up(at, came_to);
  return judge(at, came_to);
}

// --- answers to questions ---

void views_setup::tell(state& at, std::size_t which, outcome& came_to) const {
  const question told = std::move(at.questions[which]);
  at.questions.erase(at.questions.begin() + static_cast<std::ptrdiff_t>(which));
  run(at, told.node, came_to, [&](core& replica, const turn& turn) { replica.answered(*told.answer, turn); });
}

/// The asker hears that nobody knows; the proposal itself, if it is not decided, may be yet.
void views_setup::give_up(state& at, std::size_t which, outcome& came_to) const {
  question& one = at.questions[which];
  const std::size_t node = one.node;
  const authority_cas_done unknown{.id = std::get<authority_cas>(one.asked).id, .now = {}};
  one.is_given_up = true;
  if (one.answer) at.questions.erase(at.questions.begin() + static_cast<std::ptrdiff_t>(which));
  run(at, node, came_to, [&](core& replica, const turn& turn) { replica.answered(unknown, turn); });
}

// --- what is answered ---

std::optional<std::string> views_setup::judge(state& at, outcome& came_to) const {
  if (came_to.fault) return came_to.fault;
  for (const write_reply& reply : came_to.writes) {
    if (reply.status != reply_status::ok) continue;
    if (at.session == 0) {
      at.session = reply.session;
      continue;
    }
    if (auto fault = at.answers.write_answered(static_cast<std::size_t>(reply.request), reply.result)) return fault;
  }
  for (const outcome::read_end& end : came_to.reads) {
    if (end.error) {
      at.answers.read_over(end.node, end.request);
    } else if (auto fault = at.answers.read_answered(end.node, end.request, end.result)) {
      return fault;
    }
  }
  std::erase_if(at.ended, [&](const auto& life) { return !is_replica(at.chosen.back(), life.first); });
  if (auto fault = check_logs(at)) return fault;
  return check_leases(at);
}

}  // namespace artillery::sim
