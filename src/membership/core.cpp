#include "membership/core.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "membership/mutant.hpp"

namespace artillery::membership {
namespace {

/// How often the dead are looked through for some that may be forgotten, per tombstone time.
constexpr int reaps_per_tombstone = 4;

}  // namespace

core::core(config settings, identity who, detail::random random)
    : config_{std::move(settings)},
      self_{who},
      cluster_{detail::cluster_tag(config_.cluster)},
      random_{random},
      awareness_{config_.awareness_max},
      members_{random_.fork("members").next()},
      user_events_{random_.fork("user_events").next(), config_.events_kept_max, config_.events_kept_bytes_max},
      budget_{config_.bytes_per_second_max},
      messages_{random_.fork("messages").next()} {
  ARTILLERY_INVARIANT(!who.id.none());
  last_sequence_ = static_cast<std::uint32_t>(random_.next());
}

void core::start(const endpoint& at, time_point now, effects_type& out) {
  ARTILLERY_INVARIANT(phase_ == phase::idle && !at.none());
  facts_ = std::make_shared<const facts>(
      facts{.name = config_.name.empty() ? to_short_string(self_.id) : config_.name, .at = at, .tags = config_.tags});
  phase_ = phase::running;
  events_agreed_at_ = now;
  ++revision_;
  for (seed& s : seeds_) s.next_try = now;
  finish_input(now, out);
  expire_seeds(now, out);
}

// ---- inputs ----

void core::receive(const connection& from, bytes_view message, time_point now, effects_type& out) {
  if (phase_ == phase::left && from.is_stream) return out.close(from.number);
  if (phase_ == phase::left) return answer_as_gone(from, message, out);
  if (!active()) return;
  note_pause(now, out);
  budget_.refill(now);
  if (from.is_stream) {
    receive_frame(from, message, now, out);
  } else {
    ++counters_.datagrams_received;
    auto read = read_datagram(message, cluster_);
    if (read.error) return drop(read.error);
    handle(from, read.value, now, out);
  }
  finish_input(now, out);
}

void core::handle(const connection& from, packet& m, time_point now, effects_type& out) {
  const bool exchanged = std::holds_alternative<view_summary>(m.body);
  const endpoint& peer = from.peer;
  hear_items(m.items, exchanged ? path::exchange : path::gossip, peer, now, out);
  if (const auto* p = std::get_if<ping>(&m.body)) return on_ping(peer, *p, now, out);
  if (const auto* a = std::get_if<ack>(&m.body)) {
    measure_round_trip(peer, *a, now);
    return on_ack(peer, *a, now, out);
  }
  if (const auto* r = std::get_if<ping_request>(&m.body)) return on_ping_request(peer, *r, now, out);
  if (const auto* n = std::get_if<nack>(&m.body)) return on_nack(peer, *n);
  if (const auto* s = std::get_if<stranger>(&m.body)) return on_stranger(peer, *s, now, out);
  if (std::holds_alternative<announce>(m.body)) return on_announce(peer, m.items, out);
  if (const auto* v = std::get_if<view_summary>(&m.body)) return on_view_summary(peer, *v, now, out);
  if (const auto* b = std::get_if<view_buckets>(&m.body)) return on_view_buckets(peer, *b, out);
  if (const auto* e = std::get_if<event_summary>(&m.body)) return on_event_summary(peer, *e, now, out);
  if (const auto* d = std::get_if<direct>(&m.body)) return on_direct(peer, *d, out);
  if (const auto* r = std::get_if<receipt>(&m.body)) return on_receipt(peer, *r);
  if (const auto* r = std::get_if<reply>(&m.body)) return on_reply(peer, *r, out);
  if (const auto* r = std::get_if<reply_receipt>(&m.body)) return on_reply_receipt(peer, *r);
}

void core::hear_items(items& what, path how, const endpoint& from, time_point now, effects_type& out) {
  for (const claim& c : what.claims) apply(c, how, now, out);
  for (event_record& e : what.events) hear_event(e, from, now, out);
}

void core::drop(std::error_code why) {
  if (why == errc::unsupported_version) {
    ++counters_.dropped_unsupported_version;
  } else if (why == errc::wrong_cluster) {
    ++counters_.dropped_wrong_cluster;
  } else if (why == errc::checksum_mismatch) {
    ++counters_.dropped_checksum_mismatch;
  } else {
    ++counters_.dropped_malformed;
  }
}

/// After every input: news goes out at once, and the timers that the new state needs are set.
void core::finish_input(time_point now, effects_type& out) {
  if (!active()) return;
  ran_at_ = now;
  budget_.refill(now);
  forget_old_sayings(now);
  tend_messages(now, out);
  tend_queries(now, out);
  tend_fetches(now, out);
  if (group_news_.waits()) say_to_group(out);
  if (push_wanted_) push_news(now, out);
  const bool company = members_.present() > 0;
  const auto keep = [&](std::optional<time_point>& timer, bool wanted, duration first) {
    if (!wanted) {
      timer.reset();
    } else if (!timer) {
      timer = now + first;
    }
  };
  const auto some_part = [&](duration whole) {
    return duration{static_cast<duration::rep>(random_.below(static_cast<std::uint64_t>(whole.count())))};
  };
  const bool running = phase_ == phase::running;
  // The first probe and exchange of a node fall anywhere in the interval, so that a cluster that is started at once
  // does not probe in step.
  if (running && company && !probe_at_) probe_at_ = now + some_part(config_.probe_interval);
  if (running && company && !push_pull_at_) push_pull_at_ = now + some_part(push_pull_interval());
  keep(push_pull_at_, running && company, duration::zero());
  keep(probe_at_, running && (company || probe_), config_.probe_interval);
  keep(gossip_at_, company && (!claims_.empty() || !events_.empty()), slowed(config_.gossip_interval));
  keep(reconnect_at_, running && members_.gone() > 0, config_.reconnect_interval);
  keep(reap_at_, members_.gone() > 0, tombstone() / reaps_per_tombstone);
  finish_leaving();
}

/// Copies that nobody acknowledges may all be lost: somebody must have said that it heard.
void core::finish_leaving() {
  if (phase_ != phase::leaving) return;
  const bool heard = farewell_heard_ || mutant(mutation::leaves_unheard);
  const bool told = heard && !claims_.contains(self_.id) && own_unsaid_.count == 0;
  if (members_.present() > 0 && !told) return;
  be_gone();
}

void core::be_gone() {
  phase_ = phase::left;
  ++revision_;
  messages_.give_up_all(errc::has_left);
  queries_.end_all();
}

// ---- time ----

template <class Visit>
void core::for_each_timer(Visit visit) {
  for (auto* timer : {&probe_at_, &gossip_at_, &push_at_, &compare_at_, &push_pull_at_, &reconnect_at_, &reap_at_,
                      &leave_at_, &farewell_at_}) {
    if (*timer) visit(**timer);
  }
  for (relay& r : relays_) {
    visit(r.nack_at);
    visit(r.ends_at);
  }
  for (seed& s : seeds_) visit(s.next_try);
  for (stream& s : streams_) visit(s.deadline);
  messages_.for_each_timer(visit);
  queries_.for_each_timer(visit);
  fetches_.for_each_timer(visit);
  if (probe_) visit(probe_->timeout_at);
}

/// A timer that fires far too late means that this process was stopped or starved. What it missed meanwhile says
/// nothing about the others, so everything that was due waits as much longer.
void core::note_pause(time_point now, effects_type& out) {
  const duration late = now - should_have_run(now);
  ran_at_ = now;
  if (late <= config_.probe_timeout / 2 || mutant(mutation::trusts_after_pause)) return;
  ++counters_.pauses_noticed;
  awareness_.worse();
  for_each_timer([&](time_point& timer) { timer += late; });
  suspicions_.postpone(late);
  user_events_.postpone(late);
  probe_.reset();
  come_back(late, now, out);
}

/// When this process had something to do at the latest. What an input made due in its past (a confirmation that
/// shortens a suspicion) was not missed: the process ran then.
time_point core::should_have_run(time_point now) const {
  const auto due = next_deadline();
  return due ? std::max(*due, ran_at_) : now;
}

void core::expire(time_point now, effects_type& out) {
  if (!active()) return;
  const auto due = next_deadline();
  if (!due || *due > now) return;
  note_pause(now, out);
  budget_.refill(now);
  if (leave_at_ && *leave_at_ <= now) return be_gone();
  expire_probes(now, out);
  expire_relays(now, out);
  while (const suspicion* s = mutant(mutation::endless_suspicion) ? nullptr : suspicions_.expired(now)) {
    declare_failed(node_id{s->about}, now, out);
  }
  hold_fetched(now);
  std::vector<event> events;
  std::vector<node_id> missed;
  user_events_.expire(now, config_.gap_wait, config_.gossip_interval, events,
                      [&](const node_id& origin) { missed.push_back(origin); });
  hand_on(events, now, out);
  for (const node_id& origin : missed) ask_for_events(origin, now, out);
  expire_seeds(now, out);
  expire_streams(now, out);
  if (push_pull_at_ && *push_pull_at_ <= now) exchange_periodically(now, out);
  if (reconnect_at_ && *reconnect_at_ <= now) reconnect(now, out);
  if (reap_at_ && *reap_at_ <= now) reap(now);
  if (gossip_at_ && *gossip_at_ <= now) gossip_round(now, out);
  if (push_at_ && *push_at_ <= now) push_news(now, out);
  if (compare_at_ && *compare_at_ <= now) compare_with_somebody(out);
  if (farewell_at_ && *farewell_at_ <= now) say_farewell(now, out);
  finish_input(now, out);
}

std::optional<time_point> core::next_deadline() const {
  if (!active()) return std::nullopt;
  std::optional<time_point> first;
  const auto consider = [&](const std::optional<time_point>& when) {
    if (when && (!first || *when < *first)) first = when;
  };
  for (const auto* timer : {&probe_at_, &gossip_at_, &push_at_, &compare_at_, &push_pull_at_, &reconnect_at_, &reap_at_,
                            &leave_at_, &farewell_at_}) {
    consider(*timer);
  }
  if (probe_ && !probe_->asked && !probe_->answered) consider(probe_->timeout_at);
  if (probe_ && !probe_->answered) consider(probe_->given_up_at);
  for (const relay& r : relays_) consider(r.nacked ? r.ends_at : r.nack_at);
  for (const seed& s : seeds_) consider(s.next_try);
  for (const stream& s : streams_) consider(s.deadline);
  consider(suspicions_.next_deadline());
  consider(user_events_.next_deadline());
  consider(messages_.next_deadline());
  consider(queries_.next_deadline());
  consider(fetches_.next_deadline());
  // Somebody may wait for room.
  if (own_recent_.size() >= own_events_at_a_time) {
    consider(own_recent_.front() + config_.gossip_interval * asks_before_more);
  }
  return first;
}

// ---- the user's calls ----

std::error_code core::leave(time_point now, effects_type& out, std::string reason) {
  if (phase_ == phase::left || phase_ == phase::leaving) return errc::has_left;
  if (phase_ == phase::idle) return errc::not_running;
  if (reason.size() > leave_reason_size_max) return errc::too_large;
  if (!reason.empty()) {
    auto last = std::make_shared<facts>(*facts_);
    last->reason = std::move(reason);
    facts_ = std::move(last);
  }
  phase_ = phase::leaving;
  ++revision_;
  leave_at_ = now + config_.leave_timeout;
  probe_.reset();
  checks_.clear();
  seeds_.clear();
  tell(self_.id);
  tell_group_of(self_.id);
  say_farewell(now, out);
  finish_input(now, out);
  return {};
}

std::error_code core::set_tags(tag_map tags, time_point now, effects_type& out) {
  if (phase_ == phase::leaving || phase_ == phase::left) return errc::has_left;
  if (size_of(tags) > tags_size_max) return errc::too_large;
  if (phase_ == phase::idle) {
    config_.tags = std::move(tags);
    return {};
  }
  auto next = std::make_shared<facts>(*facts_);
  next->tags = std::move(tags);
  facts_ = std::move(next);
  overrule(incarnation_);
  finish_input(now, out);
  return {};
}

std::error_code core::broadcast(std::string topic, bytes payload, time_point now, effects_type& out) {
  forget_old_sayings(now);
  if (const auto error = may_say(topic)) return error;
  if (payload.size() > event_size_max(topic)) return errc::too_large;
  if (!has_room(payload.size())) return errc::would_overflow;
  say_own(std::move(topic), std::move(payload), nullptr, now, out);
  return {};
}

// ---- looking ----

standing core::own_standing() const noexcept {
  const bool going = phase_ == phase::leaving || phase_ == phase::left;
  return {self_.boot, incarnation_, going ? member_state::left : member_state::alive};
}

member core::self() const {
  member me{.id = self_.id,
            .name = config_.name,
            .at = {},
            .boot = self_.boot,
            .incarnation = incarnation_,
            .state = own_standing().state,
            .tags = config_.tags};
  if (facts_ == nullptr) return me;
  me.name = facts_->name;
  me.at = facts_->at;
  me.tags = facts_->tags;
  return me;
}

std::vector<member> core::members() const {
  std::vector<member> all;
  all.reserve(members_.size() + 1);
  all.push_back(self());
  for (const member_row& row : members_) {
    if (!row.buried) all.push_back(to_member(row));
  }
  return all;
}

std::size_t core::held() const noexcept {
  return claims_.size() + events_.size() + streams_.size() + relays_.size() + checks_.size() +
         user_events_.kept_count() + seeds_.size() + messages_.waiting() + queries_.open() + queries_.heard_count() +
         fetches_.size();
}

void core::check_invariants() const {
  std::size_t present = 0;
  std::uint32_t digest = 0;
  for (const member_row& row : members_) {
    ARTILLERY_INVARIANT(row.key != self_.id && row.facts != nullptr);
    const bool suspected = suspicions_.find(row.key) != nullptr;
    ARTILLERY_INVARIANT(suspected == (row.standing.state == member_state::suspect));
    ARTILLERY_INVARIANT(row.announced == row.present());
    if (!row.present()) continue;
    ++present;
    ARTILLERY_INVARIANT(row.in_ring && members_.present_at(row.facts->at) != nullptr);
    digest ^= digest_of(row.name(), row.standing.boot, row.standing.incarnation);
  }
  ARTILLERY_INVARIANT(present == members_.present() && digest == members_.digest());
  ARTILLERY_INVARIANT(members_.size() <= config_.members_max);
  ARTILLERY_INVARIANT(relays_.size() <= relays_max && checks_.size() <= checks_max);
  ARTILLERY_INVARIANT(seeds_.size() <= config_.seeds_max);
  ARTILLERY_INVARIANT(messages_.waiting() <= config_.messages_max);
  ARTILLERY_INVARIANT(user_events_.kept_count() <= config_.events_kept_max + config_.broadcasts_max);
}

std::uint64_t core::hash(time_point now) const {
  detail::state_hash h;
  h.add(phase_).add(self_.boot).add(incarnation_).add(farewell_heard_).add(awareness_.score());
  members_.hash(h, now);
  suspicions_.hash(h, now);
  claims_.hash(h);
  events_.hash(h);
  user_events_.hash(h, now);
  messages_.hash(h, now);
  queries_.hash(h, now);
  fetches_.hash(h, now);
  budget_.hash(h, now);
  observed_.hash(h);
  h.add(own_recent_.size());
  ring_.hash(h);
  h.add(last_sequence_)
      .add(own_unsaid_.count)
      .add(push_wanted_)
      .add(slow_steps_)
      .add(events_first_)
      .add(next_stream_)
      .add(introducer_)
      .add(reconnect_round_);
  if (facts_ != nullptr) h.add(std::string_view{facts_->name}).add(facts_->at).add(facts_->events_sent);
  h.add(probe_.has_value());
  if (probe_) {
    h.add(probe_->sequence)
        .add(probe_->target)
        .add(probe_->addressee)
        .add(probe_->incarnation)
        .add(probe_->at)
        .add(probe_->timeout_at, now);
    h.add(probe_->asked).add(probe_->answered).add(probe_->nacks).add(probe_->helpers.size());
    h.add(probe_->sent_at, now).add(probe_->timed).add(probe_->given_up_at.has_value());
    if (probe_->given_up_at) h.add(*probe_->given_up_at, now);
    for (const endpoint& helper : probe_->helpers) h.add(helper);
  }
  h.add(checks_.size()).add(relays_.size()).add(streams_.size()).add(seeds_.size());
  for (const check& c : checks_) h.add(c.sequence).add(c.target).add(c.addressee).add(c.at).add(c.farewell);
  for (const relay& r : relays_) {
    h.add(r.sequence).add(r.target).add(r.asker).add(r.asker_sequence).add(r.nack_at, now).add(r.ends_at, now);
    h.add(r.nacked);
  }
  for (const stream& s : streams_) {
    h.add(s.number).add(s.purpose).add(s.peer).add(s.deadline, now).add(s.up).add(s.greeted).add(s.spoken);
    h.add(s.joining).add(s.introduces).add(s.introduced).add(s.who).add(s.buckets);
  }
  for (const seed& s : seeds_) h.add(s.at).add(s.next_try, now).add(s.wait);
  for (const time_point allowed :
       {push_allowed_at_, view_repair_allowed_at_, event_repair_allowed_at_, heal_allowed_at_, conflict_allowed_at_}) {
    h.add(std::max(allowed, now) - now);
  }
  h.add(std::min(now - events_agreed_at_, config_.gap_wait)).add(should_have_run(now) - now);
  for (const auto* timer : {&probe_at_, &gossip_at_, &push_at_, &compare_at_, &push_pull_at_, &reconnect_at_, &reap_at_,
                            &leave_at_, &farewell_at_}) {
    h.add(timer->has_value());
    if (*timer) h.add(**timer - now);
  }
  return h.value();
}

// ---- sending ----

datagram_writer core::begin_datagram(const message_body& body) {
  datagram_writer writer{buffer_, cluster_, config_.datagram_max};
  writer.begin(body);
  return writer;
}

void core::send_datagram(const endpoint& to, datagram_writer& writer, effects_type& out) {
  const bytes_view datagram = writer.seal();
  ++counters_.datagrams_sent;
  counters_.datagram_bytes_sent += datagram.size();
  budget_.spend(datagram.size());
  out.network_effects::send(connection::datagram(to), datagram);
}

}  // namespace artillery::membership
