#include "replication/backlog.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace artillery::replication {

void backlog::restart(const version& base) {
  *this = {};
  base_ = base;
}

void backlog::push(const record& next) {
  ARTILLERY_INVARIANT(next.seq == last().seq + 1);
  entries_.push_back({next, total_});
  total_ += next.weight();
  weight_ += next.weight();
}

void backlog::drop_to(std::uint64_t seq) {
  while (!entries_.empty() && entries_.front().kept.seq <= seq) {
    base_ = entries_.front().kept.version();
    weight_ -= entries_.front().kept.weight();
    entries_.pop_front();
  }
}

const record& backlog::at(std::uint64_t seq) const {
  ARTILLERY_INVARIANT(holds(seq));
  return entries_[static_cast<std::size_t>(seq - base_.seq - 1)].kept;
}

bool backlog::knows(const version& which) const {
  return which == base_ || (holds(which.seq) && at(which.seq).epoch == which.epoch);
}

std::size_t backlog::weight_up_to(std::uint64_t seq) const {
  if (entries_.empty() || seq >= last().seq) return total_;
  const std::uint64_t first = entries_.front().kept.seq;
  return seq < first ? entries_.front().weight_before
                     : entries_[static_cast<std::size_t>(seq - first + 1)].weight_before;
}

std::size_t backlog::weight_between(std::uint64_t from, std::uint64_t to) const {
  return to <= from ? 0 : weight_up_to(to) - weight_up_to(from);
}

void backlog::hash(detail::state_hash& into) const {
  into.add(base_.epoch).add(base_.seq).add(entries_.size());
  for (const entry& each : entries_) into.add(each.kept.epoch).add(each.kept.session).add(each.kept.number);
}

}  // namespace artillery::replication
