#include "discovery/core.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "discovery/mutant.hpp"

namespace artillery::discovery {
namespace {

using std::chrono::milliseconds;

// How long an answer waits (docs/discovery.md): with many hosts they spread out, the one asked for alone is instant.
constexpr duration answer_delay_per_node = milliseconds{2};
constexpr duration answer_delay_max = milliseconds{120};

// After a pause of this process: the asker has asked again by now, and all that waited would go out at once.
constexpr duration answer_overdue_max = milliseconds{500};

// Where the first answer wins, the busier wait longer: the least loaded is first without any agreement.
constexpr duration load_delay_max = milliseconds{40};
constexpr duration load_jitter = milliseconds{10};

/// A known service needs no answer if it stays known for at least half its ttl (RFC 6762, section 7.1).
bool is_fresh(const known_service& s, time_point now) noexcept {
  return s.expires() - now >= s.what.ttl / 2;
}

duration uniform(detail::random& random, duration below) noexcept {
  return duration{static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(below.count())))};
}

bool matches(const question& asked, const service& offered) noexcept {
  const bool is_type = asked.type.empty() || asked.type == offered.type || mutant(mutation::answers_anything);
  if (!is_type || (!asked.instance.none() && asked.instance != offered.instance)) return false;
  const bool is_known = std::find(asked.known.begin(), asked.known.end(), offered.instance.high) != asked.known.end();
  return !is_known || mutant(mutation::answers_what_is_known);
}

}  // namespace

core::core(core_config config, detail::random random)
    : config_{std::move(config)},
      realm_{realm::of(config_.cluster)},
      queries_{random.fork("queries")},
      delays_{random.fork("delays")},
      announcer_{config_.announce_interval, random.fork("announcer")},
      browser_{random.fork("browser")},
      limit_{random.fork("limit").next()},
      table_{random.fork("table")} {
  ARTILLERY_INVARIANT(!config_.node.none());
}

// --- what comes in -------------------------------------------------------------------------------------------------

void core::receive(const connection& from, bytes_view datagram, time_point now, core_effects& out) {
  ++counters_.received;
  const decoded_frame decoded = decode(datagram, realm_);
  if (decoded.error) return count_refusal(decoded.error);
  if (decoded.what.header.node == config_.node && !mutant(mutation::own_packets_heard)) {
    ++counters_.echoes;
    return;
  }
  if (!is_on_link(interfaces_, from) && !mutant(mutation::off_link_heard)) {
    ++counters_.off_link;
    return;
  }
  hear(decoded.what, from, datagram.size(), now, out);
}

void core::count_refusal(std::error_code error) noexcept {
  if (error == errc::wrong_cluster)
    ++counters_.foreign_cluster;
  else if (error == errc::unsupported_version)
    ++counters_.unsupported;
  else if (error == errc::checksum_mismatch)
    ++counters_.checksum_mismatches;
  else
    ++counters_.malformed;
}

void core::hear(const frame& what, const connection& from, std::size_t size, time_point now, core_effects& out) {
  // Unicast goes to the port that the frame names: on the shared one any process of that host might get it.
  connection back = from;
  if (what.header.answer_port != 0) back.peer = from.peer.with_port(what.header.answer_port);
  switch (what.header.kind) {
    case frame_kind::announce:
    case frame_kind::offer: return hear_announcement(what, back, size, now, out);
    case frame_kind::seek: return hear_question(what, back, size, now);
    case frame_kind::goodbye: {
      lost_services gone;
      table_.departed({what.header.node, std::get<goodbye>(what.body).instance}, what.header.at, now, gone);
      return deliver_lost(gone, out);
    }
  }
}

void core::hear_announcement(const frame& what, const connection& from, std::size_t size, time_point now,
                             core_effects& out) {
  lost_services gone;
  const auto change = table_.announced(what, from, size, now, gone);
  deliver_lost(gone, out);
  switch (change.result) {
    case service_table::outcome::stale: ++counters_.stale; return;
    case service_table::outcome::refused: ++counters_.refused; return;
    case service_table::outcome::found: deliver<found>(*change.now_known, out); break;
    case service_table::outcome::updated: deliver<updated>(*change.now_known, out); break;
    case service_table::outcome::confirmed: break;
  }
  while (const auto request = browser_.answered_by(change.now_known->what))
    out.deliver(sought{*request, change.now_known->resolved()});
}

