#include "replication/repair.hpp"

#include <algorithm>

#include "replication/next_view.hpp"

namespace artillery::replication {

std::optional<view> repair::next_step(const view& now, const chain_health& seen, time_point at) const {
  std::vector<replica_id> failed = seen.failed;
  std::erase(failed, seen.self);
  if (!failed.empty()) {
    if (auto next = without(now, failed, seen.tail_opened)) return next;
  }
  if (now.replicas.size() + now.learners.size() >= wanted_) return std::nullopt;
  for (const member& each : seen.candidates) {
    const bool is_barred = std::find(now.kept_out.begin(), now.kept_out.end(), each.id.node) != now.kept_out.end();
    if (is_barred || kept_out_until(each.id.node, at)) continue;
    if (auto next = with_learner(now, each, seen.tail_opened)) return next;
  }
  return std::nullopt;
}

void repair::followed(const view& before, const view& after, time_point at) {
  // A node that has been in for as long as it could be kept out has a clean record.
  std::erase_if(departures_, [&](const departure& d) { return at - d.last > 2 * readmit_max_; });
  for (const std::vector<member>* list : {&before.replicas, &before.learners}) {
    for (const member& each : *list) {
      if (is_replica(after, each.id) || is_learner(after, each.id)) continue;
      const auto known = std::find_if(departures_.begin(), departures_.end(),
                                      [&](const departure& d) { return d.who == each.id.node; });
      if (known != departures_.end()) {
        *known = {known->who, known->times + 1, at};
        continue;
      }
      if (departures_.size() == remembered_max) departures_.erase(departures_.begin());
      departures_.push_back({each.id.node, 1, at});
    }
  }
}

duration repair::kept_out_for(const departure& of) const noexcept {
  duration pause = readmit_min_;
  for (std::uint32_t i = 1; i < of.times && pause < readmit_max_; ++i) pause *= 2;
  // The first time it may come at once: most nodes that leave do so once.
  return of.times <= 1 ? duration{0} : std::min(pause, readmit_max_);
}

std::optional<time_point> repair::kept_out_until(const node_id& who, time_point at) const noexcept {
  for (const departure& each : departures_) {
    if (each.who != who) continue;
    const time_point until = each.last + kept_out_for(each);
    if (until > at) return until;
  }
  return std::nullopt;
}

void repair::hash(detail::state_hash& into, time_point now) const {
  into.add(departures_.size());
  for (const departure& each : departures_) into.add(each.who).add(each.times).add(each.last, now);
}

}  // namespace artillery::replication
