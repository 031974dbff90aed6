// Records down the chain, watermarks up: rules R3 to R5 and R11 of docs/replication.md.
#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "base/crc32c.hpp"
#include "replication/core.hpp"
#include "replication/mutant.hpp"

namespace artillery::replication {

void core::welcomed(outgoing_link& link, const bytes& frame, const turn& at) {
  std::error_code error;
  const auto peer = decode_welcome(frame, cluster_, error);
  if (!peer) return malformed(link.connection(), at);
  const replica_id& expected = &link == &successor_ ? view_.replicas[position_ + 1].id : view_.replicas.back().id;
  const bool other_epoch = peer->epoch != view_.epoch && !mutant(mutation::takes_other_epochs);
  if (peer->chain == config_.chain) heard_of(peer->epoch, at);
  if (peer->status != reply_status::ok || peer->chain != config_.chain || other_epoch ||
      !same_replica(peer->from, expected)) {
    ++counters_.refused_epoch;
    return drop_opened(link, at);
  }
  if (&link == &successor_) return reconcile(*peer, at);
  link.welcomed();
  if (!wants_feed()) return;
  if (!is_whole_) forget_all(at);
  parts_taken_ = 0;
  reported_ = {.last = {}, .parts = static_cast<std::uint64_t>(-1)};  // whatever it is, it is said on this stream
}

void core::reconcile(const welcome& peer, const turn& at) {
  if (!log_.knows(peer.last) || peer.commit > peer.last.seq) {
    // A member that holds what we do not, or lacks what was committed: nothing is overwritten, ever.
    if (!fenced_) at.out.deliver({event::kind::fenced, epoch(), peer.from});
    fenced_ = true;
    return drop_opened(successor_, at);
  }
  fenced_ = false;
  successor_.welcomed();
  told_durable_ = 0;
  const std::uint64_t sent_before = sent_;
  if (!mutant(mutation::no_resend)) sent_ = peer.last.seq;
  if (sent_before > sent_) counters_.resent_records += sent_before - sent_;
  sent_weight_ = 0;
  for (std::uint64_t seq = log_.dropped().seq + 1; seq <= sent_; ++seq) sent_weight_ += log_.at(seq).record.weight();
  advance_commit(peer.commit, at);
}

void core::send_records(const turn& at) {
  while (successor_.can_send() && sent_ < log_.last_seq() && sent_weight_ < config_.link_bytes_max) {
    append_encoder records{scratch_, epoch(), sent_ + 1};
    while (sent_ < log_.last_seq() && records.count() < append_records_max) {
      const record& next = log_.at(sent_ + 1).record;
      if (records.count() > 0 && records.size() + next.weight() > config_.append_bytes_max) break;
      records.add(next);
      sent_weight_ += next.weight();
      ++sent_;
    }
    records.finish();
    ++counters_.append_frames;
    send(successor_.number(), at);
  }
}

bool core::admissible(const record& next) const {
  return std::all_of(next.effects.begin(), next.effects.end(), [](const object_effect& effect) {
    return effect.what == object_effect::kind::erase || detail::crc32c(effect.value) == effect.checksum;
  });
}

void core::handle_append(const connection& from, const bytes& frame, const turn& at) {
  const bool feeds_me = is_learner() && is_whole_ && from.number == to_tail_.number();
  if (from.number != predecessor_ && !feeds_me && !mutant(mutation::no_seq_check)) return malformed(from, at);
  auto records = decode_append(frame, config_.value_size_max);
  if (!records) return malformed(from, at);
  for (record& next : *records) {
    if (!admissible(next)) {
      ++counters_.checksum_mismatches;
      return drop(from, at);
    }
    // R4: in this epoch, from the predecessor, and the very next one. What lacks is sent again over a new link.
    if (!mutant(mutation::no_seq_check) && next.seq != log_.last_seq() + 1) return malformed(from, at);
    if (mutant(mutation::no_seq_check)) next.seq = log_.last_seq() + 1;
    ++counters_.appended_records;
    take(std::move(next), {}, at);
  }
}

void core::take(record next, std::vector<asker> waiting, const turn& at) {
  // R5: only the tail commits, and, once it has opened, at once.
  const bool is_committing_tail = is_tail() && opening_.commits() && !disk_.on_disk();
  const bool commits = is_committing_tail || (mutant(mutation::commit_in_the_middle) && has_predecessor());
  const std::uint64_t seq = next.seq;
  ARTILLERY_INVARIANT(seq == log_.last_seq() + 1);
  if (!mutant(mutation::sessions_at_head_only) || is_head()) sessions_.apply(next);
  if (keeps_backlog()) backlog_.push(next);
  if (disk_.on_disk()) {
    keep(kept_record{next}, at);
    disk_.holds(seq);
  }
  const bool passes = commits && log_.empty();
  apply(next, passes, at);
  if (passes) {
    log_.pass(next.version());
    commit_ = seq;
    for (const asker& who : waiting) answer_record(who, next, at);
    return;
  }
  if (mutant(mutation::commit_before_tail) && is_head()) {
    for (const asker& who : waiting) answer_record(who, next, at);
    waiting.clear();
  }
  log_.append({.record = std::move(next), .arrived = at.now, .waiting = std::move(waiting)});
  if (commits) advance_commit(seq, at);
}

void core::apply(const record& next, bool commits, const turn& at) {
  for (const object_effect& effect : next.effects) {
    stored written{.version = next.version(), .value = {}, .checksum = effect.checksum};
    if (effect.what == object_effect::kind::put) written.value = effect.value;
    // A checkpoint may have brought the object as a later record made it.
    if ((wants_feed() || passive_) && at.objects.fetch(effect.key.text()).version.seq >= next.seq) continue;
    if (commits) {
      at.objects.apply_committed(effect.key.text(), written);
      continue;
    }
    at.objects.apply(effect.key.text(), written);
    // What a learner is given may have been written at any time before.
    constexpr time_point long_ago = time_point{} - consistency::staleness_max / 2;
    dirty_.add(effect.key, next.seq, wants_feed() || passive_ ? long_ago : at.now);
  }
}

void core::handle_ack(const connection& from, const bytes& frame, const turn& at) {
  const auto ack = decode_ack(frame);
  if (!ack || !has_successor() || from.number != successor_.number() || ack->watermark > sent_) {
    return malformed(from, at);
  }
  if (ack->tail_opened) tail_opened_ = true;
  advance_commit(ack->watermark, at);
}

void core::advance_commit(std::uint64_t watermark, const turn& at) {
  if (watermark <= commit_) return;
  ARTILLERY_INVARIANT(watermark <= log_.last_seq());
  progress_at_ = at.now;
  while (commit_ < watermark) {
    const log_entry entry = log_.pop_front();  // R11: the successor holds it, and those behind it do
    ++commit_;
    if (commit_ <= sent_) sent_weight_ -= entry.record.weight();
    // Of an object's records that this watermark commits, the newest speaks for all: it ends every older version.
    for (const object_effect& effect : entry.record.effects) {
      if (mutant(mutation::keeps_old_versions)) continue;
      const std::uint64_t newest = dirty_.newest(effect.key, watermark);
      if (newest != commit_ && !mutant(mutation::drops_version_early)) continue;
      at.objects.commit(effect.key.text(), mutant(mutation::drops_version_early) ? log_.last_seq() : commit_);
      dirty_.commit(effect.key, commit_);
    }
    for (const asker& who : entry.waiting) answer_record(who, entry.record, at);
  }
}

}  // namespace artillery::replication