void core::hear_question(const frame& what, const connection& from, std::size_t size, time_point now) {
  if (!answers_.is_new(what.header.node, what.header.query) && !mutant(mutation::answers_copies)) {
    ++counters_.questions_repeated;
    return;
  }
  const auto& asked = std::get<question>(what.body);
  if (!offers_for(asked)) return;
  if (!mutant(mutation::answers_unlimited) && !limit_.allow(from.peer, now)) {
    ++counters_.questions_limited;
    return;
  }
  const duration delay = answer_delay(asked);
  if (!answers_.add({now + delay, from, what.header.query, asked, size})) ++counters_.questions_limited;
}

bool core::offers_for(const question& asked) const {
  bool any = false;
  announcer_.for_each_offered([&](const service& s) { any = any || matches(asked, s); });
  return any;
}

duration core::answer_delay(const question& asked) {
  if (!asked.first_wins) {
    const auto nodes = static_cast<std::int64_t>(table_.nodes());
    return uniform(delays_, std::min(answer_delay_max, answer_delay_per_node * nodes));
  }
  if (mutant(mutation::load_ignored)) return uniform(delays_, load_jitter);
  unsigned load = 255;
  announcer_.for_each_offered([&](const service& s) {
    if (matches(asked, s)) load = std::min<unsigned>(load, s.load);
  });
  return load_delay_max * static_cast<std::int64_t>(load) / 255 + uniform(delays_, load_jitter);
}

// --- time -----------------------------------------------------------------------------------------------------------

void core::expire(time_point now, core_effects& out) {
  lost_services gone;
  std::vector<known_service> refresh;
  table_.expire(now, [this](const service& s) { return browser_.browses(s.type); }, gone, refresh);
  deliver_lost(gone, out);
  for (const known_service& who : refresh)
    if (!mutant(mutation::refresh_unasked)) ask_after(who, now, out);

  while (const auto request = browser_.timed_out(now)) out.deliver(sought{*request, std::nullopt});
  while (const auto asking = browser_.due(now)) ask(*asking, now, out);
  while (const auto pending = answers_.due(now))
    if (now - pending->due <= answer_overdue_max || mutant(mutation::answers_when_late)) answer(*pending, now, out);

  while (auto step = announcer_.due(now, table_.size(), !interfaces_.empty())) {
    if (step->what == announcer::act::announce) {
      ++counters_.announcements_sent;
      frame said{next_header(frame_kind::announce, now), announcement{step->subject}};
      said.header.ttl = announcer_.ttl_of(step->subject, table_.size());
      broadcast(said, 0, out);
      continue;
    }
    ++counters_.goodbyes_sent;
    broadcast({next_header(frame_kind::goodbye, now), goodbye{step->subject.instance}}, 0, out);
    if (step->what == announcer::act::last_goodbye) out.deliver(withdrawn{step->subject.instance});
  }
}

std::optional<time_point> core::next_deadline() const {
  std::optional<time_point> next;
  for (const auto& candidate :
       {announcer_.next_deadline(), browser_.next_deadline(), answers_.next_deadline(), table_.next_deadline()})
    if (candidate && (!next || *candidate < *next)) next = candidate;
  return next;
}

// --- the user's calls -----------------------------------------------------------------------------------------------

void core::interfaces_changed(std::vector<interface> usable, time_point now, core_effects& out) {
  const bool was_isolated = interfaces_.empty();
  const bool any_new = std::any_of(usable.begin(), usable.end(), [&](const interface& i) {
    return std::find(interfaces_.begin(), interfaces_.end(), i) == interfaces_.end();
  });
  interfaces_ = std::move(usable);
  if (interfaces_.empty()) return out.deliver(event{isolated{}});
  if (any_new) {
    announcer_.restart(now);
    browser_.restart(now);
  }
  if (was_isolated) out.deliver(event{connected{}});
  expire(now, out);
}

std::error_code core::announce(const service& what, time_point now, core_effects& out) {
  ARTILLERY_INVARIANT(!what.instance.none());
  if (auto error = announcer_.announce(what, now)) return error;
  expire(now, out);
  return {};
}

std::error_code core::withdraw(const node_id& instance, time_point now, core_effects& out) {
  if (!announcer_.withdraw(instance, now)) return errc::invalid_argument;
  expire(now, out);
  return {};
}

std::error_code core::browse(std::string_view type, time_point now, core_effects& out) {
  if (!browser_.browse(type, now)) return errc::would_overflow;
  for (const known_service& s : table_)
    if (type.empty() || s.what.type == type) deliver<found>(s, out);
  return {};
}

void core::stop_browse(std::string_view type) {
  browser_.stop_browse(type);
}

