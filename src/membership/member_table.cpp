#include "membership/member_table.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace artillery::membership {
namespace {

bool is_present(member_state state) noexcept {
  return state == member_state::alive || state == member_state::suspect;
}

}  // namespace

std::uint32_t digest_of(short_name name, std::uint64_t boot, std::uint64_t incarnation) noexcept {
  return static_cast<std::uint32_t>(detail::mix64(name.value ^ detail::mix64(boot ^ detail::mix64(incarnation))));
}

std::uint32_t version_of(short_name name, const standing& standing) noexcept {
  const auto state = is_present(standing.state) ? member_state::alive : standing.state;
  return digest_of(name, standing.boot, standing.incarnation) + static_cast<std::uint32_t>(state);
}

const member_row* member_table::present_at(const endpoint& at) const noexcept {
  const auto found = std::find_if(rows_.begin(), rows_.end(),
                                  [&](const member_row& row) { return row.present() && row.facts->at == at; });
  return found == rows_.end() ? nullptr : &*found;
}

member_row& member_table::insert(const node_id& id, const standing& first, std::shared_ptr<const facts> what,
                                 time_point now) {
  ARTILLERY_INVARIANT(what != nullptr);
  member_row& row = rows_.insert({.key = id, .standing = first, .facts = std::move(what), .since = now});
  if (row.present()) {
    ++present_;
    digest_ ^= digest_of(row.name(), first.boot, first.incarnation);
  }
  return row;
}

void member_table::erase(const node_id& id) {
  const member_row* row = rows_.find(id);
  if (row == nullptr) return;
  ARTILLERY_INVARIANT(!row->present());
  rows_.erase(id);
}

void member_table::set_standing(member_row& row, const standing& next, time_point now) {
  ARTILLERY_INVARIANT(row.standing < next);
  if (row.present()) {
    --present_;
    digest_ ^= digest_of(row.name(), row.standing.boot, row.standing.incarnation);
  }
  if (row.standing.state != next.state) row.since = now;
  row.standing = next;
  if (row.present()) {
    ++present_;
    digest_ ^= digest_of(row.name(), next.boot, next.incarnation);
  }
}

void member_table::hash(detail::state_hash& into, time_point now) const {
  into.add(rows_.size());
  for (const member_row& row : rows_) {
    into.add(row.key).add(row.standing.boot).add(row.standing.incarnation).add(row.standing.state);
    into.add(row.facts->at).add(row.facts->events_sent).add(row.announced).add(row.introduced);
    if (!row.present()) into.add(row.since, now);  // of the others nobody asks for how long
  }
}

member to_member(const member_row& row) {
  return {.id = row.key,
          .name = row.facts->name,
          .at = row.facts->at,
          .boot = row.standing.boot,
          .incarnation = row.standing.incarnation,
          .state = row.standing.state,
          .tags = row.facts->tags};
}

}  // namespace artillery::membership
