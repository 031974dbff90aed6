// What all copies of news missed: digests show it, summaries find it (docs/membership.md, "How news travels").
#include <algorithm>

#include "membership/core.hpp"
#include "membership/mutant.hpp"

namespace artillery::membership {
namespace {

/// Datagrams that answer one summary at most; the next summary asks for the rest.
constexpr std::uint32_t repair_datagrams_max = 4;

/// Buckets that are asked about at a time.
constexpr std::size_t buckets_asked_max = 3;

}  // namespace

membership::digests core::own_digests() const {
  const short_name me = shorten(self_.id);
  const std::uint32_t own = phase_ == phase::running ? digest_of(me, self_.boot, incarnation_) : 0;
  return {.view = members_.digest() ^ own, .events = user_events_.digest(me, self_.boot, members_)};
}

/// Somebody's digests came along. When they differ though nothing new is under way, one of us has missed something.
void core::compare(const membership::digests& theirs, const endpoint& from, time_point now, effects_type& out) {
  if (mutant(mutation::no_digest_repair)) return;
  if (phase_ != phase::running) return;
  const membership::digests ours = own_digests();
  if (theirs.view != ours.view && claims_.empty() && budget_.allows_claims(config_.datagram_max) &&
      now >= view_repair_allowed_at_) {
    view_repair_allowed_at_ = now + config_.probe_interval / 2;
    ++counters_.view_repairs;
    const bool large = members_.present() >= view_entries_max(config_.datagram_max);
    datagram_writer writer = large ? begin_datagram(view_buckets{shorten(self_.id), own_buckets()})
                                   : begin_datagram(summarize_view(0, ~std::uint64_t{0}));
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

bucket_sums core::own_buckets() const {
  bucket_sums sums = members_.buckets();
  const short_name me = shorten(self_.id);
  if (phase_ == phase::running) sums[bucket_of(me)] ^= digest_of(me, self_.boot, incarnation_);
  return sums;
}

bucket_set core::differing(const bucket_sums& theirs) const {
  const bucket_sums ours = own_buckets();
  bucket_set differ = 0;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    if (ours[i] != theirs[i]) differ |= bucket_set{1} << i;
  }
  return differ;
}

/// Of a view that no datagram lists: asks about a few of the buckets in which it differs from ours.
void core::on_view_buckets(const endpoint& from, const view_buckets& m, effects_type& out) {
  const member_row* sender = members_.find(m.sender);
  if (phase_ != phase::running || sender == nullptr || !sender->present()) return;
  const std::size_t answered = 2 * config_.datagram_max;  // a list, and what comes of it
  if (!budget_.allows_claims(answered)) return;
  const std::size_t most = budget_.allows_claims(answered * buckets_asked_max) ? buckets_asked_max : 1;
  std::vector<std::uint64_t> buckets;
  const bucket_set differ = differing(m.sums);
  for (std::uint64_t i = 0; i < view_bucket_count; ++i) {
    if ((differ >> i & 1U) != 0) buckets.push_back(i);
  }
  random_.shuffle(buckets);
  buckets.resize(std::min(buckets.size(), most));
  constexpr std::size_t shift = 64 - view_bucket_bits;
  for (const std::uint64_t bucket : buckets) {
    const std::uint64_t first = bucket << shift;
    datagram_writer writer = begin_datagram(summarize_view(first, first | ((std::uint64_t{1} << shift) - 1)));
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
