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
  if (peer->status != reply_status::ok || peer->chain != config_.chain || peer->epoch != epoch() ||
      !same_replica(peer->from, expected)) {
    ++counters_.refused_epoch;
    return drop_opened(link, at);
  }
  if (&link == &successor_) return reconcile(*peer, at);
  link.welcomed();
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
  if (from.number != predecessor_ && !mutant(mutation::no_seq_check)) return malformed(from, at);
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
  // R5: only the tail commits, and it does so at once.
  const bool commits = is_tail() || (mutant(mutation::commit_in_the_middle) && has_predecessor());
  const std::uint64_t seq = next.seq;
  ARTILLERY_INVARIANT(seq == log_.last_seq() + 1);
  if (!mutant(mutation::sessions_at_head_only) || is_head()) sessions_.apply(next);
  for (const object_effect& effect : next.effects) {
    stored written{.version = next.version(), .value = {}, .checksum = effect.checksum};
    if (effect.what == object_effect::kind::put) written.value = effect.value;
    if (commits) {
      at.objects.apply_committed(effect.key.text(), written);
    } else {
      at.objects.apply(effect.key.text(), written);
      dirty_.add(effect.key, seq, at.now);
    }
  }
  if (commits) {
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
}

void core::handle_ack(const connection& from, const bytes& frame, const turn& at) {
  const auto watermark = decode_ack(frame);
  if (!watermark || !has_successor() || from.number != successor_.number() || *watermark > sent_) {
    return malformed(from, at);
  }
  advance_commit(*watermark, at);
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
