// How news travels: piggyback, gossip tick and eager push (SWIM, section 4.1), and the repair of what all of them
// missed.
#include <algorithm>

#include "membership/core.hpp"
#include "membership/mutant.hpp"

namespace artillery::membership {
namespace {

/// Datagrams that answer one summary at most; the next summary asks for the rest.
constexpr std::uint32_t repair_datagrams_max = 4;

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

membership::digests core::own_digests() const {
  const short_name me = shorten(self_.id);
  const std::uint32_t own = phase_ == phase::running ? digest_of(me, self_.boot, incarnation_) : 0;
  return {.view = members_.digest() ^ own, .events = user_events_.digest(me, self_.boot, members_)};
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

// ---- repair ----

/// Somebody's digests came along. When they differ though nothing new is under way, one of us has missed something.
void core::compare(const membership::digests& theirs, const endpoint& from, time_point now, effects_type& out) {
  if (mutant(mutation::no_digest_repair)) return;
  if (phase_ != phase::running) return;
  const membership::digests ours = own_digests();
  if (theirs.view != ours.view && claims_.empty() && budget_.allows_claims(config_.datagram_max) &&
      now >= view_repair_allowed_at_) {
    view_repair_allowed_at_ = now + config_.probe_interval / 2;
    ++counters_.view_repairs;
    datagram_writer writer = begin_datagram(summarize_view(0, ~std::uint64_t{0}));
    send_datagram(from, writer, out);
  }
  if (theirs.events == ours.events) events_agreed_at_ = now;
  // Where something is always being told, what differs for long is not under way but missed.
  const bool missed = events_.empty() || now - events_agreed_at_ >= config_.gap_wait;
  const bool room = budget_.allows_events(config_.datagram_max);
  if (theirs.events != ours.events && missed && room && now >= event_repair_allowed_at_) {
    event_repair_allowed_at_ = now + config_.probe_interval / 2;
    events_agreed_at_ = now;  // the next question, if there is still much to tell, is as long away
    ++counters_.event_repairs;
    datagram_writer writer = begin_datagram(
        user_events_.summarize(shorten(self_.id), self_.boot, members_, event_entries_max(config_.datagram_max)));
    send_datagram(from, writer, out);
  }
}

/// Present members with names in [first, last], sorted; when they do not fit a datagram, a random run of them.
view_summary core::summarize_view(std::uint64_t first, std::uint64_t last) {
  view_summary summary{
      .step = repair_step::question, .sender = shorten(self_.id), .first = first, .last = last, .entries = {}};
  const auto add = [&](short_name name, const standing& s) {
    if (name.value >= first && name.value <= last) summary.entries.push_back({name, version_of(name, s)});
  };
  if (phase_ == phase::running) add(shorten(self_.id), {self_.boot, incarnation_, member_state::alive});
  for (const member_row& row : members_) {
    if (row.present()) add(row.name(), row.standing);
  }
  auto& entries = summary.entries;
  std::sort(entries.begin(), entries.end(),
            [](const view_entry& a, const view_entry& b) { return a.name.value < b.name.value; });
  const std::size_t most = view_entries_max(config_.datagram_max);
  if (entries.size() > most) {
    const auto from = static_cast<std::size_t>(random_.below(entries.size() - most + 1));
    // The runs at either end reach to the end, so that each name lies in some run.
    if (from > 0) summary.first = entries[from].name.value;
    if (from + most < entries.size()) summary.last = entries[from + most - 1].name.value;
    entries = {entries.begin() + static_cast<std::ptrdiff_t>(from),
               entries.begin() + static_cast<std::ptrdiff_t>(from + most)};
  }
  return summary;
}

/// Of an answer to a summary, whose list comes on top.
std::uint32_t core::repair_datagrams_now() const noexcept {
  return budget_.allows_claims((repair_datagrams_max + 1) * config_.datagram_max) ? repair_datagrams_max : 1;
}

void core::on_view_summary(const endpoint& from, const view_summary& m, time_point now, effects_type& out) {
  if (phase_ != phase::running || m.step == repair_step::claims || m.first > m.last) return;
  if (!budget_.allows_claims(2 * config_.datagram_max)) return;
  const view_summary ours = summarize_view(m.first, m.last);
  std::vector<short_name> differing;
  bool wanting = false;
  auto mine = ours.entries.begin();
  auto theirs = m.entries.begin();
  while (mine != ours.entries.end() || theirs != m.entries.end()) {
    const bool only_mine =
        theirs == m.entries.end() || (mine != ours.entries.end() && mine->name.value < theirs->name.value);
    const bool only_theirs =
        mine == ours.entries.end() || (theirs != m.entries.end() && theirs->name.value < mine->name.value);
    if (only_mine) {
      differing.push_back((mine++)->name);
    } else if (only_theirs) {
      wanting = true;
      differing.push_back((theirs++)->name);  // dead here, or not known
    } else {
      const bool same = mine->version == theirs->version;
      if (!same) differing.push_back(mine->name);
      wanting |= !same;
      ++mine;
      ++theirs;
    }
  }
  // An answer may be split; its first and last stay those of the question, and its sender is compared with nothing.
  view_summary reply{
      .step = repair_step::claims, .sender = shorten(self_.id), .first = m.first, .last = m.last, .entries = {}};
  datagram_writer writer = begin_datagram(reply);
  const std::size_t empty = writer.size();
  std::uint32_t datagrams_left = repair_datagrams_now();
  for (const short_name& name : differing) {
    std::optional<claim> what;
    if (name == shorten(self_.id)) {
      what = own_claim();
    } else if (const member_row* row = members_.find(name)) {
      what = claim_about(*row);
    }
    if (!what || writer.add(*what)) continue;
    send_datagram(from, writer, out);
    if (--datagrams_left == 0) break;
    writer = begin_datagram(reply);
    writer.add(*what);
  }
  if (datagrams_left > 0 && writer.size() > empty) send_datagram(from, writer, out);
  if (!wanting || m.step == repair_step::answer) return;
  view_summary list = ours;
  list.step = repair_step::answer;
  datagram_writer answer = begin_datagram(list);
  send_datagram(from, answer, out);
  view_repair_allowed_at_ = now + config_.probe_interval / 2;
}

void core::on_event_summary(const endpoint& from, const event_summary& m, time_point now, effects_type& out) {
  // What is missing goes before what is new; whoever asks asks again.
  if (!budget_.allows_claims(2 * config_.datagram_max)) return;
  datagram_writer writer = begin_datagram(gossip{});
  const std::size_t empty = writer.size();
  std::uint32_t datagrams_left = repair_datagrams_now();
  const short_name me = shorten(self_.id);
  std::vector<short_name> listed;
  bool go_on = true;
  for (const event_entry& entry : m.entries) {
    listed.push_back(entry.origin);
    const member_row* origin = members_.find(entry.origin);
    const bool known =
        entry.origin == me ? entry.boot == self_.boot : origin != nullptr && origin->standing.boot == entry.boot;
    if (!known) continue;
    if (entry.origin == me) user_events_.raise_sent(entry.base);
    if (origin != nullptr && origin->introduced) user_events_.hear_of(*origin, entry, now);
    go_on = go_on && send_lacking(from, entry, datagrams_left, writer, out);
  }
  if (m.complete) {
    // Whatever origin is not listed, the sender has nothing of.
    const event_summary ours =
        user_events_.summarize(me, self_.boot, members_, event_entries_max(config_.datagram_max));
    for (const event_entry& entry : ours.entries) {
      if (std::find(listed.begin(), listed.end(), entry.origin) != listed.end()) continue;
      go_on = go_on && send_lacking(from, {.origin = entry.origin, .boot = entry.boot}, datagrams_left, writer, out);
    }
  }
  if (go_on && writer.size() > empty) send_datagram(from, writer, out);
  if (m.answer || !m.complete) return;
  event_summary ours = user_events_.summarize(me, self_.boot, members_, event_entries_max(config_.datagram_max));
  ours.answer = true;
  datagram_writer answer = begin_datagram(ours);
  send_datagram(from, answer, out);
}

/// False when there have been enough datagrams for one answer.
bool core::send_lacking(const endpoint& to, const event_entry& theirs, std::uint32_t& datagrams_left,
                        datagram_writer& writer, effects_type& out) {
  user_events_.lacking(theirs, [&](const event_record& record) {
    if (writer.add(record)) return true;
    send_datagram(to, writer, out);
    if (--datagrams_left == 0) return false;
    writer = begin_datagram(gossip{});
    writer.add(record);
    return true;
  });
  return datagrams_left > 0;
}

/// Events of `origin` are missing: asks itself, or, when it is gone, anybody.
void core::ask_for_events(const node_id& origin, time_point now, effects_type& out) {
  if (mutant(mutation::no_digest_repair)) return;
  const auto entry = user_events_.summarize(origin);
  const member_row* row = members_.find(origin);
  if (!entry || row == nullptr) return;
  ++counters_.event_repairs;
  endpoint to = row->facts->at;
  const bool ask_another = !row->present() || random_.chance(1, 3);
  if (ask_another) {
    const auto others = members_.draw_alive(1, origin, random_);
    if (!others.empty()) to = others.front()->facts->at;
  }
  event_summary question{.answer = true, .complete = false, .sender = shorten(self_.id), .entries = {*entry}};
  datagram_writer writer = begin_datagram(question);
  send_datagram(to, writer, out);
  event_repair_allowed_at_ = now + config_.probe_interval / 2;
}

}  // namespace artillery::membership
