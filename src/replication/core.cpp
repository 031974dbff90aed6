#include "replication/core.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/assert.hpp"
#include "base/wire.hpp"
#include "replication/mutant.hpp"
#include "replication/next_view.hpp"

namespace artillery::replication {
namespace {

constexpr std::size_t cluster_name_max = 255;
constexpr std::size_t value_size_limit = std::size_t{64} << 20U;

}  // namespace

std::error_code core::check(const replica_config& config) noexcept {
  const bool sound =
      !config.cluster.empty() && config.cluster.size() <= cluster_name_max && !config.self.node.none() &&
      config.value_size_max > 0 && config.value_size_max <= value_size_limit && config.results_per_session_max > 0 &&
      config.sessions_max > 0 && config.waiting_reads_max > 0 && config.link_bytes_max > 0 &&
      config.answer_bytes_max > 0 && config.clients_max > 0 && config.silence_max > duration{0} &&
      config.client_silence_max > duration{0} && config.reconnect_min > duration{0} &&
      config.reconnect_max >= config.reconnect_min && config.stopped_after > duration{0} &&
      config.failed_after > duration{0} && config.authority_timeout > duration{0} && config.freeze_max > duration{0} &&
      config.readmit_min > duration{0} && config.readmit_max >= config.readmit_min && config.backlog_bytes_max > 0;
  return sound ? std::error_code{} : make_error_code(errc::invalid_configuration);
}

core::core(const replica_config& config, detail::random random, storage where)
    : config_{config},
      cluster_{detail::cluster_tag(config.cluster)},
      random_{random},
      sessions_{random_.next(), config.sessions_max, config.results_per_session_max},
      dirty_{random_.next()},
      queries_{config.waiting_reads_max},
      propose_pause_{detail::backoff_limits{config.reconnect_min, config.reconnect_max}},
      repair_{config.replicas_wanted, config.readmit_min, config.readmit_max},
      disk_{where},
      accepted_{random_.next()} {
  config_.silence_max = silence_allowed(config_.silence_max, config_.value_size_max);
}

// --- positions ---

bool core::same_replica(const replica_id& a, const replica_id& b) const noexcept {
  if (mutant(mutation::no_fence)) return a.node == b.node;
  return a == b;
}

role core::role() const noexcept {
  if (position_ == nowhere) return is_learner() ? role::learner : role::none;
  if (view_.replicas.size() == 1) return role::single;
  if (is_head()) return role::head;
  return is_tail() ? role::tail : role::middle;
}

serving_state core::serving() const noexcept {
  return {.epoch = may_answer() ? view_.epoch : 0,
          .commit = commit_,
          .lease_until = lease_.until(),
          .drift_ppm = view_.drift_ppm,
          .strong_here = view_.reads == read_mode::apportioned || is_tail()};
}

tail_state core::tail() const noexcept {
  if (!is_tail()) return tail_state::none;
  if (opening_.is_frozen()) return tail_state::frozen;
  return opening_.is_open() ? tail_state::open : tail_state::gated;
}

replica_status core::status() const {
  replica_status now = {.chain = config_.chain,
                        .self = config_.self,
                        .epoch = epoch(),
                        .role = role(),
                        .last = log_.last_seq(),
                        .commit = commit_,
                        .dirty_objects = dirty_.size(),
                        .window_bytes = log_.weight(),
                        .sessions = sessions_.size(),
                        .stopped = stopped_,
                        .short_of_replicas = is_short_of_replicas(),
                        .successor_up = is_tail() || (has_successor() && successor_.open()),
                        .lease_until = lease_.until(),
                        .view = view_,
                        .tail = tail(),
                        .opens_at = opening_.opens_at(),
                        .learners = {},
                        .candidates = {}};
  for (const learner_feed& feed : feeds_) {
    const std::uint64_t lag = feed.is_fed() ? log_.last_seq() - feed.position : 0;
    now.learners.push_back({feed.id, feed.stream != 0, feed.is_fed(), lag});
  }
  for (const candidate& each : candidates_) now.candidates.push_back(each.who);
  return now;
}

// --- frames ---

void core::receive(const connection& from, const bytes& frame, const turn& at) {
  if (from.outgoing()) {
    outgoing_link* link = opened(from.number);
    if (link == nullptr) return;  // closed from here; what was under way means nothing
    link->heard(at.now);
    if (!link->open()) return welcomed(*link, frame, at);
  } else if (accepted_link* peer = accepted_.find(from.number)) {
    peer->heard = true;
  } else {
    return greet(from, frame, at);
  }
  if (from.number == predecessor_) predecessor_heard_ = at.now;
  const auto header = decode_header(frame);
  if (!header) return malformed(from, at);
  dispatch(*header, from, frame, at);
}

void core::dispatch(const frame_header& header, const connection& from, const bytes& frame, const turn& at) {
  switch (header.kind) {
    case frame_kind::read: return handle_read(from, header, frame, at);
    case frame_kind::write: return handle_write(from, header, frame, at);
    case frame_kind::view_request: encode_view(scratch_, view_.epoch, view_); return send(from.number, at);
    case frame_kind::ping: encode_bare(scratch_, frame_kind::pong, epoch()); return send(from.number, at);
    case frame_kind::pong: return;
    default: break;
  }
  // R3. A link lives in one epoch only, so this is a peer that does not keep the rules, or a damaged frame.
  if (header.epoch != epoch() && !mutant(mutation::takes_other_epochs)) {
    ++counters_.refused_epoch;
    return drop(from, at);
  }
  switch (header.kind) {
    case frame_kind::append: return handle_append(from, frame, at);
    case frame_kind::ack: return handle_ack(from, frame, at);
    case frame_kind::watermark_query: return handle_watermark_query(from, frame, at);
    case frame_kind::watermark_reply: return handle_watermark_reply(from, frame, at);
    case frame_kind::checkpoint: return handle_checkpoint(from, frame, at);
    case frame_kind::position: return handle_position(from, frame, at);
    case frame_kind::committed: return handle_committed(from, frame, at);
    case frame_kind::lapsed: return handle_lapsed(from, at);
    case frame_kind::durable: return handle_durable(from, frame, at);
    default: return malformed(from, at);  // an answer for clients
  }
}

/// Why a peer that says hello is turned away, if it is.
std::optional<reply_status> core::objection_to(const hello& peer, const turn& at) {
  // Who is in no view can still tell clients which one is in force.
  const bool knows_a_view = position_ != nowhere || (managed_ && view_.epoch != 0);
  if (peer.chain != config_.chain || !knows_a_view) return reply_status::not_serving;
  if (peer.role == link_role::client) {
    if (clients_ >= config_.clients_max && !mutant(mutation::no_client_limit)) return reply_status::busy;
    return std::nullopt;
  }
  if (peer.epoch > view_.epoch) heard_of(peer.epoch, at);
  if (peer.role == link_role::restarted) {
    const bool is_known = replication::is_replica(view_, peer.from) || replication::is_learner(view_, peer.from);
    if (is_known && position_ != nowhere && follows_views()) note_failed(peer.from.node);
    return reply_status::not_serving;
  }
  heard_of_former(peer, at);
  const bool other_epoch = peer.epoch != view_.epoch && !mutant(mutation::takes_other_epochs);
  // Who knows this view, and is not in it, was in none before: a name that was dropped does not come back.
  const bool is_stranger = peer.role == link_role::learner && !replication::is_learner(view_, peer.from);
  const bool wants_in = is_stranger && !peer.at.none();
  // Nobody but this very replica hears that it is displaced while it is the tail.
  if (wants_in && managed_ && peer.from.node == config_.self.node && peer.from.incarnation > config_.self.incarnation)
    at.out.deliver({event::kind::displaced, view_.epoch, {}});
  if (wants_in && is_tail() && managed_ && peer.epoch == view_.epoch) note_candidate(peer, at.now);
  if (other_epoch) return peer.epoch < view_.epoch ? reply_status::stale_epoch : reply_status::not_serving;
  const auto is_peer = [&](const replication::member& m) { return same_replica(m.id, peer.from); };
  bool expected = false;
  switch (peer.role) {
    case link_role::predecessor: expected = has_predecessor() && is_peer(view_.replicas[position_ - 1]); break;
    case link_role::reader:
      expected = !passive_ && std::any_of(view_.replicas.begin(), view_.replicas.end(), is_peer);
      break;
    case link_role::learner: {
      const learner_feed* const feed = feed_of(peer.from);
      expected = feed != nullptr && !feed->lags;
      break;
    }
    case link_role::restarted:
    case link_role::client: break;
  }
  return expected ? std::nullopt : std::optional{reply_status::not_serving};
}

void core::take_as_predecessor(const connection& from, const turn& at) {
  // Only one stream may carry records: the older one is of a life of the predecessor, or of a link, that is over.
  if (predecessor_ != 0 && !mutant(mutation::no_seq_check)) drop(connection::stream(predecessor_), at);
  predecessor_ = from.number;
  predecessor_heard_ = at.now;
  predecessor_gone_since_.reset();
  acked_ = commit_;
  told_opened_ = false;
}

/// One for each member: an older one of the same is over, whether or not that was heard of here.
void core::replace_reader(const replica_id& from, const turn& at) {
  const auto older = std::find_if(accepted_.begin(), accepted_.end(), [&](const accepted_link& link) {
    return link.role == link_role::reader && link.from == from;
  });
  if (older != accepted_.end() && !mutant(mutation::keeps_older_reader)) drop(connection::stream(older->key), at);
}

void core::greet(const connection& from, const bytes& frame, const turn& at) {
  std::error_code error;
  const auto peer = decode_hello(frame, cluster_, error);
  if (!peer) return malformed(from, at);
  if (const auto objection = objection_to(*peer, at)) return refuse(from, *objection, at);
  switch (peer->role) {
    case link_role::predecessor: take_as_predecessor(from, at); break;
    case link_role::reader: replace_reader(peer->from, at); break;
    case link_role::learner: {
      learner_feed& feed = *feed_of(peer->from);
      if (feed.stream != 0) drop(connection::stream(feed.stream), at);
      feed.stream = from.number;
      feed.since = at.now;
      break;
    }
    case link_role::restarted: break;
    case link_role::client:
      if (++clients_ == 1) clients_asked_at_ = at.now + config_.client_silence_max;
      break;
  }
  std::erase_if(ungreeted_, [&](const ungreeted_link& l) { return l.number == from.number; });
  accepted_.insert({.key = from.number, .role = peer->role, .from = peer->from});
  encode(scratch_, cluster_,
         welcome{.status = reply_status::ok,
                 .chain = config_.chain,
                 .epoch = view_.epoch,
                 .from = config_.self,
                 .last = log_.last(),
                 .commit = commit_});
  send(from.number, at);
}

void core::refuse(const connection& from, reply_status status, const turn& at) {
  ++counters_.refused_epoch;
  encode(scratch_, cluster_,
         welcome{.status = status,
                 .chain = config_.chain,
                 .epoch = view_.epoch,
                 .from = config_.self,
                 .last = {},
                 .commit = 0});
  send(from.number, at);
  drop(from, at);
}

void core::send(std::uint64_t stream, const turn& at) {
  at.out.send(connection::stream(stream), scratch_.header, scratch_.body);
}

// --- links ---

outgoing_link* core::opened(std::uint64_t number) noexcept {
  if (number == 0) return nullptr;
  if (has_successor() && successor_.number() == number) return &successor_;
  return has_tail_link() && to_tail_.number() == number ? &to_tail_ : nullptr;
}

void core::malformed(const connection& from, const turn& at) {
  ++counters_.malformed;
  drop(from, at);
}

void core::drop(const connection& which, const turn& at) {
  if (outgoing_link* link = opened(which.number)) return drop_opened(*link, at);
  at.out.close(which.number);
  forget_accepted(which.number, at.now);
}

void core::drop_opened(outgoing_link& link, const turn& at) {
  ++counters_.links_lost;
  link.close(at.now, random_, at.out);
  if (&link == &to_tail_) queries_.lost();
}

void core::forget_accepted(std::uint64_t number, time_point now) {
  std::erase_if(ungreeted_, [number](const ungreeted_link& l) { return l.number == number; });
  const accepted_link* known = accepted_.find(number);
  if (known == nullptr) return;
  if (known->role == link_role::client) --clients_;
  if (known->role == link_role::learner) {
    learner_feed* const feed = feed_of(known->from);
    if (feed != nullptr && feed->stream == number) feed->lost(now);
  }
  accepted_.erase(number);
  if (predecessor_ == number) {
    predecessor_ = 0;
    predecessor_gone_since_ = now;
  }
  queries_.forget(number);
  held_back_.forget(number);
  stills_.forget(number);
  if (is_head()) log_.forget(number);
}

void core::link(const connection& which, link_state state, const turn& at) {
  outgoing_link* link = which.outgoing() ? opened(which.number) : nullptr;
  if (link == nullptr) {
    if (state == link_state::up && !which.outgoing()) ungreeted_.push_back({which.number, at.now});
    if (state == link_state::down) forget_accepted(which.number, at.now);
    for (learner_feed& feed : feeds_) {
      if (feed.stream != which.number || feed.stream == 0) continue;
      if (state == link_state::congested) feed.congested = true;
      if (state == link_state::writable) feed.congested = false;
    }
    return;
  }
  switch (state) {
    case link_state::up:
      link->connected(at.now);
      encode(scratch_, cluster_,
             hello{.role = link == &successor_ ? link_role::predecessor
                           : passive_          ? link_role::restarted
                           : wants_feed()      ? link_role::learner
                                               : link_role::reader,
                   .chain = config_.chain,
                   .epoch = view_.epoch,
                   .from = config_.self,
                   .at = listens_at_,
                   .former = former_});
      return send(which.number, at);
    case link_state::down:
      ++counters_.links_lost;
      link->lost(at.now, random_);
      if (link == &to_tail_) queries_.lost();
      return;
    case link_state::congested: return link->set_congested(true);
    case link_state::writable: return link->set_congested(false);
  }
}

void core::tend(outgoing_link& link, const turn& at) {
  switch (link.due(at.now, true)) {
    case outgoing_link::action::none: return;
    case outgoing_link::action::connect:
      ++counters_.links_opened;
      link.connect(next_stream_, at.now, at.out);
      next_stream_ += 2;
      return;
    case outgoing_link::action::probe:
      link.probed(at.now);
      encode_bare(scratch_, frame_kind::ping, epoch());
      return send(link.number(), at);
    case outgoing_link::action::close: return drop_opened(link, at);
  }
}

/// A client may be idle as long as it likes, so only what it is asked tells it from one whose machine is gone.
void core::ask_silent_clients(const turn& at) {
  if (clients_ == 0 || at.now < clients_asked_at_) return;
  clients_asked_at_ = at.now + config_.client_silence_max;
  std::vector<std::uint64_t> gone;
  for (accepted_link& link : accepted_) {
    if (link.role != link_role::client) continue;
    const bool silent = !std::exchange(link.heard, false);
    if (silent && link.asked) gone.push_back(link.key);
    if (silent && !link.asked) {
      encode_bare(scratch_, frame_kind::ping, epoch());
      send(link.key, at);
    }
    link.asked = silent;
  }
  for (const std::uint64_t number : gone) drop(connection::stream(number), at);
}

// --- time ---

void core::expire(const turn& at) {
  tend_view(at);
  if (has_successor()) tend(successor_, at);
  if (has_tail_link()) tend(to_tail_, at);
  // It probes us when it hears nothing, so its silence means that its machine is gone.
  if (predecessor_ != 0 && predecessor_silent_at() <= at.now) drop(connection::stream(predecessor_), at);
  while (!ungreeted_.empty() && ungreeted_.front().since + config_.silence_max <= at.now) {
    drop(connection::stream(ungreeted_.front().number), at);
  }
  ask_silent_clients(at);
  note_progress(at);
  for (const waiting_read& late : queries_.expire(at.now)) at.out.answer(late.who.request, errc::timed_out, {});
  for (const waiting_read& late : held_back_.expire(at.now)) at.out.answer(late.who.request, errc::timed_out, {});
}

void core::flush(const turn& at) {
  tend_promotion(at);
  tend_repair(at);
  serve_held_back(at);
  if (stills_.due()) ask_still(at);
  if (is_learner()) report_position(at);
  if (position_ == nowhere) return;
  feed_learners(at);
  if (has_successor()) {
    send_records(at);
    tell_durable(at);
    if (queries_.due() && to_tail_.can_send()) {
      ++counters_.watermark_queries;
      encode(scratch_, epoch(), watermark_query{queries_.ask()});
      send(to_tail_.number(), at);
    }
  }
  if (predecessor_ != 0 && (acked_ < commit_ || (managed_ && told_opened_ != tail_opened_))) {
    ++counters_.acks;
    acked_ = commit_;
    told_opened_ = tail_opened_;
    encode(scratch_, epoch(), watermark_ack{.watermark = commit_, .tail_opened = tail_opened_});
    send(predecessor_, at);
  }
  note_progress(at);
}

std::optional<time_point> core::stops_at() const {
  std::optional<time_point> since = predecessor_gone_since_;
  const auto consider = [&since](time_point other) { since = since ? std::min(*since, other) : other; };
  if (has_successor() && successor_.down_since()) consider(*successor_.down_since());
  if (!log_.empty()) consider(std::max(log_.front().arrived, progress_at_));
  if (!since) return std::nullopt;
  return *since + config_.stopped_after;
}

void core::note_progress(const turn& at) {
  if (position_ == nowhere) return;
  const auto stops = stops_at();
  const bool stopped = fenced_ || (stops && *stops <= at.now);
  if (stopped == stopped_) return;
  stopped_ = stopped;
  const bool above = predecessor_gone_since_ && (is_tail() || (successor_.open() && log_.empty()));
  // One that is the whole chain waits for nobody but itself: for its gate.
  const bool is_alone = view_.replicas.size() == 1;
  const std::size_t other = is_alone ? position_ : above || is_tail() ? position_ - 1 : position_ + 1;
  at.out.deliver(
      {stopped ? event::kind::chain_stopped : event::kind::chain_resumed, epoch(), view_.replicas[other].id});
}

std::optional<time_point> core::next_deadline() const {
  std::optional<time_point> next = queries_.next_deadline();
  const auto consider = [&next](std::optional<time_point> when) {
    if (when) next = next ? std::min(*next, *when) : *when;
  };
  consider(held_back_.next_deadline());
  consider(next_view_deadline());
  if (has_successor()) consider(successor_.next_deadline(true));
  if (has_tail_link()) consider(to_tail_.next_deadline(true));
  if (predecessor_ != 0) consider(predecessor_silent_at());
  if (clients_ > 0) consider(clients_asked_at_);
  if (!ungreeted_.empty()) consider(ungreeted_.front().since + config_.silence_max);
  if (position_ != nowhere && !stopped_) consider(stops_at());
  return next;
}

const replica_counters& core::counters() const noexcept {
  return counters_;
}

std::uint64_t core::hash(time_point now, detail::state_hash into) const {
  into.add(view_.epoch).add(position_).add(commit_).add(sent_).add(predecessor_).add(acked_).add(stopped_).add(fenced_);
  log_.hash(into, now);
  sessions_.hash(into);
  dirty_.hash(into, now);
  queries_.hash(into, now);
  held_back_.hash(into, now);
  into.add_name(next_stream_).add(predecessor_gone_since_, now);
  // Where names are left out: which of the streams that it opened is which.
  if (into.is_coarse() && has_successor()) into.add(successor_.number() < to_tail_.number());
  lease_.hash(into, now);
  hash_views(into, now);
  if (predecessor_ != 0) into.add(predecessor_heard_, now);
  if (!log_.empty()) into.add(progress_at_, now);
  if (has_successor()) successor_.hash(into, now);
  if (has_tail_link()) to_tail_.hash(into, now);
  into.add(accepted_.size()).add(ungreeted_.size());
  for (const accepted_link& link : accepted_) {
    into.add(link.key).add(link.role).add(link.from.node).add(link.from.incarnation).add(link.heard).add(link.asked);
  }
  for (const ungreeted_link& link : ungreeted_) into.add(link.number).add(link.since, now);
  if (clients_ > 0) into.add(clients_asked_at_, now);
  return into.value();
}

}  // namespace artillery::replication
