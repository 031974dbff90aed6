#include "replication/log.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace artillery::replication {

void log::append(log_entry next) {
  note_start(next.record.version());
  weight_ += next.record.weight();
  entries_.push_back(std::move(next));
}

void log::pass(const version& next) {
  note_start(next);
  dropped_ = next;
}

void log::note_start(const version& next) {
  if (!starts_.empty() && starts_.back().epoch == next.epoch) return;
  starts_.push_back(next);
  if (starts_.size() <= starts_max) return;
  epoch_before_ = starts_.front().epoch;
  starts_.pop_front();
}

log_entry log::pop_front() {
  ARTILLERY_INVARIANT(!entries_.empty());
  dropped_ = entries_.front().record.version();
  weight_ -= entries_.front().record.weight();
  log_entry first = std::move(entries_.front());
  entries_.pop_front();
  return first;
}

void log::restart(const version& base) {
  *this = {};
  dropped_ = base;
  epoch_before_ = base.epoch;
}

const log_entry& log::at(std::uint64_t seq) const {
  ARTILLERY_INVARIANT(holds(seq));
  return entries_[static_cast<std::size_t>(seq - dropped_.seq - 1)];
}

log_entry& log::at(std::uint64_t seq) {
  return const_cast<log_entry&>(std::as_const(*this).at(seq));  // NOLINT: *this is not const
}

bool log::knows(const version& which) const {
  if (which == dropped_) return true;
  return holds(which.seq) && at(which.seq).record.epoch == which.epoch;
}

std::optional<bool> log::was_assigned_by(std::uint64_t seq, std::uint64_t epoch) const noexcept {
  ARTILLERY_INVARIANT(seq <= last_seq());
  const auto start = std::find_if(starts_.rbegin(), starts_.rend(), [&](const version& s) { return s.seq <= seq; });
  if (start != starts_.rend()) return start->epoch <= epoch;
  return epoch_before_ <= epoch ? std::optional{true} : std::nullopt;
}

void log::attach(std::uint64_t seq, const asker& who) {
  std::vector<asker>& waiting = at(seq).waiting;
  if (std::find(waiting.begin(), waiting.end(), who) != waiting.end()) return;
  if (waiting.size() == waiting_max) waiting.erase(waiting.begin());
  waiting.push_back(who);
}

void log::forget(std::uint64_t stream) {
  for (log_entry& entry : entries_) std::erase_if(entry.waiting, [&](const asker& a) { return a.stream == stream; });
}

/// Without `starts_`: only session tokens ask for them, and what compares hashes has none.
void log::hash(detail::state_hash& into, time_point now) const {
  into.add(dropped_.epoch).add(dropped_.seq).add(entries_.size());
  for (const log_entry& entry : entries_) {
    const record& r = entry.record;
    into.add(r.what).add(r.seq).add(r.epoch).add(r.session).add(r.number).add(r.lowest).add(r.result.applied);
    into.add(r.result.version.epoch).add(r.result.version.seq);
    into.add(r.effects.size());
    for (const object_effect& effect : r.effects) {
      into.add(effect.what).add(effect.key.view()).add(effect.value.view()).add(effect.checksum);
    }
    into.add(entry.waiting.size());
    for (const asker& who : entry.waiting) into.add(who.stream).add(who.request);
    into.add(entry.arrived, now);
  }
}

}  // namespace artillery::replication
