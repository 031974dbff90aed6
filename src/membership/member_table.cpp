#include "membership/member_table.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/assert.hpp"

namespace artillery::membership {
namespace {

bool is_present(member_state state) noexcept {
  return state == member_state::alive || state == member_state::suspect;
}

std::uint64_t fold(const endpoint& at) noexcept {
  std::array<std::uint64_t, 2> words{};
  std::memcpy(words.data(), at.address().data(), sizeof words);
  const std::uint64_t rest = static_cast<std::uint64_t>(at.scope()) << 17U |
                             static_cast<std::uint64_t>(at.port()) << 1U | (at.is_v6() ? 1U : 0U);
  return detail::mix64(words[0] ^ detail::mix64(words[1] ^ detail::mix64(rest)));
}

std::uint64_t fold(std::string_view name) noexcept {
  std::uint64_t folded = name.size();
  for (const char c : name) folded = detail::mix64(folded ^ static_cast<unsigned char>(c));
  return folded;
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
  const address_row* found = addresses_.find(fold(at));
  const member_row* row = found == nullptr ? nullptr : rows_.find(found->owner);
  return row == nullptr || row->facts->at != at ? nullptr : row;
}

member_row& member_table::insert(const node_id& id, const standing& first, std::shared_ptr<const facts> what,
                                 time_point now) {
  ARTILLERY_INVARIANT(what != nullptr);
  member_row& row = rows_.insert({.key = id, .standing = first, .facts = std::move(what), .since = now});
  if (row.present()) appear(row);
  if (first.state != member_state::alive) not_alive_.push_back(id);
  return row;
}

void member_table::erase(const node_id& id) {
  const member_row* row = rows_.find(id);
  if (row == nullptr) return;
  ARTILLERY_INVARIANT(!row->present());
  std::erase(not_alive_, id);
  rows_.erase(id);
}

void member_table::set_standing(member_row& row, const standing& next, time_point now) {
  ARTILLERY_INVARIANT(row.standing < next);
  row.buried = false;
  if (row.present()) vanish(row);
  if (row.standing.state != next.state) row.since = now;
  const bool was_alive = row.standing.state == member_state::alive;
  row.standing = next;
  if (row.present()) appear(row);
  const bool is_alive = next.state == member_state::alive;
  if (was_alive && !is_alive) not_alive_.push_back(row.key);
  if (is_alive && !was_alive) std::erase(not_alive_, row.key);
}

void member_table::set_facts(member_row& row, std::shared_ptr<const facts> what) {
  ARTILLERY_INVARIANT(what != nullptr);
  const bool moves = row.present() && (row.facts->at != what->at || row.facts->name != what->name);
  if (moves) vanish(row);
  row.facts = std::move(what);
  if (moves) appear(row);
}

void member_table::toggle_digest(const member_row& row) noexcept {
  const std::uint32_t part = digest_of(row.name(), row.standing.boot, row.standing.incarnation);
  digest_ ^= part;
  buckets_[bucket_of(row.name())] ^= part;
}

/// Counts a present member in.
void member_table::appear(const member_row& row) {
  ++present_;
  toggle_digest(row);
  const std::uint64_t name = fold(row.facts->name);
  name_row* named = names_.find(name);
  ++(named == nullptr ? names_.insert({.key = name}) : *named).sharing;
  const std::uint64_t at = fold(row.facts->at);
  address_row* found = addresses_.find(at);
  if (found == nullptr) found = &addresses_.insert({.key = at, .owner = row.name()});
  if (found->sharing++ == 0) return;
  const member_row* owner = rows_.find(found->owner);
  if (owner == nullptr || position_of(row) < position_of(*owner)) found->owner = row.name();
}

/// Counts a present member out, before it changes.
void member_table::vanish(const member_row& row) {
  --present_;
  toggle_digest(row);
  const std::uint64_t name = fold(row.facts->name);
  if (--names_.find(name)->sharing == 0) names_.erase(name);
  const std::uint64_t at = fold(row.facts->at);
  address_row* found = addresses_.find(at);
  if (--found->sharing == 0) {
    addresses_.erase(at);
  } else if (found->owner == row.name()) {
    const auto other = std::find_if(rows_.begin(), rows_.end(), [&](const member_row& r) {
      return r.present() && r.key != row.key && fold(r.facts->at) == at;
    });
    ARTILLERY_INVARIANT(other != rows_.end());
    found->owner = other->name();
  }
}

const member_row* member_table::namesake_of(const member_row& row) const noexcept {
  const name_row* named = names_.find(fold(row.facts->name));
  if (named == nullptr || named->sharing < (row.present() ? 2U : 1U)) return nullptr;
  const auto other = std::find_if(rows_.begin(), rows_.end(), [&](const member_row& r) {
    return r.present() && r.key != row.key && r.facts->name == row.facts->name;
  });
  return other == rows_.end() ? nullptr : &*other;
}

template <class Counts>
std::vector<std::size_t> member_table::positions(Counts counts) const {
  std::vector<std::size_t> found;
  for (const node_id& id : not_alive_) {
    const member_row* row = rows_.find(id);
    if (counts(*row)) found.push_back(position_of(*row));
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<const member_row*> member_table::gone_rows() const {
  std::vector<const member_row*> gone;
  for (const std::size_t at : positions([](const member_row& row) { return !row.present(); })) {
    gone.push_back(&rows_[at]);
  }
  return gone;
}

std::vector<const member_row*> member_table::draw_present(std::size_t count, detail::random& random) const {
  return draw(count, positions([](const member_row& row) { return !row.present(); }), random);
}

std::vector<const member_row*> member_table::draw_alive(std::size_t count, const node_id& except,
                                                        detail::random& random) const {
  std::vector<std::size_t> holes = positions([&](const member_row& row) { return row.key != except; });
  if (const member_row* row = rows_.find(except)) {
    const std::size_t at = position_of(*row);
    holes.insert(std::lower_bound(holes.begin(), holes.end(), at), at);
  }
  return draw(count, holes, random);
}

/// The beginning of a Fisher-Yates shuffle of the rows without `holes` (ascending). Only what it moves is written down,
/// so that a draw of three costs no more among thousands.
std::vector<const member_row*> member_table::draw(std::size_t count, const std::vector<std::size_t>& holes,
                                                  detail::random& random) const {
  const std::size_t eligible = rows_.size() - holes.size();
  std::vector<std::pair<std::size_t, std::size_t>> moved;  // place in the list, and which of the eligible lies there
  const auto at = [&](std::size_t place) {
    const auto found = std::find_if(moved.rbegin(), moved.rend(), [&](const auto& m) { return m.first == place; });
    return found == moved.rend() ? place : found->second;
  };
  std::vector<const member_row*> drawn;
  for (std::size_t i = 0; i < std::min(count, eligible); ++i) {
    const auto j = i + static_cast<std::size_t>(random.below(eligible - i));
    std::size_t position = at(j);
    moved.emplace_back(j, at(i));
    for (const std::size_t hole : holes) {
      if (hole > position) break;
      ++position;
    }
    drawn.push_back(&rows_[position]);
  }
  return drawn;
}

void member_table::hash(detail::state_hash& into, time_point now) const {
  into.add(rows_.size());
  for (const member_row& row : rows_) {
    into.add(row.key).add(row.standing.boot).add(row.standing.incarnation).add(row.standing.state);
    into.add(row.facts->at).add(row.facts->events_sent).add(row.announced).add(row.introduced);
    into.add(row.buried).add(row.due).add(row.sent_before);
    row.round_trip.hash(into);
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
          .tags = row.facts->tags,
          .round_trip = row.round_trip.smoothed()};
}

}  // namespace artillery::membership