std::error_code core::seek(std::uint64_t request, std::string_view type, time_point deadline, time_point now,
                           core_effects& out) {
  const known_service* best = nullptr;
  for (const known_service& s : table_)
    if (s.what.type == type && is_fresh(s, now) && (best == nullptr || s.what.load < best->what.load)) best = &s;
  if (best != nullptr && !mutant(mutation::known_seek_asked)) {
    out.deliver(sought{request, best->resolved()});
    if (!mutant(mutation::seek_answered_and_asked)) return {};
  }
  if (!browser_.seek(request, type, deadline, now)) return errc::would_overflow;
  expire(now, out);
  return {};
}

// --- what goes out --------------------------------------------------------------------------------------------------

void core::answer(const pending_answer& what, time_point now, core_effects& out) {
  std::size_t budget = what.budget;
  std::vector<service> matching;
  announcer_.for_each_offered([&](const service& s) {
    if (matches(what.what, s)) matching.push_back(s);
  });
  for (const service& s : matching) {
    frame offer{next_header(frame_kind::offer, now), announcement{s}};
    offer.header.query = what.query;
    offer.header.ttl = announcer_.ttl_of(s, table_.size());
    const bytes_view datagram = encoded(offer, 0);
    if (datagram.size() > budget && !mutant(mutation::answers_larger)) {
      announcer_.announce_soon(s.instance, now);
      continue;
    }
    // The first was paid for when the question was taken.
    if (budget != what.budget && !limit_.allow(what.to.peer, now)) {
      ++counters_.questions_limited;
      return;
    }
    budget -= datagram.size();
    ++counters_.offers_sent;
    if (mutant(mutation::answers_to_all)) {
      broadcast(offer, 0, out);
      continue;
    }
    out.send(what.to, datagram);
  }
}

void core::ask(const browser::asking& what, time_point now, core_effects& out) {
  ++counters_.questions_sent;
  question asked{what.type, {}, known_of(what.type, now), what.first_wins};
  frame said{next_header(frame_kind::seek, now), std::move(asked)};
  said.header.query = queries_.next();
  broadcast(said, frame_size_aim, out);
}

void core::ask_after(const known_service& who, time_point now, core_effects& out) {
  ++counters_.questions_sent;
  frame said{next_header(frame_kind::seek, now), question{who.what.type, who.key.instance, {}, false}};
  said.header.query = queries_.next();
  // Large enough to be answered by what is known of it.
  out.send(who.source, encoded(said, std::max(frame_size_aim, who.frame_size)));
}

std::vector<std::uint64_t> core::known_of(std::string_view type, time_point now) {
  std::vector<std::uint64_t> known;
  for (const known_service& s : table_)
    if ((type.empty() || s.what.type == type) && is_fresh(s, now)) known.push_back(s.key.instance.high);
  if (known.size() > question::known_max) {
    // Others each time, so that nobody is asked for ever.
    queries_.shuffle(known);
    known.resize(question::known_max);
  }
  return known;
}

frame_header core::next_header(frame_kind kind, time_point now) {
  frame_header h;
  h.kind = kind;
  h.node = config_.node;
  h.at = {config_.epoch_us, ++sequence_};
  h.answer_port = answer_port_;
  const auto alive = std::chrono::duration_cast<std::chrono::microseconds>(now - config_.started);
  h.sent_us = config_.epoch_us + static_cast<std::uint64_t>(alive.count());
  return h;
}

bytes_view core::encoded(const frame& what, std::size_t size_min) {
  encode(what, realm_, size_min, scratch_);
  ARTILLERY_INVARIANT(scratch_.size() <= frame_size_max);
  return scratch_;
}

void core::broadcast(const frame& what, std::size_t size_min, core_effects& out) {
  const bytes_view datagram = encoded(what, size_min);
  for (const interface& i : interfaces_)
    out.send(connection::datagram(i.broadcast.with_port(config_.port), i.index), datagram);
}

template <class Fact>
void core::deliver(const known_service& who, core_effects& out) const {
  if (browser_.browses(who.what.type)) out.deliver(event{Fact{who.resolved(), who.key.node}});
}

void core::deliver_lost(const lost_services& gone, core_effects& out) {
  for (const auto& [who, reason] : gone) {
    if (reason == loss::evicted) ++counters_.evicted;
    if (browser_.browses(who.what.type)) out.deliver(event{lost{who.resolved(), who.key.node, reason}});
  }
}

std::uint64_t core::hash(time_point now) const {
  detail::state_hash hash;
  hash.add(config_.node).add(config_.epoch_us).add(sequence_).add(answer_port_);
  for (const interface& i : interfaces_) hash.add(i.index).add(i.address).add(i.broadcast).add(i.prefix_length);
  announcer_.add_to(hash, now);
  browser_.add_to(hash, now);
  answers_.add_to(hash, now);
  limit_.add_to(hash, now);
  table_.add_to(hash, now);
  return hash.value();
}

}  // namespace artillery::discovery
