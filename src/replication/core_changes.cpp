// Changes of the chain that an operator asks for: the steps that repair would take, or would not.
#include <algorithm>
#include <utility>

#include "replication/core.hpp"
#include "replication/next_view.hpp"

namespace artillery::replication {
namespace {

constexpr std::size_t changes_max = 32;

bool lists_node(const std::vector<member>& members, const node_id& who) noexcept {
  return std::any_of(members.begin(), members.end(), [&](const member& m) { return m.id.node == who; });
}

bool is_kept_out(const view& now, const node_id& who) noexcept {
  return std::find(now.kept_out.begin(), now.kept_out.end(), who) != now.kept_out.end();
}

bool is_done(const view& now, const view_change& what) noexcept {
  switch (what.what) {
    case view_change::kind::add: return lists_node(now.replicas, what.node) || lists_node(now.learners, what.node);
    case view_change::kind::promote: return lists_node(now.replicas, what.node);
    case view_change::kind::remove:
      return !lists_node(now.replicas, what.node) && !lists_node(now.learners, what.node) &&
             is_kept_out(now, what.node);
    case view_change::kind::repair: return true;
  }
  return true;
}

}  // namespace

void core::change(request_id request, const view_change& what, std::optional<time_point> deadline, const turn& at) {
  if (const auto objection = objection_to(what)) return at.out.changed(request, *objection);
  if (changes_.size() == changes_max) return at.out.changed(request, errc::busy);
  changes_.push_back({request, what, deadline});
  propose_at_ = std::min(propose_at_, at.now);
  if (what.what == view_change::kind::promote) promote_at_ = std::min(promote_at_, at.now);
  if (what.what == view_change::kind::repair) {
    next_look_ = at.now;
    repair_.forgive();
  }
  settle_changes(at);
}

void core::forget_change(request_id request) {
  std::erase_if(changes_, [request](const asked_change& each) { return each.request == request; });
}

/// Why nothing can come of it, if that is so already.
std::optional<errc> core::objection_to(const view_change& what) const {
  if (position_ == nowhere || !follows_views()) return errc::not_serving;
  const bool of_node = what.what != view_change::kind::repair;
  if (of_node && what.node.none()) return errc::invalid_argument;
  const bool by_tail = what.what == view_change::kind::add || what.what == view_change::kind::promote;
  if (by_tail && !is_tail()) return errc::not_tail;
  const bool is_last_one = view_.replicas.size() == 1 && lists_node(view_.replicas, what.node);
  if (what.what == view_change::kind::remove && is_last_one) return errc::invalid_argument;
  const bool is_known = lists_node(view_.replicas, what.node) || lists_node(view_.learners, what.node);
  if (what.what == view_change::kind::promote && !is_known) return errc::invalid_argument;
  return std::nullopt;
}

/// Answers those that are done, or can never be. After each step and each new view.
void core::settle_changes(const turn& at) {
  std::vector<asked_change> asked = std::exchange(changes_, {});
  for (const asked_change& each : asked) {
    if (is_done(view_, each.what)) {
      at.out.changed(each.request, {});
    } else if (const auto objection = objection_to(each.what)) {
      at.out.changed(each.request, *objection);
    } else if (each.deadline && *each.deadline <= at.now) {
      at.out.changed(each.request, errc::timed_out);
    } else {
      changes_.push_back(each);
    }
  }
}

/// The step that the oldest of them needs that needs one: promotion is the tail's own.
std::optional<view> core::asked_step() const {
  for (const asked_change& each : changes_) {
    if (each.what.what == view_change::kind::remove) {
      if (auto next = keeping_out(view_, each.what.node, tail_opened_)) return next;
    }
    if (each.what.what != view_change::kind::add) continue;
    const auto asks = std::find_if(candidates_.begin(), candidates_.end(),
                                   [&](const candidate& c) { return c.who.id.node == each.what.node; });
    if (asks == candidates_.end()) continue;
    if (auto next = with_learner(view_, asks->who, tail_opened_)) return next;
  }
  return std::nullopt;
}

std::optional<time_point> core::next_change_deadline() const {
  std::optional<time_point> next;
  for (const asked_change& each : changes_) {
    if (each.deadline) next = next ? std::min(*next, *each.deadline) : each.deadline;
  }
  return next;
}

}  // namespace artillery::replication
