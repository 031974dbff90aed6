#include "replication/lease.hpp"

#include <algorithm>
#include <chrono>

#include "replication/mutant.hpp"

namespace artillery::replication {

namespace {

/// However short a lease is, it is not asked for more often.
constexpr duration pause_min = std::chrono::milliseconds{1};

}  // namespace

void lease::hold(time_point asked_at, duration length) noexcept {
  held_since_ = asked_at;
  until_ = length >= time_point::max() - asked_at ? time_point::max() : asked_at + length;
}

void lease::asked(question_id id, time_point at, duration length) {
  // Two further questions may be lost before it ends.
  next_question_ = at + std::max<duration>(length / 3, pause_min);
  if (open_.size() == questions_max) open_.erase(open_.begin());
  open_.push_back({id, at});
}

void lease::granted(question_id id, duration length, time_point now) {
  const auto found = std::find_if(open_.begin(), open_.end(), [id](const question& q) { return q.id == id; });
  if (found == open_.end()) return;
  time_point from = found->at;
  if (mutant(mutation::lease_from_answer)) from = now;
  if (mutant(mutation::renewal_of_later_question)) from = open_.back().at;
  if (until_ <= now) held_since_ = now;
  until_ = std::max(until_, from + length);
  open_.erase(open_.begin(), found + 1);
}

bool lease::awaits(question_id id) const noexcept {
  return std::any_of(open_.begin(), open_.end(), [id](const question& q) { return q.id == id; });
}

void lease::hash(detail::state_hash& into, time_point now) const {
  into.add(until_, now).add(held_since_, now).add(next_question_, now);
  if (into.is_coarse()) return;  // a question that nobody will answer is as good as none
  into.add(open_.size());
  for (const question& each : open_) into.add(each.id).add(each.at, now);
}

}  // namespace artillery::replication
