#include "membership/user_events.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "membership/mutant.hpp"

namespace artillery::membership {
namespace {

/// How long a hole may fill itself (reordering) before anybody is asked.
constexpr duration first_ask_after = std::chrono::milliseconds{50};

std::uint32_t digest_of_events(short_name origin, std::uint64_t boot, std::uint64_t base) noexcept {
  return static_cast<std::uint32_t>(detail::mix64(origin.value ^ detail::mix64(boot ^ detail::mix64(base))));
}

event event_of(const node_id& origin, const event_record& record) {
  if (record.question == nullptr) return user_event{origin, record.topic, record.payload, record.lamport};
  return query{.origin = origin,
               .topic = record.topic,
               .payload = record.payload,
               .lamport = record.lamport,
               .number = record.sequence,
               .timeout = std::chrono::milliseconds{record.question->timeout_ms}};
}

}  // namespace

// ---- one's own ----

std::uint64_t user_events::compose(short_name self, std::uint64_t boot, std::string topic, bytes payload,
                                   std::shared_ptr<const question> asks) {
  event_record record{.origin = self,
                      .boot = boot,
                      .sequence = ++sent_,
                      .previous = topics_floor_,
                      .lamport = ++lamport_,
                      .topic = std::move(topic),
                      .payload = std::move(payload),
                      .question = std::move(asks)};
  const auto found = last_by_topic_.find(record.topic);
  if (found != last_by_topic_.end()) {
    record.previous = std::exchange(found->second, record.sequence);
  } else {
    if (last_by_topic_.size() >= topics_max) {
      last_by_topic_.clear();
      topics_floor_ = record.sequence - 1;
      record.previous = topics_floor_;
    }
    last_by_topic_.emplace(record.topic, record.sequence);
  }
  return keep(std::move(record), true);
}

void user_events::raise_sent(std::uint64_t number) noexcept {
  if (number > sent_ && number - sent_ <= sequence_jump_max) sent_ = number;
}

user_events::unsaid user_events::keep_own_from(std::uint64_t place) {
  own_from_ = place;
  throw_away();
  const auto first = std::lower_bound(kept_own_.begin(), kept_own_.end(), place,
                                      [](const kept_event& k, std::uint64_t wanted) { return k.place < wanted; });
  unsaid all{.count = static_cast<std::size_t>(kept_own_.end() - first), .bytes = 0};
  for (auto at = first; at != kept_own_.end(); ++at) all.bytes += at->record.payload.size();
  return all;
}

void user_events::restamp(std::uint64_t boot) {
  for (kept_event& k : kept_own_) k.record.boot = boot;
}

std::uint64_t user_events::keep(event_record record, bool own) {
  kept_bytes_ += record.payload.size();
  last_place_ += 2;
  const std::uint64_t place = last_place_ | (own ? 1U : 0U);
  (own ? kept_own_ : kept_others_).push_back({place, std::move(record)});
  throw_away();
  return place;
}

/// The oldest go first, but no own ones that nobody may have yet: those were promised to the application.
void user_events::throw_away() {
  if (mutant(mutation::keeps_old_events)) return;
  while (kept_count() > kept_max_ || (kept_bytes_ > kept_bytes_max_ && kept_count() > 1)) {
    const bool is_said = !kept_own_.empty() && kept_own_.front().place < own_from_;
    const bool own = is_said || (!kept_own_.empty() && mutant(mutation::forgets_own_events));
    if (!own && kept_others_.empty()) return;
    const bool own_first = own && (kept_others_.empty() || kept_own_.front().place < kept_others_.front().place);
    auto& from = own_first ? kept_own_ : kept_others_;
    kept_bytes_ -= from.front().record.payload.size();
    from.pop_front();
  }
}

const event_record* user_events::kept(std::uint64_t place) const noexcept {
  const auto& in = is_own(place) ? kept_own_ : kept_others_;
  const auto found = std::lower_bound(in.begin(), in.end(), place,
                                      [](const kept_event& k, std::uint64_t wanted) { return k.place < wanted; });
  return found == in.end() || found->place != place ? nullptr : &found->record;
}

const event_record* user_events::kept(short_name origin, std::uint64_t boot, std::uint64_t number) const noexcept {
  for (const auto* in : {&kept_own_, &kept_others_}) {
    const auto found = std::find_if(in->begin(), in->end(), [&](const kept_event& k) {
      return k.record.origin == origin && k.record.boot == boot && k.record.sequence == number;
    });
    if (found != in->end()) return &found->record;
  }
  return nullptr;
}

// ---- others' ----

user_events::origin_row& user_events::origin(const node_id& id, std::uint64_t boot) {
  if (origin_row* found = origins_.find(id)) return *found;
  origin_row fresh;
  fresh.key = id;
  fresh.boot = boot;
  return origins_.insert(std::move(fresh));
}

void user_events::begin_life(const node_id& id, std::uint64_t boot, std::uint64_t events_sent) {
  origins_.erase(id);
  if (events_sent == 0) return;
  origin_row& o = origin(id, boot);
  o.base = events_sent;
  o.known = events_sent;
}

void user_events::adopt_base(const node_id& id, std::uint64_t boot, std::uint64_t base, bool lower, time_point now) {
  if (base == 0 && origins_.find(id) == nullptr) return;
  origin_row& o = origin(id, boot);
  if (o.boot != boot || !o.untouched || base == o.base || (base < o.base && !lower)) return;
  o.base = base;
  o.known = std::max(o.known, base);
  note_missing(o, now);
}

std::map<std::uint64_t, std::uint64_t> user_events::bases_before_last(std::size_t count) const {
  std::vector<const event_record*> last;
  for (const auto* kept : {&kept_own_, &kept_others_}) {
    for (const kept_event& k : *kept) last.push_back(&k.record);
  }
  std::sort(last.begin(), last.end(), [](const event_record* a, const event_record* b) {
    return a->lamport != b->lamport ? a->lamport > b->lamport : a->origin.value < b->origin.value;
  });
  if (!mutant(mutation::replays_everything)) last.resize(std::min(last.size(), count));
  std::map<std::uint64_t, std::vector<std::uint64_t>> numbers;
  for (const event_record* e : last) numbers[e->origin.value].push_back(e->sequence);
  std::map<std::uint64_t, std::uint64_t> bases;
  for (auto& [origin, of_origin] : numbers) {
    std::sort(of_origin.rbegin(), of_origin.rend());
    std::uint64_t base = of_origin.front();
    for (const std::uint64_t number : of_origin) {
      if (number == base) --base;
    }
    bases[origin] = base;
  }
  return bases;
}

std::uint64_t user_events::base_of(const node_id& id) const noexcept {
  const origin_row* o = origins_.find(id);
  return o == nullptr ? 0 : o->base;
}

/// An origin that is far ahead of what is here says so in its facts.
std::uint64_t user_events::believed_max(const member_row& from, std::uint64_t base) const noexcept {
  if (mutant(mutation::believes_far_numbers)) return ~std::uint64_t{0};
  const std::uint64_t least = std::max(base, from.facts->events_sent);
  return least + std::min(sequence_jump_max, ~std::uint64_t{0} - least);
}

bool user_events::is_missing(const member_row& from, std::uint64_t number) const noexcept {
  const origin_row* o = origins_.find(from.key);
  const std::uint64_t base = o == nullptr ? 0 : o->base;
  if (number <= base || number > believed_max(from, base)) return false;
  return o == nullptr ||
         std::none_of(o->ahead.begin(), o->ahead.end(), [&](const held_event& h) { return h.sequence == number; });
}

void user_events::be_patient(const node_id& id, time_point now) noexcept {
  origin_row* o = origins_.find(id);
  if (o != nullptr && o->missing_since) o->missing_since = now;
}

user_events::reception user_events::receive(const member_row& from, event_record record, bool wanted, time_point now,
                                            std::vector<event>& out, std::uint64_t& place) {
  origin_row& o = origin(from.key, from.standing.boot);
  ARTILLERY_INVARIANT(o.boot == from.standing.boot);
  if (record.sequence > believed_max(from, o.base)) return reception::refused;
  const auto at = std::lower_bound(o.ahead.begin(), o.ahead.end(), record.sequence,
                                   [](const held_event& h, std::uint64_t sequence) { return h.sequence < sequence; });
  const bool held = at != o.ahead.end() && at->sequence == record.sequence;
  if (record.sequence <= o.base || held) {
    if (mutant(mutation::no_deduplication)) {
      out.push_back(event_of(from.key, record));
    }
    return reception::duplicate;
  }

  o.untouched = false;
  o.known = std::max(o.known, record.sequence);
  if (record.lamport > lamport_ && record.lamport - lamport_ <= lamport_jump_max) lamport_ = record.lamport;
  if (record.sequence > o.base + events_ahead_max) skip_to(o, record.sequence - events_ahead_max, out);
  const auto position =
      std::lower_bound(o.ahead.begin(), o.ahead.end(), record.sequence,
                       [](const held_event& h, std::uint64_t sequence) { return h.sequence < sequence; });
  o.ahead.insert(position, held_event{.sequence = record.sequence,
                                      .previous = record.previous,
                                      .delivered = false,
                                      .wanted = wanted,
                                      .event = event_of(from.key, record)});
  settle(o, out);
  note_missing(o, now);
  ARTILLERY_INVARIANT(o.ahead.size() <= events_ahead_max);
  place = keep(std::move(record), false);
  return reception::fresh;
}

void user_events::settle(origin_row& o, std::vector<event>& out) {
  const auto is_done = [&](std::uint64_t sequence) {
    if (sequence <= o.base) return true;
    const auto found =
        std::find_if(o.ahead.begin(), o.ahead.end(), [&](const held_event& h) { return h.sequence == sequence; });
    return found != o.ahead.end() && found->delivered;
  };
  for (held_event& h : o.ahead) {
    // One pass is enough: an event waits for an earlier one only.
    if (h.delivered) continue;
    if (!is_done(h.previous) && !mutant(mutation::no_topic_order)) continue;
    h.delivered = true;
    if (h.wanted) out.push_back(std::move(h.event));
    h.event = user_event{};
  }
  std::size_t done = 0;
  while (done < o.ahead.size() && o.ahead[done].sequence == o.base + 1) {
    ARTILLERY_INVARIANT(o.ahead[done].delivered);
    ++o.base;
    ++done;
  }
  o.ahead.erase(o.ahead.begin(), o.ahead.begin() + static_cast<std::ptrdiff_t>(done));
}

void user_events::skip_to(origin_row& o, std::uint64_t base, std::vector<event>& out) {
  if (o.base < base) o.untouched = false;  // what was told to be missed stays so
  // What is held below the new base is delivered, hole by hole, in order.
  while (o.base < base) {
    const std::uint64_t last_missing = o.ahead.empty() ? base : std::min(o.ahead.front().sequence - 1, base);
    ARTILLERY_INVARIANT(last_missing > o.base);
    if (!mutant(mutation::untold_gaps)) out.push_back(gap{o.key, o.base + 1, last_missing - o.base});
    o.base = last_missing;
    settle(o, out);
  }
}

void user_events::skip_missing(origin_row& o, time_point now, std::vector<event>& out) {
  skip_to(o, o.give_up_to, out);
  o.missing_since.reset();
  note_missing(o, now);
}

void user_events::note_missing(origin_row& o, time_point now) {
  o.known = std::max(o.known, o.base);
  if (o.known == o.base) {
    o.missing_since.reset();
    return;
  }
  if (o.missing_since) return;
  may_lack_ = true;
  o.missing_since = now;
  o.give_up_to = o.known;
  o.ask_at = now + first_ask_after;
  o.deadline = o.ask_at;
}

void user_events::update_deadline(origin_row& o, duration wait) noexcept {
  if (o.missing_since) o.deadline = std::min(o.ask_at, *o.missing_since + wait);
}

std::optional<time_point> user_events::next_deadline() const noexcept {
  std::optional<time_point> first;
  if (!may_lack_) return first;
  for (const origin_row& o : origins_) {
    if (o.missing_since && (!first || o.deadline < *first)) first = o.deadline;
  }
  return first;
}

void user_events::postpone(duration by) noexcept {
  for (origin_row& o : origins_) {
    if (o.missing_since) *o.missing_since += by;
    o.ask_at += by;
    o.deadline += by;
  }
}

// ---- what is missing ----

bool user_events::lacks(const event_entry& theirs, std::uint64_t sequence) noexcept {
  if (sequence <= theirs.base) return false;
  const std::uint64_t beyond = sequence - theirs.base;  // 1: the first missing one
  if (beyond == 1 || beyond > 65) return true;
  return (theirs.ahead >> (beyond - 2) & 1U) == 0;
}

event_entry user_events::entry_of(const origin_row& o) noexcept {
  event_entry entry{.origin = shorten(o.key), .boot = o.boot, .base = o.base, .ahead = 0};
  for (const held_event& h : o.ahead) {
    const std::uint64_t beyond = h.sequence - o.base;
    if (beyond >= 2 && beyond <= 65) entry.ahead |= std::uint64_t{1} << (beyond - 2);
  }
  return entry;
}

std::optional<event_entry> user_events::summarize(const node_id& id) const noexcept {
  const origin_row* o = origins_.find(id);
  if (o == nullptr) return std::nullopt;
  return entry_of(*o);
}

std::uint32_t user_events::digest(short_name self, std::uint64_t boot, const member_table& members) const noexcept {
  std::uint32_t sum = sent_ == 0 ? 0 : digest_of_events(self, boot, sent_);
  for (const origin_row& o : origins_) {
    const member_row* row = members.find(o.key);
    if (o.base > 0 && row != nullptr && row->present()) sum ^= digest_of_events(shorten(o.key), o.boot, o.base);
  }
  return sum;
}

event_summary user_events::summarize(short_name self, std::uint64_t boot, const member_table& members,
                                     std::size_t max) {
  event_summary summary;
  summary.sender = self;
  if (sent_ > 0) summary.entries.push_back({.origin = self, .boot = boot, .base = sent_, .ahead = 0});
  if (summary_from_ >= origins_.size()) summary_from_ = 0;
  std::size_t seen = 0;
  for (; seen < origins_.size() && summary.entries.size() < max; ++seen) {
    const origin_row& o = origins_[(summary_from_ + seen) % origins_.size()];
    if (members.find(o.key) != nullptr) summary.entries.push_back(entry_of(o));
  }
  summary.complete = seen == origins_.size();
  summary_from_ += seen;
  return summary;
}

void user_events::hear_of(const member_row& from, const event_entry& theirs, time_point now) {
  const origin_row* found = origins_.find(from.key);
  if (found != nullptr && (found->boot != theirs.boot || theirs.base <= found->known)) return;
  if (found == nullptr && theirs.base == 0) return;
  if (theirs.base > believed_max(from, found == nullptr ? 0 : found->base)) return;
  origin_row& o = origin(from.key, theirs.boot);
  o.known = theirs.base;
  note_missing(o, now);
}

void user_events::hash(detail::state_hash& into, time_point now) const {
  into.add(sent_).add(lamport_).add(last_place_).add(own_from_).add(topics_floor_).add(summary_from_);
  for (const auto* kept : {&kept_own_, &kept_others_}) {
    into.add(kept->size());
    for (const kept_event& e : *kept) {
      into.add(e.place).add(e.record.origin.value).add(e.record.boot).add(e.record.sequence).add(e.record.previous);
    }
  }
  into.add(last_by_topic_.size());
  for (const auto& [topic, number] : last_by_topic_) into.add(std::string_view{topic}).add(number);
  into.add(origins_.size());
  for (const origin_row& o : origins_) {
    into.add(o.key).add(o.boot).add(o.base).add(o.known).add(o.untouched).add(o.give_up_to).add(o.ahead.size());
    for (const held_event& e : o.ahead) into.add(e.sequence).add(e.previous).add(e.delivered);
    into.add(o.missing_since, now);
    if (o.missing_since) into.add(o.ask_at, now).add(o.deadline, now);
  }
}

}  // namespace artillery::membership
