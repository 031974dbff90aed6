// How news travels: piggyback, gossip tick and eager push (SWIM, section 4.1).
#include <algorithm>

#include "membership/core.hpp"
#include "membership/mutant.hpp"

namespace artillery::membership {
namespace {

/// News is pushed in so many rounds before it waits for the tick. After two rounds of three copies by each member, one
/// in four hundred has not heard; after one round it would be one in twenty.
constexpr std::uint32_t push_rounds = 2;

/// How often an origin renews its facts while its event numbers grow by as much as others believe at once.
constexpr std::uint64_t facts_per_jump = 4;

}  // namespace

std::size_t payload_size_max(const config& config, std::string_view topic) noexcept {
  const std::size_t taken = detail::datagram_header_size + event_overhead_max + topic.size();
  return config.datagram_max > taken ? config.datagram_max - taken : 0;
}

// ---- piggyback and gossip ----

/// Fills what is left of a datagram that goes out `copies` times. Claims and events take turns in being packed first,
/// and the first may take all but the second's half, unless the second has less to say: neither can starve the other.
/// What is believed of `told` stands in the datagram already.
void core::piggyback(datagram_writer& writer, std::uint32_t copies, const node_id& told) {
  if (claims_.empty() && events_.empty()) return;
  const std::size_t limit = mutant(mutation::unbounded_datagrams) ? 65'000 : writer.limit();
  // What would go beyond the bytes of a second waits: events first, then claims, too.
  if (!budget_.allows_claims(limit * copies)) return;
  const bool events_too = budget_.allows_events(limit * copies);
  counters_.events_delayed += events_too || events_.empty() ? 0U : 1U;
  const std::size_t share = writer.size() + (limit - std::min(limit, writer.size())) / 2;
  const auto pack_claims = [&](std::size_t up_to) {
    claims_.offer([&](const node_id& id) {
      if (id == told) return true;
      const auto what = claim_about(id);
      return !what || writer.add(*what, up_to);
    });
  };
  const auto pack_events = [&](std::size_t up_to) {
    if (!events_too) return;
    events_.offer([&](std::uint64_t place) {
      const event_record* what = user_events_.kept(place);
      return what == nullptr || writer.add(*what, up_to);
    });
  };
  // An event may need a whole datagram: when it is the events' turn, they have no share to keep to.
  if (events_first_) {
    pack_events(limit);
  } else {
    pack_claims(share);
    pack_events(limit);
  }
  pack_claims(limit);
  events_first_ = !events_first_;
  const std::uint32_t most = mutant(mutation::never_done_telling)
                                 ? ~std::uint32_t{0}
                                 : transmissions_max(config_.retransmit_mult, members_.present() + 1);
  claims_.said(copies, most);
  events_.said(copies, most);
  look_after_own_events();
}

std::error_code core::may_say(const std::string& topic) const {
  if (phase_ == phase::idle) return errc::not_running;
  if (phase_ != phase::running) return errc::has_left;
  if (topic.empty() || topic.size() > topic_size_max) return errc::invalid_argument;
  if (!has_room(0)) return errc::would_overflow;
  return {};
}

void core::say_own(std::string topic, bytes payload, std::shared_ptr<const question> asks, time_point now,
                   effects_type& out) {
  ++counters_.events_broadcast;
  const auto place =
      user_events_.compose(shorten(self_.id), self_.boot, std::move(topic), std::move(payload), std::move(asks));
  // Alone there is nobody to tell; who joins later starts with what comes later.
  if (members_.present() > 0) {
    events_.push(place);
    push_wanted_ = true;
    if (!config_.group.none()) group_news_.events.push_back(place);
    look_after_own_events();
    own_recent_.push_back(now);
  }
  // Whoever hears of this node's facts only should know about how far it is.
  if (user_events_.sent() - facts_->events_sent >= sequence_jump_max / facts_per_jump) overrule(incarnation_);
  finish_input(now, out);
}

void core::forget_old_sayings(time_point now) {
  const duration wait = config_.gossip_interval * asks_before_more;
  while (!own_recent_.empty() && own_recent_.front() + wait <= now) own_recent_.pop_front();
}

/// Own events that were not said as often as they should be stay here until they were.
void core::look_after_own_events() {
  std::uint64_t first = ~std::uint64_t{0};
  events_.for_each([&](std::uint64_t place, std::uint32_t) {
    if (user_events::is_own(place)) first = std::min(first, place);
  });
  own_unsaid_ = user_events_.keep_own_from(first);
}

/// Random present members, and one that failed not long ago: if it was the network, it should hear.
std::vector<endpoint> core::pick_targets(std::size_t count, time_point now) {
  std::vector<endpoint> targets;
  for (const member_row* row : members_.draw_present(count, random_)) targets.push_back(row->facts->at);
  std::vector<const member_row*> lost = members_.gone_rows();
  std::erase_if(lost, [&](const member_row* row) {
    return row->standing.state != member_state::failed || now - row->since >= config_.gossip_to_failed;
  });
  if (!lost.empty()) targets.push_back(lost[static_cast<std::size_t>(random_.below(lost.size()))]->facts->at);
  return targets;
}

void core::gossip_round(time_point now, effects_type& out) {
  gossip_at_.reset();  // armed again while there is something to say
  const auto targets = pick_targets(config_.gossip_fanout, now);
  if (targets.empty() || (claims_.empty() && events_.empty())) return;
  const std::size_t most = targets.size() * config_.datagram_max;
  if (budget_.allows_events(most)) {
    slow_steps_ -= slow_steps_ > 0 ? 1U : 0U;
  } else {
    slow_steps_ = std::min(slow_steps_ + 1, slow_steps_max);
    if (claims_.empty() || !budget_.allows_claims(most)) {
      ++counters_.gossips_delayed;
      return;
    }
  }
  datagram_writer writer = begin_datagram(gossip{});
  piggyback(writer, static_cast<std::uint32_t>(targets.size()));
  for (const endpoint& to : targets) {
    ++counters_.gossips_sent;
    send_datagram(to, writer, out);
  }
  if (claims_.empty() && events_.empty()) compare_at_ = now + time_to_arrive();
}

void core::tell_group_of(const node_id& id) {
  if (!config_.group.none()) group_news_.claims.push_back(id);
}

/// Once, and on top of gossip: where there is no room for it now, gossip alone brings it.
void core::say_to_group(effects_type& out) {
  const group_news news = std::exchange(group_news_, {});
  datagram_writer writer = begin_datagram(gossip{});
  const std::size_t empty = writer.size();
  const auto pack = [&](const auto& item) {
    if (writer.add(item) || writer.size() == empty) return;
    ++counters_.group_datagrams_sent;
    send_datagram(config_.group, writer, out);
    writer = begin_datagram(gossip{});
    writer.add(item);
  };
  for (const node_id& id : news.claims) {
    const auto what = claim_about(id);
    if (what && budget_.allows_claims(config_.datagram_max)) pack(*what);
  }
  for (const std::uint64_t place : news.events) {
    const event_record* what = user_events_.kept(place);
    if (what != nullptr && budget_.allows_events(config_.datagram_max)) pack(*what);
  }
  if (writer.size() == empty) return;
  ++counters_.group_datagrams_sent;
  send_datagram(config_.group, writer, out);
}

/// What was said last has arrived by then, as a rule, wherever it was said.
duration core::time_to_arrive() const noexcept {
  return std::min(config_.gossip_interval, std::max(5 * config_.push_spacing, config_.probe_timeout / 20));
}

/// All is said. One ping, whose digests tell whether it was also heard: the next regular probe of whoever missed it may
/// be many intervals away.
void core::compare_with_somebody(effects_type& out) {
  compare_at_.reset();
  if (phase_ != phase::running || !claims_.empty() || !events_.empty()) return;
  const auto somebody = members_.draw_alive(1, self_.id, random_);
  if (!somebody.empty()) check_on(*somebody.front(), out);
}

/// News does not wait for the tick: it is pushed on when it comes, spaced a little so that a burst shares datagrams.
void core::push_news(time_point now, effects_type& out) {
  const std::uint32_t pushed = config_.gossip_fanout * push_rounds;
  if (!claims_.has_fresher(pushed) && !events_.has_fresher(pushed)) {
    push_wanted_ = false;
    push_at_.reset();
    return;
  }
  if (now < push_allowed_at_ && !mutant(mutation::pushes_unspaced)) {
    push_at_ = push_allowed_at_;
    return;
  }
  push_allowed_at_ = now + slowed(config_.push_spacing);
  gossip_round(now, out);
  push_wanted_ = members_.present() > 0 && (claims_.has_fresher(pushed) || events_.has_fresher(pushed));
  push_at_.reset();
  if (push_wanted_) push_at_ = push_allowed_at_;
}

duration core::slowed(duration interval) const noexcept {
  return interval * (1 << slow_steps_);
}

// ---- user events ----

void core::hear_event(event_record& record, const endpoint& from, time_point now, effects_type& out) {
  if (record.origin == shorten(self_.id)) {
    if (record.boot == self_.boot) user_events_.raise_sent(record.sequence);
    return;
  }
  const member_row* origin = members_.find(record.origin);
  if (origin == nullptr || origin->standing.boot != record.boot || !origin->introduced) {
    ++counters_.dropped_unknown_origin;
    return;
  }
  if (record.fetch_size > 0) return hear_notice(*origin, record, from, now);
  std::vector<event> events;
  std::uint64_t place = 0;
  const bool wanted = is_for_us(record);
  switch (user_events_.receive(*origin, std::move(record), wanted, now, events, place)) {
    case user_events::reception::duplicate: ++counters_.events_duplicate; break;
    case user_events::reception::refused: ++counters_.refused_forged; break;
    case user_events::reception::fresh:
      ++counters_.events_received;
      if (events_.size() >= config_.broadcasts_max + events_relayed_max) {
        ++counters_.dropped_over_limit;
        break;
      }
      events_.push(place);
      push_wanted_ = true;
      break;
  }
  hand_on(events, now, out);
}

void core::hand_on(std::vector<event>& events, time_point now, effects_type& out) {
  for (event& e : events) {
    if (const gap* skipped = std::get_if<gap>(&e)) counters_.events_skipped += skipped->count;
    const auto* asked = std::get_if<membership::query>(&e);
    if (asked == nullptr || hear_query(*asked, now)) out.deliver(std::move(e));
  }
}

}  // namespace artillery::membership
