// A client's links, its view and its session. Its operations are in client_requests.cpp.
#include "replication/client_core.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "base/state_hash.hpp"
#include "base/wire.hpp"

namespace artillery::replication {
namespace {

outgoing_link link_to(const endpoint& at, const client_config& config) {
  return {at, {config.reconnect_min, config.reconnect_max}, config.silence_max};
}

bool listed(const view& chain, const endpoint& at, const replica_id& who) noexcept {
  return std::any_of(chain.replicas.begin(), chain.replicas.end(),
                     [&](const member& m) { return m.at == at && m.id == who; });
}

}  // namespace

std::error_code client_core::check(const client_config& config) noexcept {
  const bool sound =
      !config.cluster.empty() && !config.replicas.empty() && config.replicas.size() <= view_replicas_max &&
      config.value_size_max > 0 && config.writes_in_flight_max > 0 && config.write_bytes_in_flight_max > 0 &&
      config.reads_in_flight_max > 0 && config.queue_max > 0 && config.attempt_timeout > duration{0} &&
      config.silence_max > duration{0} && config.retry_min > duration{0} && config.retry_max >= config.retry_min &&
      config.reconnect_min > duration{0} && config.reconnect_max >= config.reconnect_min &&
      std::none_of(config.replicas.begin(), config.replicas.end(), [](const endpoint& at) { return at.none(); });
  return sound ? std::error_code{} : make_error_code(errc::invalid_configuration);
}

client_core::client_core(const client_config& config, detail::random random)
    : config_{config},
      cluster_{detail::cluster_tag(config.cluster)},
      random_{random},
      session_rest_{detail::backoff_limits{config.retry_min, config.retry_max}},
      operations_{random_.next()} {
  config_.silence_max = silence_allowed(config_.silence_max, config_.value_size_max);
  for (const endpoint& at : config_.replicas) peers_.push_back({{}, link_to(at, config_), {}});
}

void client_core::start(time_point now, client_effects& out) {
  running_ = true;
  for (peer& each : peers_) tend(each, now, out);
}

void client_core::stop(time_point now, client_effects& out) {
  while (!operations_.empty()) {
    operation& op = operations_[0];
    give_up(op, out);
  }
  if (peer* first = head(); session_state_ == session_state::open && first != nullptr && first->link.open()) {
    encode(scratch_, view_.epoch,
           write_request{.request = session_request,
                         .what = write_request::kind::close_session,
                         .session = session_,
                         .when = {},
                         .key = {},
                         .value = {}});
    send(*first, out);
  }
  session_state_ = session_state::none;
  for (peer& each : peers_) each.link.close(now, random_, out);
  running_ = false;
}

// --- links ---

client_core::peer* client_core::peer_of(std::uint64_t stream) noexcept {
  for (peer& each : peers_) {
    if (stream != 0 && each.link.number() == stream) return &each;
  }
  return nullptr;
}

client_core::peer* client_core::head() noexcept {
  return view_.epoch == 0 ? nullptr : &peers_.front();
}

void client_core::send(const peer& to, client_effects& out) {
  out.send(to.link.connection(), scratch_.header, scratch_.body);
}

bool client_core::watched() const noexcept {
  return reads_in_flight_ + writes_in_flight_ > 0 || view_.epoch == 0 || session_state_ == session_state::opening;
}

/// Who is not in the view is of use only while the head cannot be reached.
bool client_core::is_idle_contact(const peer& which) const noexcept {
  return view_.epoch != 0 && which.node.none() && which.link.state() == outgoing_link::phase::idle &&
         (view_.leases == lease_mode::endless || peers_.front().link.open());
}

void client_core::tend(peer& which, time_point now, client_effects& out) {
  if (is_idle_contact(which)) return;
  switch (which.link.due(now, watched())) {
    case outgoing_link::action::none: return;
    case outgoing_link::action::connect:
      ++counters_.links_opened;
      which.link.connect(next_stream_, now, out);
      next_stream_ += 2;
      return;
    case outgoing_link::action::probe:
      which.link.probed(now);
      encode_bare(scratch_, frame_kind::ping, view_.epoch);
      return send(which, out);
    case outgoing_link::action::close: return drop(which, now, out);
  }
}

void client_core::link(const connection& which, link_state state, time_point now, client_effects& out) {
  peer* at = peer_of(which.number);
  if (at == nullptr) return;
  switch (state) {
    case link_state::up:
      at->link.connected(now);
      encode(scratch_, cluster_,
             hello{.role = link_role::client, .chain = config_.chain, .epoch = view_.epoch, .from = {}});
      return send(*at, out);
    case link_state::down: return lost(*at, now, out);
    case link_state::congested: return at->link.set_congested(true);
    case link_state::writable: at->link.set_congested(false); return unpark(now, out);
  }
}

void client_core::lost(peer& which, time_point now, client_effects& out) {
  ++counters_.links_lost;
  const std::uint64_t stream = which.link.number();
  which.link.lost(now, random_);
  if (&which == head() && session_state_ == session_state::opening) {
    session_state_ = session_state::none;
    session_act_at_ = now;
  }
  for (operation& op : operations_) {
    if (op.state == phase::sent && op.stream == stream) requeue(op);
  }
  doubt_view(now, out);
  pump(now, out);
}

void client_core::drop(peer& which, time_point now, client_effects& out) {
  const std::uint64_t stream = which.link.number();
  lost(which, now, out);
  out.close(stream);
}

void client_core::malformed(peer& which, time_point now, client_effects& out) {
  ++counters_.malformed;
  drop(which, now, out);
}

void client_core::receive(const connection& from, const bytes& frame, time_point now, client_effects& out) {
  peer* at = peer_of(from.number);
  if (at == nullptr) return;  // closed from here; what was under way means nothing
  at->link.heard(now);
  if (!at->link.open()) return welcomed(*at, frame, now, out);
  const auto header = decode_header(frame);
  if (!header) return malformed(*at, now, out);
  switch (header->kind) {
    case frame_kind::read_reply: return read_answered(*at, frame, now, out);
    case frame_kind::write_reply: return write_answered(*at, frame, now, out);
    case frame_kind::view_reply: return adopt(frame, now, out);
    case frame_kind::ping: encode_bare(scratch_, frame_kind::pong, view_.epoch); return send(*at, out);
    case frame_kind::pong: return;
    default: return malformed(*at, now, out);
  }
}

void client_core::welcomed(peer& which, const bytes& frame, time_point now, client_effects& out) {
  std::error_code error;
  const auto message = decode_welcome(frame, cluster_, error);
  if (!message) return malformed(which, now, out);
  if (message->status != reply_status::ok || message->chain != config_.chain) return drop(which, now, out);
  which.link.welcomed();
  which.greeted = message->from;
  const endpoint at = which.link.to();
  // Under an epoch that is not newer, another one at a member's place: a chain whose view never changes has begun anew.
  const bool never_changes = view_.leases == lease_mode::endless;
  if (never_changes && message->epoch <= view_.epoch && !listed(view_, at, message->from)) forget_chain(now, out);
  const auto still = std::find_if(peers_.begin(), peers_.end(), [&](const peer& p) { return p.link.to() == at; });
  if (still != peers_.end() && message->epoch > view_.epoch) ask_view(*still, out);
  unpark(now, out);
}

// --- view ---

void client_core::ask_view(const peer& which, client_effects& out) {
  if (!which.link.open()) return;
  encode_bare(scratch_, frame_kind::view_request, view_.epoch);
  send(which, out);
}

void client_core::doubt_view(time_point now, client_effects& out) {
  const bool asked_lately = views_asked_at_ != time_point::min() && now < views_asked_at_ + config_.retry_min;
  if (operations_.empty()) doubts_view_ = false;
  if (view_.epoch == 0 || view_.leases == lease_mode::endless || asked_lately || operations_.empty()) return;
  views_asked_at_ = now;
  doubts_view_ = true;
  for (const peer& each : peers_) ask_view(each, out);
}

void client_core::adopt(const bytes& frame, time_point now, client_effects& out) {
  auto chosen = decode_view(frame);
  if (!chosen || chosen->chain != config_.chain || check_view(*chosen)) {
    ++counters_.malformed;
    return;
  }
  if (chosen->epoch <= view_.epoch) return;
  ++counters_.views;
  doubts_view_ = false;
  view_ = std::move(*chosen);
  // Whoever was asked for a session may be the head no longer, and then says so to nobody who listens.
  if (session_state_ == session_state::opening) {
    session_state_ = session_state::none;
    session_act_at_ = now;
  }
  std::vector<peer> next;
  for (const member& replica : view_.replicas) {
    const auto known =
        std::find_if(peers_.begin(), peers_.end(), [&](const peer& p) { return p.link.to() == replica.at; });
    const bool same = known != peers_.end() && (!known->link.open() || known->greeted == replica.id);
    next.push_back({replica.id.node, same ? known->link : link_to(replica.at, config_), replica.id});
  }
  for (const endpoint& contact : config_.replicas) {
    const auto at_contact = [&](const peer& p) { return p.link.to() == contact; };
    if (std::any_of(next.begin(), next.end(), at_contact)) continue;
    const auto known = std::find_if(peers_.begin(), peers_.end(), at_contact);
    next.push_back({{}, known == peers_.end() ? link_to(contact, config_) : known->link, {}});
  }
  replace_peers(std::move(next), now, out);
}

void client_core::forget_chain(time_point now, client_effects& out) {
  view_ = {};
  doubts_view_ = false;
  session_state_ = session_state::none;
  session_act_at_ = now;
  std::vector<request_id> numbered;
  for (const operation& op : operations_) {
    if (op.number != 0) numbered.push_back(op.key);
  }
  for (const request_id request : numbered) give_up(*operations_.find(request), out);
  std::vector<peer> next;
  for (const endpoint& at : config_.replicas) {
    const auto known = std::find_if(peers_.begin(), peers_.end(), [&](const peer& p) { return p.link.to() == at; });
    next.push_back({{}, known == peers_.end() ? link_to(at, config_) : known->link, {}});
    if (known != peers_.end()) next.back().greeted = known->greeted;
  }
  replace_peers(std::move(next), now, out);
}

void client_core::replace_peers(std::vector<peer> next, time_point now, client_effects& out) {
  std::vector<peer> before = std::exchange(peers_, std::move(next));
  for (peer& old : before) {
    if (peer_of(old.link.number()) == nullptr) old.link.close(now, random_, out);
  }
  for (operation& op : operations_) {
    const peer* const to = peer_of(op.stream);
    const bool is_lost = to == nullptr || to->node.none() || (!op.is_read && to != head());
    if (op.state == phase::sent && is_lost) requeue(op);
  }
  for (peer& each : peers_) tend(each, now, out);
  unpark(now, out);
}

// --- session ---

void client_core::open_session(time_point now, client_effects& out) {
  peer* first = head();
  if (session_state_ != session_state::none || first == nullptr || !first->link.can_send() || now < session_act_at_) {
    return;
  }
  // Not asked again while the link holds: each request that arrives opens a session, and this one is answered there.
  session_state_ = session_state::opening;
  encode(
      scratch_, view_.epoch,
      write_request{
          .request = session_request, .what = write_request::kind::open_session, .when = {}, .key = {}, .value = {}});
  send(*first, out);
}

void client_core::session_answered(const write_reply& reply, time_point now) {
  if (session_state_ != session_state::opening) return;
  if (reply.status != reply_status::ok || reply.session == 0) {
    session_state_ = session_state::none;
    session_act_at_ = now + session_rest_.next(random_);
    return;
  }
  ++counters_.sessions;
  session_state_ = session_state::open;
  session_ = reply.session;
  next_number_ = 1;
  lowest_ = 1;
  settled_.clear();
}

// --- time ---

void client_core::expire(time_point now, client_effects& out) {
  if (!running_) return;
  for (peer& each : peers_) tend(each, now, out);
  if (doubts_view_ && views_asked_at_ + config_.retry_max <= now) doubt_view(now, out);
  const auto later = [](const alarm& a, const alarm& b) { return a.when > b.when; };
  while (!alarms_.empty() && alarms_.front().when <= now) {
    const request_id request = alarms_.front().request;
    std::pop_heap(alarms_.begin(), alarms_.end(), later);
    alarms_.pop_back();
    operation* op = operations_.find(request);
    if (op != nullptr) act(*op, now, out);
  }
  pump(now, out);
}

std::optional<time_point> client_core::next_deadline() const {
  if (!running_) return std::nullopt;
  std::optional<time_point> next;
  const auto consider = [&next](std::optional<time_point> when) {
    if (when) next = next ? std::min(*next, *when) : *when;
  };
  for (const peer& each : peers_) {
    if (!is_idle_contact(each)) consider(each.link.next_deadline(watched()));
  }
  if (doubts_view_) consider(views_asked_at_ + config_.retry_max);
  if (!alarms_.empty()) consider(alarms_.front().when);
  const bool wants_session = session_state_ == session_state::none && !write_queue_.empty() && view_.epoch != 0 &&
                             peers_.front().link.can_send();
  if (wants_session) consider(session_act_at_);
  return next;
}

const client_counters& client_core::counters() const noexcept {
  return counters_;
}

const view& client_core::view() const noexcept {
  return view_;
}

std::uint64_t client_core::hash(time_point now) const {
  detail::state_hash into;
  into.add(running_).add(view_.epoch).add(next_stream_).add(next_turn_);
  into.add(doubts_view_).add(session_state_).add(session_).add(session_act_at_, now).add(session_rest_.failures());
  into.add(next_number_).add(lowest_).add(settled_.size());
  for (const bool settled : settled_) into.add(settled);
  into.add(operations_.size());
  for (const operation& op : operations_) {
    into.add(op.key).add(op.is_read).add(op.state).add(op.object.view());
    into.add(op.level.what())
        .add(op.level.staleness())
        .add(op.level.records())
        .add(op.where.what())
        .add(op.where.node());
    into.add(op.what.what).add(op.what.value.view()).add(op.what.when.what());
    into.add(op.what.when.expected().epoch).add(op.what.when.expected().seq);
    into.add(op.session).add(op.number).add(op.attempts).add(op.stream);
    into.add(op.deadline, now).add(op.act_at, now).add(op.rest.failures());
  }
  for (const std::deque<request_id>* queue : {&read_queue_, &write_queue_, &unsent_}) {
    into.add(queue->size());
    for (const request_id request : *queue) into.add(request);
  }
  // Alarms of what is over still wake the driver; that the heap may hold the same ones in another order makes no odds.
  into.add(alarms_.size());
  for (const alarm& each : alarms_) into.add(each.when, now).add(each.request);
  into.add(peers_.size());
  for (const peer& each : peers_) {
    into.add(each.node).add(each.greeted.node).add(each.greeted.incarnation);
    each.link.hash(into, now);
  }
  return into.value();
}

}  // namespace artillery::replication
