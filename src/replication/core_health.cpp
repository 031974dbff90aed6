// What calls for another view: neighbours that cannot be reached, those that say of themselves that the authority does
// not answer them, and what others say. Each is a hint; a wrong one costs a reconfiguration.
#include <algorithm>
#include <utility>

#include "replication/core.hpp"

namespace artillery::replication {

// --- what others say ---

void core::heed(outgoing_link& link, peer_hint what, const turn& at) {
  ++counters_.hints;
  if (what == peer_hint::present) link.hurry(at.now);
  if (what != peer_hint::present && link.open()) link.doubt(at.now);
  tend(link, at);
}

void core::hint(const node_id& about, peer_hint what, const turn& at) {
  if (position_ == nowhere) return;
  std::erase(said_to_have_failed_, about);
  std::erase_if(missed_, [&](const accusation& of) { return of.who == about; });
  if (what == peer_hint::failed && follows_views()) note_failed(about);
  if (what == peer_hint::missed && follows_views()) note_missed(about, at);
  if (has_successor() && view_.replicas[position_ + 1].id.node == about) heed(successor_, what, at);
  if (has_successor() && view_.replicas.back().id.node == about) heed(to_tail_, what, at);
  const bool asks = what != peer_hint::present && predecessor_ != 0;
  if (!asks || view_.replicas[position_ - 1].id.node != about) return;
  ++counters_.hints;
  // As if it had let pass the time by which it should have probed this node; now it is asked.
  predecessor_heard_ = std::min(predecessor_heard_, at.now - config_.silence_max);
  encode_bare(scratch_, frame_kind::ping, epoch());
  send(predecessor_, at);
}

void core::note_missed(const node_id& who, const turn& at) {
  const auto is = [&](const member& other) { return other.id.node == who; };
  // No copy is lost with a learner. Of the replicas each is judged by its neighbours alone.
  if (std::any_of(view_.learners.begin(), view_.learners.end(), is)) return note_failed(who);
  if (!has_link_to(who)) return;
  if (missed_.size() < view_replicas_max) missed_.push_back({who, at.now});
  tend_missed(at);  // it may have let earlier probes go unanswered
}

bool core::has_link_to(const node_id& who) const {
  const auto is = [&](const member& other) { return other.id.node == who; };
  if (has_successor() && (is(view_.replicas[position_ + 1]) || is(view_.replicas.back()))) return true;
  return has_predecessor() && is(view_.replicas[position_ - 1]);
}

/// Nothing while it has time left to. Who was cut off and is back says of the others that they failed, and is believed
/// by those that are told: what a neighbour sees itself is better.
std::optional<bool> core::answers(const accusation& missed, time_point now) const {
  const duration patience = config_.failed_after / 4;
  bool is_gone = missed.since + patience <= now;
  const auto hears = [&](const outgoing_link& link, const member& other) {
    if (other.id.node != missed.who) return false;
    if (!link.open() || link.unanswered_for(patience, now)) is_gone = true;
    return link.open() && link.heard_since(missed.since);
  };
  if (has_successor()) {
    if (hears(successor_, view_.replicas[position_ + 1]) || hears(to_tail_, view_.replicas.back())) return true;
  }
  if (has_predecessor() && view_.replicas[position_ - 1].id.node == missed.who) {
    if (predecessor_ != 0 && predecessor_heard_ > missed.since) return true;
    if (predecessor_ == 0 || predecessor_heard_ + config_.silence_max + patience <= now) is_gone = true;
  }
  return is_gone ? std::optional{false} : std::nullopt;
}

void core::tend_missed(const turn& at) {
  std::erase_if(missed_, [&](const accusation& missed) {
    const auto found = answers(missed, at.now);
    if (found == false) note_failed(missed.who);
    return found.has_value();
  });
}

/// A replica that is cut off from the authority alone is reached by its neighbours, answers nothing by itself, and can
/// propose nothing: it tells them.
std::optional<time_point> core::lapse_told_at() const {
  const bool is_leased = follows_views() && position_ != nowhere && view_.leases == lease_mode::timed;
  if (!is_leased || view_.replicas.size() == 1) return std::nullopt;
  return std::max(std::max(lease_.until(), adopted_at_) + config_.failed_after, tell_lapse_at_);
}

void core::tend_lapse(const turn& at) {
  const auto due = lapse_told_at();
  if (!due || at.now < *due) return;
  tell_lapse_at_ = at.now + config_.failed_after / 2;
  encode_bare(scratch_, frame_kind::lapsed, epoch());
  if (predecessor_ != 0) send(predecessor_, at);
  if (has_successor() && successor_.can_send()) send(successor_.number(), at);
}

void core::handle_lapsed(const connection& from, const turn& at) {
  const bool is_successor = has_successor() && from.number == successor_.number();
  if (!is_successor && from.number != predecessor_) return malformed(from, at);
  // Whoever had none itself at that time may be the one who is cut off, or the authority was away from all.
  if (lease_.until() <= at.now || at.now - lease_.held_since() < config_.failed_after) return;
  ++counters_.hints;
  note_failed(view_.replicas[is_successor ? position_ + 1 : position_ - 1].id.node);
}

void core::note_failed(const node_id& who) {
  std::erase(said_to_have_failed_, who);
  if (said_to_have_failed_.size() < view_replicas_max) said_to_have_failed_.push_back(who);
}

// --- what is seen ---

chain_health core::health(time_point now) const {
  chain_health seen{.self = config_.self, .failed = {}, .candidates = {}, .tail_opened = tail_opened_};
  const auto is_over = [&](std::optional<time_point> since) { return since && *since + config_.failed_after <= now; };
  if (has_successor() && is_over(successor_.down_since())) seen.failed.push_back(view_.replicas[position_ + 1].id);
  if (has_successor() && is_over(to_tail_.down_since())) seen.failed.push_back(view_.replicas.back().id);
  if (has_predecessor() && is_over(predecessor_gone_since_)) seen.failed.push_back(view_.replicas[position_ - 1].id);
  const auto is_said = [&](const node_id& who) {
    return std::find(said_to_have_failed_.begin(), said_to_have_failed_.end(), who) != said_to_have_failed_.end();
  };
  for (const std::vector<member>* list : {&view_.replicas, &view_.learners}) {
    for (const member& each : *list) {
      // A node that asks to be fed under another name is no longer what it was.
      const bool began_anew = std::any_of(candidates_.begin(), candidates_.end(), [&](const candidate& c) {
        return c.who.id.node == each.id.node && c.who.id != each.id;
      });
      if (began_anew || is_said(each.id.node)) seen.failed.push_back(each.id);
    }
  }
  for (const learner_feed& feed : feeds_) {
    if (feed.lags || (feed.stream == 0 && is_over(feed.since))) seen.failed.push_back(feed.id);
  }
  for (const candidate& each : candidates_) seen.candidates.push_back(each.who);
  return seen;
}

// --- repair ---

void core::tend_repair(const turn& at) {
  if (!follows_views() || position_ == nowhere) return;
  const bool looks = next_look_ <= at.now;
  if (looks) next_look_ = at.now + config_.failed_after / 4;
  tend_missed(at);
  if (proposal_ || opening_.is_frozen()) return;
  if (!looks && candidates_.empty() && said_to_have_failed_.empty() && changes_.empty()) return;
  std::erase_if(candidates_, [&](const candidate& c) { return c.heard_at + 2 * config_.silence_max <= at.now; });
  if (at.now < propose_at_) return;
  if (auto next = asked_step()) return propose(std::move(*next), at);
  if (auto next = repair_.next_step(view_, health(at.now), at.now)) propose(std::move(*next), at);
}

}  // namespace artillery::replication
