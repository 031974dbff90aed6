#include "membership/queries.hpp"

#include <algorithm>

#include "membership/mutant.hpp"

namespace artillery::membership {
namespace {

/// False when it was there already.
bool note(std::vector<node_id>& among, const node_id& who) {
  if (std::find(among.begin(), among.end(), who) != among.end()) return mutant(mutation::answers_counted_twice);
  among.push_back(who);
  return true;
}

}  // namespace

// ---- own ----

void queries::ask(open_query what) {
  open_.push_back(std::move(what));
  if (open_.back().asked == 0) end(open_.size() - 1);
}

void queries::take(std::uint64_t number, const node_id& from, const bytes* payload) {
  const auto found = std::find_if(open_.begin(), open_.end(), [&](const open_query& q) { return q.number == number; });
  if (found == open_.end()) return;
  static_cast<void>(note(found->heard, from));
  if (payload == nullptr || !note(found->answered, from)) return;
  news_.push_back({found->call, answer{from, *payload}});
  if (found->answered.size() >= found->asked) end(static_cast<std::size_t>(found - open_.begin()));
}

void queries::end(std::size_t position) {
  const open_query& q = open_[position];
  news_.push_back({q.call, query_end{q.asked, q.heard.size(), q.answered.size()}});
  open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(position));
}

void queries::end_all() {
  while (!open_.empty()) end(0);
}

// ---- others' ----

bool queries::hear(heard_query what) {
  // A later life of the asker numbers anew.
  std::erase_if(heard_, [&](const heard_query& q) { return q.asker == what.asker && q.boot != what.boot; });
  if (heard_.size() >= queries_heard_max) return false;
  heard_.push_back(std::move(what));
  return true;
}

heard_query* queries::find(const node_id& asker, std::uint64_t number) noexcept {
  const auto found = std::find_if(heard_.begin(), heard_.end(),
                                  [&](const heard_query& q) { return q.asker == asker && q.number == number; });
  return found == heard_.end() ? nullptr : &*found;
}

void queries::forget(const node_id& asker, std::uint64_t number) {
  std::erase_if(heard_, [&](const heard_query& q) { return q.asker == asker && q.number == number; });
}

// ---- time ----

void queries::expire(time_point now) {
  for (std::size_t i = open_.size(); i-- > 0;) {
    if (open_[i].deadline <= now) end(i);
  }
  std::erase_if(heard_, [&](const heard_query& q) { return q.deadline <= now; });
}

std::optional<time_point> queries::next_deadline() const noexcept {
  std::optional<time_point> first;
  const auto consider = [&](time_point when) {
    if (!first || when < *first) first = when;
  };
  for (const open_query& q : open_) consider(q.deadline);
  for (const heard_query& q : heard_) {
    consider(q.deadline);
    if (q.say_at) consider(*q.say_at);
  }
  return first;
}

void queries::hash(detail::state_hash& into, time_point now) const {
  into.add(open_.size()).add(heard_.size()).add(news_.size());
  for (const open_query& q : open_) {
    into.add(q.number).add(q.deadline, now).add(q.asked).add(q.heard.size()).add(q.answered.size());
    for (const node_id& id : q.heard) into.add(id);
    for (const node_id& id : q.answered) into.add(id);
  }
  for (const heard_query& q : heard_) {
    into.add(q.asker).add(q.boot).add(q.number).add(q.deadline, now).add(q.answer.has_value());
    into.add(q.say_at.has_value());
    if (q.say_at) into.add(*q.say_at, now);
  }
}

}  // namespace artillery::membership
