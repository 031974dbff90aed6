#include "replication/next_view.hpp"

#include <algorithm>

#include "replication/mutant.hpp"

namespace artillery::replication {
namespace {

bool lists(const std::vector<member>& members, const replica_id& who) noexcept {
  return std::any_of(members.begin(), members.end(), [&](const member& m) { return m.id == who; });
}

/// `next`, whose replicas and learners are as they will be, with its epoch and readers.
std::optional<view> step(const view& now, view next, bool tail_opened) {
  next.epoch = now.epoch + 1;
  std::vector<replica_id> readers = now.readers;
  if (tail_opened || mutant(mutation::readers_left_out)) {
    readers.clear();
    for (const member& each : now.replicas) readers.push_back(each.id);
  }
  for (const member& each : next.replicas) {
    if (std::find(readers.begin(), readers.end(), each.id) == readers.end()) readers.push_back(each.id);
  }
  const bool fits = readers.size() <= view_replicas_max && next.replicas.size() <= view_replicas_max &&
                    next.learners.size() <= view_replicas_max && next.kept_out.size() <= view_replicas_max;
  if (next.replicas.empty() || !fits) return std::nullopt;
  next.readers = std::move(readers);
  return next;
}

}  // namespace

bool is_replica(const view& now, const replica_id& who) noexcept {
  return lists(now.replicas, who);
}

bool is_learner(const view& now, const replica_id& who) noexcept {
  return lists(now.learners, who);
}

std::optional<view> without(const view& now, std::span<const replica_id> gone, bool tail_opened) {
  view next = now;
  const auto is_gone = [&](const member& m) { return std::find(gone.begin(), gone.end(), m.id) != gone.end(); };
  const std::size_t left_out = std::erase_if(next.replicas, is_gone) + std::erase_if(next.learners, is_gone);
  if (left_out == 0) return std::nullopt;
  return step(now, std::move(next), tail_opened);
}

std::optional<view> alone(const view& now, const member& who) {
  if (!is_replica(now, who.id) && !mutant(mutation::reopens_when_dropped)) return std::nullopt;
  view next = now;
  next.learners.clear();
  next.replicas = {who};
  return step(now, std::move(next), false);
}

std::optional<view> keeping_out(const view& now, const node_id& who, bool tail_opened) {
  view next = now;
  const auto is_gone = [&](const member& m) { return m.id.node == who; };
  std::erase_if(next.replicas, is_gone);
  std::erase_if(next.learners, is_gone);
  if (std::find(next.kept_out.begin(), next.kept_out.end(), who) == next.kept_out.end()) next.kept_out.push_back(who);
  return next == now ? std::nullopt : step(now, std::move(next), tail_opened);
}

std::optional<view> with_tail(const view& now, const replica_id& learner, bool tail_opened) {
  view next = now;
  const auto found =
      std::find_if(next.learners.begin(), next.learners.end(), [&](const member& m) { return m.id == learner; });
  if (found == next.learners.end()) return std::nullopt;
  next.replicas.push_back(*found);
  next.learners.erase(found);
  return step(now, std::move(next), tail_opened);
}

std::optional<view> with_learner(const view& now, const member& who, bool tail_opened) {
  const auto same_node = [&](const member& m) { return m.id.node == who.id.node; };
  const bool is_there = std::any_of(now.replicas.begin(), now.replicas.end(), same_node) ||
                        std::any_of(now.learners.begin(), now.learners.end(), same_node);
  if (is_there || who.at.none() || who.id.node.none()) return std::nullopt;
  view next = now;
  next.learners.push_back(who);
  std::erase(next.kept_out, who.id.node);
  return step(now, std::move(next), tail_opened);
}

}  // namespace artillery::replication
