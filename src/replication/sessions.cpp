#include "replication/sessions.hpp"

#include <algorithm>
#include <utility>

#include "replication/mutant.hpp"

namespace artillery::replication {
namespace {

auto place_of(auto& kept, std::uint64_t number) {
  return std::lower_bound(kept.begin(), kept.end(), number,
                          [](const answered& a, std::uint64_t wanted) { return a.number < wanted; });
}

}  // namespace

sessions::lookup sessions::find(std::uint64_t session, std::uint64_t number, std::uint64_t lowest) const {
  const session_row* found = table_.find(session);
  if (found == nullptr) return {finding::unknown_session, {}};
  if (number < found->lowest) return {finding::settled, {}};
  const auto place = place_of(found->kept, number);
  if (place != found->kept.end() && place->number == number) return {finding::known, *place};
  if (number - std::max(found->lowest, lowest) >= results_max_) return {finding::no_room, {}};
  return {finding::fresh, {}};
}

void sessions::apply(const record& next) {
  if (next.what == record::kind::open_session) {
    if (next.number != 0) table_.erase(next.number);
    if (table_.contains(next.session)) return;  // a checkpoint brought it as later records made it
    table_.insert({.key = next.session, .used = next.seq, .lowest = 1, .kept = {}});
    return;
  }
  if (next.what == record::kind::close_session) {
    table_.erase(next.session);
    return;
  }
  session_row* found = table_.find(next.session);
  if (found == nullptr) return;
  found->used = next.seq;
  found->lowest = std::max(found->lowest, next.lowest);
  const bool drops = !mutant(mutation::results_never_dropped);
  while (drops && !found->kept.empty() && found->kept.front().number < found->lowest) found->kept.pop_front();
  const auto place = place_of(found->kept, next.number);
  const bool is_there = place != found->kept.end() && place->number == next.number;
  if (next.number < found->lowest || is_there) return;
  found->kept.insert(place, {next.number, next.seq, next.result});
}

void sessions::restore(session_row row) {
  if (!table_.contains(row.key)) table_.insert(std::move(row));
}

std::optional<std::uint64_t> sessions::idle_longest() const {
  if (table_.size() < sessions_max_) return std::nullopt;
  const auto idle = std::min_element(table_.begin(), table_.end(),
                                     [](const session_row& a, const session_row& b) { return a.used < b.used; });
  return idle->key;
}

std::size_t sessions::results_kept_max() const noexcept {
  std::size_t most = 0;
  for (const session_row& r : table_) most = std::max(most, r.kept.size());
  return most;
}

void sessions::hash(detail::state_hash& into) const {
  into.add(table_.size());
  for (const session_row& r : table_) {
    into.add(r.key).add(r.used).add(r.lowest).add(r.kept.size());
    for (const answered& a : r.kept)
      into.add(a.number).add(a.seq).add(a.result.applied).add(a.result.version.epoch).add(a.result.version.seq);
  }
}

}  // namespace artillery::replication
