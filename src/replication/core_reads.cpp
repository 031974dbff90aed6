// Reads: from memory where that is right, else by the tail's watermark (R7 of docs/replication.md).
#include <algorithm>
#include <map>
#include <utility>

#include "replication/core.hpp"
#include "replication/mutant.hpp"

namespace artillery::replication {

void core::read(request_id request, const bytes& key, const consistency& level, const session_token& after,
                std::optional<time_point> deadline, const turn& at) {
  if (key.empty() || key.size() > key_size_max) return at.out.answer(request, errc::invalid_argument, {});
  serve_read({.who = {0, request}, .key = key, .deadline = deadline}, level, after, at);
}

void core::cancel(request_id request) {
  if (mutant(mutation::cancel_ignored)) return;
  queries_.cancel({0, request});
  held_back_.cancel({0, request});
  stills_.cancel({0, request});
}

void core::handle_read(const connection& from, const frame_header& header, const bytes& frame, const turn& at) {
  const auto request = decode_read_request(frame);
  if (!request || accepted_.find(from.number) == nullptr) return malformed(from, at);
  const asker who{from.number, request->request};
  if (position_ != nowhere && header.epoch < epoch()) {
    ++counters_.refused_epoch;
    return refuse_read(who, reply_status::stale_epoch, at);
  }
  heard_of(header.epoch, at);
  if (position_ == nowhere || header.epoch > epoch()) return refuse_read(who, reply_status::not_serving, at);
  const auto key_at = static_cast<std::size_t>(request->key.data() - frame.data());
  serve_read({.who = who, .key = frame.slice(key_at, request->key.size()), .deadline = {}}, request->level,
             request->after, at);
}

void core::serve_read(waiting_read read, const consistency& level, const session_token& after, const turn& at) {
  if (!may_answer()) return refuse_read(read.who, reply_status::not_serving, at);
  if (!after.none() && !is_covered(read, level, after, at)) return;
  const read_note noted = note(serving());
  const stored found = fetch(at.objects, read.key.text());
  const time_point now = mutant(mutation::clock_before_read) ? at.now : at.out.sample_clock();
  local_verdict verdict = replication::check(serving(), noted, found, level, now);
  if (mutant(mutation::always_asks_tail) && !is_tail() && level == strong) verdict = local_verdict::ask;
  if (verdict == local_verdict::answer) {
    count_local_read(level);
    return answer_here(read, noted, found, after, at);
  }
  if (stale_enough(read.key, level, at)) {
    count_local_read(level);
    const stored clean = at.objects.fetch_at(read.key.text(), commit_);
    return answer_read(read.who, reply_status::ok, clean, {{epoch(), commit_}}, true, at);
  }
  const bool is_clean = noted.epoch != 0 && found.version.seq <= serving().commit;
  if (view_.leases == lease_mode::none && is_clean && (level != strong || serving().strong_here)) {
    return settle_read(read.who, found, as_of(noted, found), true, at);
  }
  if (is_tail()) return serve_dirty_at_tail(read, at);
  // Where only the tail answers strong reads, nobody asks it for another.
  if (level == strong && !serving().strong_here) {
    return refuse_read(read.who, reply_status::not_serving, at);
  }
  if (level == strong) ++counters_.dirty_reads;
  const asker who = read.who;
  read.key = read.key.compact();  // it may wait longer than the rest of its frame is worth
  if (!queries_.join(std::move(read), held_back_.size())) {
    ++counters_.refused_busy;
    refuse_read(who, reply_status::busy, at);
  }
}

/// An answer out of this replica's memory. It counts all that the token does, since what the token counts is held.
void core::answer_here(const waiting_read& read, const read_note& noted, const stored& found,
                       const session_token& after, const turn& at) {
  version upto = as_of(noted, found);
  upto.seq = std::max({upto.seq, after.committed().seq, after.seen().seq});
  answer_read(read.who, reply_status::ok, found, {upto, upto.seq <= commit_}, true, at);
}

/// The tail knows no better than itself: its watermark is the answer, if it has the right to tell it (R8).
void core::serve_dirty_at_tail(const waiting_read& read, const turn& at) {
  if (!opening_.exposes()) return refuse_read(read.who, reply_status::not_serving, at);
  const version counted{epoch(), commit_};
  const stored clean = at.objects.fetch_at(read.key.text(), commit_);
  if (view_.leases == lease_mode::none) return settle_read(read.who, clean, counted, true, at);
  const bool may_tell = lease_covers(lease_.until(), duration{0}, at.out.sample_clock());
  answer_read(read.who, may_tell ? reply_status::ok : reply_status::not_serving, clean, {counted}, true, at);
}

/// The answer to a read is found. Where there are leases it is given; without them it waits for one more answer.
void core::settle_read(const asker& who, const stored& found, const version& counted, bool local, const turn& at) {
  if (view_.leases != lease_mode::none) return answer_read(who, reply_status::ok, found, {counted}, local, at);
  if (stills_.size() >= config_.waiting_reads_max) {
    ++counters_.refused_busy;
    return refuse_read(who, reply_status::busy, at);
  }
  stills_.join({.who = who, .found = found, .counted = counted, .local = local});
}

void core::ask_still(const turn& at) {
  const question_id id = next_question_++;
  stills_.asked(id, at.now);
  at.out.ask(authority_renew{id, view_.epoch});
}

void core::still_told(const authority_renewed& told, const turn& at) {
  for (const found_read& read : stills_.answered(told.id)) {
    const reply_status status = told.yes ? reply_status::ok : reply_status::not_serving;
    answer_read(read.who, status, read.found, {read.counted}, read.local, at);
  }
  if (!told.yes && !reading_) ask_newest(at);
}

bool core::stale_enough(const bytes& key, const consistency& level, const turn& at) const {
  const time_point now = at.out.sample_clock();
  if (mutant(mutation::answers_clean_when_dirty)) return true;
  if (level.what() == consistency::kind::bounded_records) {
    return lease_covers(lease_.until(), duration{0}, now) && dirty_.count(key) <= level.records();
  }
  if (level.what() != consistency::kind::bounded_time) return false;
  const duration slack = shrink(level.staleness(), view_.drift_ppm);
  const auto since = dirty_.since(key);
  return lease_covers(lease_.until(), slack, now) && (!since || now - *since < slack);
}

void core::handle_watermark_query(const connection& from, const bytes& frame, const turn& at) {
  const auto query = decode_watermark_query(frame);
  const accepted_link* asking = accepted_.find(from.number);
  if (!query || asking == nullptr || asking->role != link_role::reader || !is_tail()) return malformed(from, at);
  ++counters_.watermark_answers;
  watermark_reply reply{.question = query->question, .status = reply_status::ok, .watermark = commit_};
  // The watermark first, then the right to speak for it.
  // Without leases whoever asks finds out by itself whether this epoch is still in force.
  const bool may_tell =
      view_.leases == lease_mode::none || lease_covers(lease_.until(), duration{0}, at.out.sample_clock());
  if (!opening_.exposes()) reply.status = reply_status::not_serving;
  if (!may_tell && !mutant(mutation::tail_answers_without_lease)) reply.status = reply_status::not_serving;
  encode(scratch_, epoch(), reply);
  send(from.number, at);
}

void core::handle_watermark_reply(const connection& from, const bytes& frame, const turn& at) {
  const auto reply = decode_watermark_reply(frame);
  if (!reply || !has_successor() || from.number != to_tail_.number() || reply->watermark > log_.last_seq()) {
    return malformed(from, at);
  }
  std::map<std::uint64_t, std::size_t> answered_bytes;  // by stream: it hears of its congestion only afterwards
  for (const waiting_read& read : queries_.answered(reply->question)) {
    if (reply->status != reply_status::ok) {
      refuse_read(read.who, reply->status, at);
      continue;
    }
    // Where the own commit has passed the tail's answer, what is older than it may be gone; the newest clean one is
    // newer than any answer to this question had to be, and was committed while the read waited.
    const std::uint64_t watermark = std::max(reply->watermark, commit_);
    const stored found = mutant(mutation::answers_newest_after_query) ? at.objects.fetch(read.key.text())
                                                                      : at.objects.fetch_at(read.key.text(), watermark);
    const std::size_t size = found.value ? found.value->size() : 0;
    std::size_t& answered = answered_bytes[read.who.stream];
    if (read.who.stream != 0 && answered > 0 && answered + size > config_.answer_bytes_max) {
      ++counters_.refused_busy;
      refuse_read(read.who, reply_status::busy, at);
      continue;
    }
    answered += size;
    settle_read(read.who, found, {epoch(), watermark}, false, at);
  }
}

void core::count_local_read(const consistency& level) noexcept {
  ++(level == strong ? counters_.local_reads : counters_.stale_reads);
}

void core::refuse_read(const asker& who, reply_status status, const turn& at) {
  answer_read(who, status, {}, {}, false, at);
}

void core::answer_read(const asker& who, reply_status status, const stored& found, const extent& counted, bool local,
                       const turn& at) {
  const read_result result = result_of(found, counted, local);
  if (who.stream == 0) return at.out.answer(who.request, to_error(status), result);
  encode(scratch_, epoch(),
         read_reply{.request = who.request, .status = status, .result = result, .checksum = found.checksum});
  send(who.stream, at);
}

}  // namespace artillery::replication
