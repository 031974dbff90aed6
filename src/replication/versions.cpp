#include "replication/versions.hpp"

#include <algorithm>
#include <iterator>

#include "replication/mutant.hpp"

namespace artillery::replication {

void dirty_objects::add(const bytes& key, std::uint64_t seq, time_point arrived) {
  row* found = table_.find(key);
  if (found == nullptr) found = &table_.insert({.key = key, .records = {}});
  found->records.push_back({seq, arrived});
}

void dirty_objects::commit(const bytes& key, std::uint64_t seq) {
  row* found = table_.find(key);
  if (found == nullptr) return;
  while (!found->records.empty() && found->records.front().seq <= seq) found->records.pop_front();
  if (found->records.empty()) table_.erase(bytes{key});  // a copy: `key` may be the row's own
}

std::size_t dirty_objects::count(const bytes& key) const noexcept {
  const row* found = table_.find(key);
  return found == nullptr ? 0 : found->records.size();
}

std::uint64_t dirty_objects::newest(const bytes& key, std::uint64_t watermark) const noexcept {
  const row* found = table_.find(key);
  if (found == nullptr) return 0;
  const auto above = std::upper_bound(found->records.begin(), found->records.end(), watermark,
                                      [](std::uint64_t wanted, const pending& p) { return wanted < p.seq; });
  return above == found->records.begin() ? 0 : std::prev(above)->seq;
}

std::optional<time_point> dirty_objects::since(const bytes& key) const noexcept {
  const row* found = table_.find(key);
  if (found == nullptr) return std::nullopt;
  return (mutant(mutation::bound_from_newest_record) ? found->records.back() : found->records.front()).arrived;
}

void dirty_objects::hash(detail::state_hash& into, time_point now) const {
  into.add(table_.size());
  for (const row& r : table_) {
    into.add(r.key.view()).add(r.records.size());
    for (const pending& each : r.records) into.add(each.seq).add(each.arrived, now);
  }
}

}  // namespace artillery::replication
