// Learners: fed and promoted by the tail, a checkpoint first, then the log in order (R4, R9 and R11 of
// docs/replication.md). The tail's side first, then the learner's.
#include <algorithm>
#include <iterator>
#include <utility>

#include "base/assert.hpp"
#include "base/crc32c.hpp"
#include "replication/core.hpp"
#include "replication/mutant.hpp"
#include "replication/next_view.hpp"

namespace artillery::replication {
namespace {

constexpr std::size_t candidates_max = 32;
/// A learner that lags no further behind is worth holding commits back for.
constexpr std::uint64_t lag_max = 256;

}  // namespace

// --- who is fed ---

learner_feed* core::feed_of(const replica_id& who) noexcept {
  const auto found = std::find_if(feeds_.begin(), feeds_.end(), [&](const learner_feed& f) { return f.id == who; });
  return found == feeds_.end() ? nullptr : &*found;
}

void core::note_candidate(const hello& peer, time_point now) {
  const bool is_old = std::any_of(candidates_.begin(), candidates_.end(), [&](const candidate& c) {
    return c.who.id.node == peer.from.node && c.who.id.incarnation > peer.from.incarnation;
  });
  if (is_old) return;
  std::erase_if(candidates_, [&](const candidate& c) { return c.who.id.node == peer.from.node; });
  if (candidates_.size() == candidates_max) candidates_.erase(candidates_.begin());
  candidates_.push_back({.who = {peer.from, peer.at}, .heard_at = now});
}

/// A tail's epoch begins. One that was the tail before may go on where its learners stand.
void core::begin_feeding(time_point now) {
  std::vector<learner_feed> before = std::exchange(feeds_, {});
  candidates_.clear();
  for (const member& each : view_.learners) {
    const auto known =
        std::find_if(before.begin(), before.end(), [&](const learner_feed& f) { return f.id == each.id; });
    feeds_.push_back({.id = each.id, .since = now, .sessions = {}, .objects = {}});
    if (known != before.end()) feeds_.back().position = known->position;
  }
  if (keeps_backlog() && backlog_.last() == log_.last()) return;
  // What is not committed yet is kept from its first record on: a learner of the tail before may hold some of it.
  backlog_.restart(log_.dropped());
  for (std::uint64_t seq = log_.dropped().seq + 1; keeps_backlog() && seq <= log_.last_seq(); ++seq) {
    backlog_.push(log_.at(seq).record);
  }
}

void core::stop_feeding() {
  feeds_.clear();
  candidates_.clear();
  backlog_.restart({});
}

void core::handle_position(const connection& from, const bytes& frame, const turn& at) {
  const auto position = decode_position(frame);
  const auto feed =
      std::find_if(feeds_.begin(), feeds_.end(), [&](const learner_feed& f) { return f.stream == from.number; });
  if (!position || feed == feeds_.end() || position->parts > feed->parts_sent) return malformed(from, at);
  feed->parts_taken = position->parts;
  if (feed->state == learner_feed::phase::away) return place(*feed, *position);
  if (feed->state != learner_feed::phase::records || feed->parts_taken < feed->parts_sent) return;
  if (position->last.seq > feed->sent) return malformed(from, at);
  feed->position = std::max(feed->position, position->last.seq);
  feed->synced = std::max(feed->synced, position->synced);
}

/// Where a learner stands that has just come: what follows its last record is here, or it begins anew.
void core::place(learner_feed& feed, const learner_position& stands) const {
  if (!backlog_.knows(stands.last)) {
    feed.state = learner_feed::phase::waits;
    feed.position = 0;
    return;
  }
  feed.state = learner_feed::phase::records;
  feed.sent = stands.last.seq;
  feed.position = stands.last.seq;
  feed.synced = stands.synced;
}

// --- feeding ---

void core::feed_learners(const turn& at) {
  for (learner_feed& feed : feeds_) {
    const bool is_settled = log_.empty() || disk_.on_disk();
    if (feed.state == learner_feed::phase::waits && opening_.commits() && is_settled) begin_checkpoint(feed, at);
    if (feed.state == learner_feed::phase::checkpoint) send_parts(feed, at);
    if (feed.state == learner_feed::phase::records) send_backlog(feed, at);
  }
  if (!feeds_.empty()) trim_backlog(at);
}

void core::begin_checkpoint(learner_feed& feed, const turn& at) {
  ++counters_.checkpoints;
  feed.state = learner_feed::phase::checkpoint;
  if (!mutant(mutation::checkpoint_without_sessions)) feed.sessions = sessions_.rows();
  feed.next_part = 0;
  // With a disk there are records that are not committed yet: they follow. The sessions know of them already, and take
  // them once.
  feed.sent = log_.dropped().seq;
  feed.position = log_.dropped().seq;  // what follows is kept for it
  feed.told = 0;
  ++feed.parts_sent;
  encode(scratch_, epoch(), checkpoint_part{.base = log_.dropped(), .sessions = {}, .objects = {}});
  send(feed.stream, at);
}

checkpoint_part core::next_part(learner_feed& feed, const turn& at) const {
  checkpoint_part part;
  std::size_t weight = 0;
  const auto fill = [&](auto& from, auto& into) {
    while (!from.empty() && into.size() < checkpoint_items_max) {
      weight += weight_of(from.front());
      if (!into.empty() && weight > config_.append_bytes_max) break;
      into.push_back(std::move(from.front()));
      from.pop_front();
    }
  };
  if (!feed.sessions.empty()) {
    part.what = checkpoint_part::stage::sessions;
    fill(feed.sessions, part.sessions);
    return part;
  }
  while (feed.objects.empty() && feed.next_part < at.objects.parts()) {
    std::vector<object> copied = at.objects.copy_part(feed.next_part++, commit_);
    feed.objects.assign(std::make_move_iterator(copied.begin()), std::make_move_iterator(copied.end()));
  }
  part.what = feed.objects.empty() ? checkpoint_part::stage::end : checkpoint_part::stage::objects;
  fill(feed.objects, part.objects);
  return part;
}

void core::send_parts(learner_feed& feed, const turn& at) {
  while (feed.takes_parts()) {
    const checkpoint_part part = next_part(feed, at);
    ++feed.parts_sent;
    encode(scratch_, epoch(), part);
    send(feed.stream, at);
    if (part.what != checkpoint_part::stage::end) continue;
    feed.state = learner_feed::phase::records;
    return;
  }
}

void core::send_backlog(learner_feed& feed, const turn& at) {
  const std::uint64_t last = backlog_.last().seq;
  while (!feed.congested && feed.sent < last &&
         (feed.sent == feed.position || backlog_.weight_between(feed.position, feed.sent) < config_.link_bytes_max)) {
    append_encoder records{scratch_, epoch(), feed.sent + 1};
    while (feed.sent < last && records.count() < append_records_max) {
      const record& next = backlog_.at(feed.sent + 1);
      if (records.count() > 0 && records.size() + next.weight() > config_.append_bytes_max) break;
      records.add(next);
      ++feed.sent;
    }
    records.finish();
    ++counters_.append_frames;
    send(feed.stream, at);
  }
  const std::uint64_t committed = std::min(commit_, feed.sent);
  if (feed.told >= committed || feed.congested) return;
  feed.told = committed;
  encode_committed(scratch_, epoch(), committed);
  send(feed.stream, at);
}

/// R11: what every learner holds is dropped. One that lags too far behind is expelled by the next view, and begins anew
/// after a while, longer each time: never a hole.
void core::trim_backlog(const turn& at) {
  std::uint64_t held = std::min(backlog_.last().seq, commit_);
  learner_feed* slowest = nullptr;
  for (learner_feed& feed : feeds_) {
    if (!feed.has_claim() || feed.position > held) continue;
    held = feed.position;
    slowest = &feed;
  }
  backlog_.drop_to(held);
  if (backlog_.weight() <= config_.backlog_bytes_max || slowest == nullptr) return;
  ++counters_.learners_expelled;
  slowest->lags = true;
  slowest->position = 0;
  if (slowest->stream != 0) drop(connection::stream(slowest->stream), at);
}

// --- promotion ---

bool core::has_caught_up(const learner_feed& feed) const noexcept {
  if (mutant(mutation::learner_not_caught_up)) return feed.stream != 0;
  const bool is_complete = feed.parts_taken == feed.parts_sent || mutant(mutation::checkpoint_counts_early);
  const bool counts_disk = disk_.on_disk() && !mutant(mutation::append_counts_held);
  const std::uint64_t holds = counts_disk ? feed.synced : feed.position;
  return feed.is_fed() && is_complete && holds >= opening_.frozen_last();
}

void core::tend_promotion(const turn& at) {
  if (!managed_ || !is_tail() || proposal_) return;
  if (opening_.is_frozen()) {
    const learner_feed* const feed = promoting_ ? feed_of(*promoting_) : nullptr;
    if (feed != nullptr && has_caught_up(*feed)) {
      if (auto next = with_tail(view_, feed->id, opening_.is_open())) return propose(std::move(*next), at);
    }
    if (feed == nullptr || opening_.frozen_at() + config_.freeze_max <= at.now) thaw(at);
    return;
  }
  if (at.now < promote_at_ || at.now < propose_at_) return;
  for (const learner_feed& feed : feeds_) {
    const bool is_complete = feed.parts_taken == feed.parts_sent || mutant(mutation::checkpoint_counts_early);
    const bool is_near = feed.is_fed() && is_complete && feed.position + lag_max > log_.last_seq();
    if (!is_near && !mutant(mutation::learner_not_caught_up)) continue;
    opening_.freeze(log_.last_seq(), at.now);
    promoting_ = feed.id;
    ++counters_.freezes;
    return tend_promotion(at);
  }
}

// --- as a learner ---

void core::forget_all(const turn& at) {
  log_.restart({});
  sessions_.clear();
  dirty_.clear();
  at.objects.clear();
  commit_ = 0;
  read_back_ = 0;
  is_whole_ = true;
  parts_taken_ = 0;
  keep(kept_nothing{}, at);
  disk_.holds_nothing();
}

void core::handle_checkpoint(const connection& from, const bytes& frame, const turn& at) {
  auto part = decode_checkpoint(frame, config_.value_size_max);
  if (!part || !is_learner() || from.number != to_tail_.number()) return malformed(from, at);
  const bool begins = part->what == checkpoint_part::stage::begin;
  if (begins == !is_whole_) return malformed(from, at);
  ++parts_taken_;
  if (begins) {
    const std::uint64_t parts = parts_taken_;
    forget_all(at);
    parts_taken_ = parts;
    is_whole_ = false;
    checkpoint_base_ = part->base;
    keep(kept_checkpoint{checkpoint_base_}, at);
  }
  if (disk_.on_disk()) keep(kept_part{part->sessions, part->objects}, at);
  for (session_row& row : part->sessions) sessions_.restore(std::move(row));
  for (const object& each : part->objects) {
    if (detail::crc32c(*each.newest.value) != each.newest.checksum) {
      ++counters_.checksum_mismatches;
      return drop(from, at);
    }
    at.objects.apply_committed(each.key.text(), each.newest);
  }
  if (part->what != checkpoint_part::stage::end) return;
  log_.restart(checkpoint_base_);
  commit_ = checkpoint_base_.seq;
  is_whole_ = true;
  keep(kept_whole{}, at);
  disk_.holds(commit_);
}

void core::handle_committed(const connection& from, const bytes& frame, const turn& at) {
  const auto watermark = decode_committed(frame);
  if (!watermark || !is_learner() || from.number != to_tail_.number() || *watermark > log_.last_seq()) {
    return malformed(from, at);
  }
  advance_commit(*watermark, at);
}

void core::report_position(const turn& at) {
  if (!to_tail_.can_send()) return;
  const version last = is_whole_ ? log_.last() : version{};
  const learner_position now{
      .last = last, .parts = parts_taken_, .synced = disk_.on_disk() ? std::min(disk_.synced(), last.seq) : 0};
  if (now.last == reported_.last && now.parts == reported_.parts && now.synced == reported_.synced) return;
  reported_ = now;
  encode(scratch_, epoch(), now);
  send(to_tail_.number(), at);
}

}  // namespace artillery::replication
