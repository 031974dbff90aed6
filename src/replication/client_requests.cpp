// A client's operations: queued, sent, tried again, given up.
#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "base/crc32c.hpp"
#include "replication/client_core.hpp"
#include "replication/mutant.hpp"

namespace artillery::replication {
namespace {

/// An attempt lasts longer each time, up to this many doublings: a chain that has stopped is not helped by repetition.
constexpr std::uint32_t attempt_doublings_max = 4;

/// What a write counts among the bytes in flight: its bytes, and those of the frame around it.
std::size_t weight_of(const write& what) noexcept {
  constexpr std::size_t overhead = 128;
  return what.key.size() + what.value.size() + overhead;
}

}  // namespace

// --- the user's calls ---

void client_core::read(request_id request, const bytes& key, const consistency& level, const routing& where,
                       const session_token& after, std::optional<time_point> deadline, time_point now,
                       client_effects& out) {
  if (key.empty() || key.size() > key_size_max) return out.answer(request, errc::invalid_argument, read_result{});
  if (queued_ >= config_.queue_max) return out.answer(request, errc::would_overflow, read_result{});
  operation op;
  op.key = request;
  op.is_read = true;
  op.object = key;
  op.level = level;
  op.where = where;
  op.after = after;
  op.deadline = deadline;
  submit(std::move(op), now, out);
}

void client_core::write(request_id request, const replication::write& what, std::optional<time_point> deadline,
                        time_point now, client_effects& out) {
  if (what.key.empty() || what.key.size() > key_size_max) {
    return out.answer(request, errc::invalid_argument, write_result{});
  }
  if (what.value.size() > config_.value_size_max) return out.answer(request, errc::too_large, write_result{});
  if (queued_ >= config_.queue_max) return out.answer(request, errc::would_overflow, write_result{});
  operation op;
  op.key = request;
  op.object = what.key;
  op.what = what;
  op.checksum = detail::crc32c(what.value);
  op.deadline = deadline;
  submit(std::move(op), now, out);
}

void client_core::submit(operation op, time_point now, client_effects& out) {
  ARTILLERY_INVARIANT(op.key != session_request && !operations_.contains(op.key));
  op.rest = detail::backoff{{config_.retry_min, config_.retry_max}};
  ++queued_;
  (op.is_read ? read_queue_ : write_queue_).push_back(op.key);
  operation& kept = operations_.insert(std::move(op));
  if (kept.deadline) arm(kept, *kept.deadline);
  pump(now, out);
}

void client_core::cancel(request_id request, time_point now, client_effects& out) {
  finish(request);
  pump(now, out);
}

// --- sending ---

void client_core::pump(time_point now, client_effects& out) {
  pump_reads(now, out);
  pump_writes(now, out);
}

void client_core::pump_reads(time_point now, client_effects& out) {
  if (view_.epoch == 0) return;
  while (!read_queue_.empty() && reads_in_flight_ < config_.reads_in_flight_max) {
    operation* op = operations_.find(read_queue_.front());
    read_queue_.pop_front();
    if (op == nullptr || op->state != phase::queued) continue;
    --queued_;
    ++reads_in_flight_;
    send_read(*op, now, out);
  }
}

bool client_core::has_room(const operation& write) const noexcept {
  return write_bytes_in_flight_ == 0 ||
         write_bytes_in_flight_ + weight_of(write.what) <= config_.write_bytes_in_flight_max;
}

void client_core::become(operation& op, phase next) noexcept {
  if (!op.is_read && op.state == phase::sent) write_bytes_in_flight_ -= weight_of(op.what);
  if (!op.is_read && next == phase::sent) write_bytes_in_flight_ += weight_of(op.what);
  op.state = next;
}

void client_core::pump_writes(time_point now, client_effects& out) {
  // First, and whatever else waits: `next_deadline` counts on it.
  if (!write_queue_.empty() && session_state_ != session_state::open) open_session(now, out);
  while (!unsent_.empty()) {
    operation* op = operations_.find(unsent_.front());
    const bool waits = op != nullptr && !op->is_read && op->state == phase::parked;
    if (waits && !has_room(*op)) return;
    unsent_.pop_front();
    if (waits) send_write(*op, now, out);
  }
  if (write_queue_.empty() || session_state_ != session_state::open) return;
  while (!write_queue_.empty() && head()->link.can_send() && next_number_ - lowest_ < config_.writes_in_flight_max) {
    operation* op = operations_.find(write_queue_.front());
    const bool waits = op != nullptr && op->state == phase::queued;
    if (waits && !has_room(*op)) return;
    write_queue_.pop_front();
    if (!waits) continue;
    --queued_;
    ++writes_in_flight_;
    op->session = session_;
    op->number = next_number_++;
    settled_.push_back(false);
    send_write(*op, now, out);
  }
}

client_core::peer* client_core::route(const operation& op) {
  if (view_.epoch == 0) return nullptr;
  if (op.only_head_knows) return head()->link.can_send() ? head() : nullptr;
  if (op.level == strong && view_.reads == read_mode::tail_only) {
    peer& tail = peers_[view_.replicas.size() - 1];
    return tail.link.can_send() ? &tail : nullptr;
  }
  const auto usable = [&](const peer& each) {
    const bool asked_for = op.where.what() != routing::kind::replica || each.node == op.where.node();
    return each.link.can_send() && asked_for && !each.node.none();
  };
  auto count = static_cast<std::size_t>(std::count_if(peers_.begin(), peers_.end(), usable));
  // Another one than last time, if there is one.
  const peer* last = op.attempts > 0 && count > 1 ? peer_of(op.stream) : nullptr;
  if (last != nullptr && usable(*last)) {
    --count;
  } else {
    last = nullptr;
  }
  if (count == 0) return nullptr;
  std::size_t chosen = 0;
  if (op.where.what() == routing::kind::round_robin) {
    chosen = next_turn_++ % count;
  } else if (count > 1) {
    chosen = static_cast<std::size_t>(random_.below(count));
  }
  for (peer& each : peers_) {
    if (&each == last || !usable(each)) continue;
    if (chosen-- == 0) return &each;
  }
  return nullptr;
}

/// It asks for a replica that the view does not have, and the view may change.
bool client_core::is_unlisted(const operation& op) const noexcept {
  if (op.where.what() != routing::kind::replica || view_.epoch == 0 || view_.leases == lease_mode::endless)
    return false;
  return std::none_of(view_.replicas.begin(), view_.replicas.end(),
                      [&](const member& m) { return m.id.node == op.where.node(); });
}

void client_core::send_read(operation& op, time_point now, client_effects& out) {
  peer* to = route(op);
  if (to == nullptr) {
    op.state = phase::parked;
    if (!is_unlisted(op)) return;
    // It may have joined since; nobody says so to a client that has nothing to ask of others.
    doubt_view(now, out);
    op.state = phase::resting;
    return arm(op, now + op.rest.next(random_));
  }
  sent(op, *to, now);
  encode(scratch_, view_.epoch,
         read_request{.request = op.key, .level = op.level, .after = op.after, .key = op.object});
  send(*to, out);
}

void client_core::send_write(operation& op, time_point now, client_effects& out) {
  peer* to = head();
  become(op, phase::parked);
  if (to == nullptr || !to->link.can_send()) return;
  if (!has_room(op)) return unsent_.push_back(op.key);
  sent(op, *to, now);
  if (mutant(mutation::retry_is_new_request) && op.attempts > 1 && op.session == session_) {
    settle(op.session, op.number);
    op.number = next_number_++;
    settled_.push_back(false);
  }
  const std::uint64_t lowest = op.session == session_ ? lowest_ : op.number;
  write_request request{
      .request = op.key,
      .what = op.what.what == write::kind::put ? write_request::kind::put : write_request::kind::erase,
      .session = op.session,
      .number = op.number,
      .lowest = lowest,
      .when = op.what.when,
      .key = op.object,
      .value = op.what.value,
      .checksum = op.checksum};
  encode(scratch_, view_.epoch, request);
  send(*to, out);
}

void client_core::sent(operation& op, const peer& to, time_point now) {
  if (op.attempts > 0) ++counters_.retries;
  become(op, phase::sent);
  op.stream = to.link.number();
  const duration patience = config_.attempt_timeout * (1 << std::min(op.attempts, attempt_doublings_max));
  ++op.attempts;
  arm(op, now + patience);
}

// --- answers ---

void client_core::read_answered(peer& from, const bytes& frame, time_point now, client_effects& out) {
  const auto reply = decode_read_reply(frame);
  if (!reply) return malformed(from, now, out);
  operation* op = operations_.find(reply->request);
  if (op == nullptr || !op->is_read) return;  // answered already, by an earlier attempt
  if (reply->result.found() && detail::crc32c(*reply->result.value) != reply->checksum) {
    ++counters_.checksum_mismatches;
    return drop(from, now, out);
  }
  if (reply->status != reply_status::ok) return refused(*op, reply->status, from, now, out);
  ++counters_.reads;
  doubts_view_ = false;
  if (reply->result.local) ++counters_.local_reads;
  finish(reply->request);
  out.answer(reply->request, {}, reply->result);
  pump(now, out);
}

void client_core::write_answered(peer& from, const bytes& frame, time_point now, client_effects& out) {
  const auto reply = decode_write_reply(frame);
  if (!reply) return malformed(from, now, out);
  if (reply->request == session_request) {
    if (&from != head()) return;
    if (reply->status == reply_status::stale_epoch || reply->status == reply_status::not_head) ask_view(from, out);
    session_answered(*reply, now);
    return pump(now, out);
  }
  operation* op = operations_.find(reply->request);
  if (op == nullptr || op->is_read) return;
  if (reply->status != reply_status::ok) return refused(*op, reply->status, from, now, out);
  ++counters_.writes;
  doubts_view_ = false;
  session_rest_.reset();
  finish(reply->request);
  out.answer(reply->request, {}, reply->result);
  pump(now, out);
}

void client_core::refused(operation& op, reply_status status, const peer& from, time_point now, client_effects& out) {
  switch (status) {
    case reply_status::too_large:
    case reply_status::invalid:
    case reply_status::token_void: {
      // Every attempt is told so; of a write none was taken.
      const request_id request = op.key;
      const bool is_read = op.is_read;
      finish(request);
      if (is_read) {
        out.answer(request, to_error(status), read_result{});
      } else {
        out.answer(request, to_error(status), write_result{});
      }
      return pump(now, out);
    }
    case reply_status::unknown_session:
      // Of one that is queued again the answer says nothing: it was to an attempt in an earlier session.
      if (!op.is_read && op.number != 0) return session_gone(op, now, out);
      break;
    case reply_status::busy: ++counters_.refused_busy; break;
    case reply_status::not_head:
      if (op.is_read) return only_head_knows(op, now, out);
      [[fallthrough]];
    default:
      // Where only the tail answers, the head has just said that the token is not void.
      op.only_head_knows = false;
      ask_view(from, out);
      doubt_view(now, out);
      break;
  }
  // Whatever it says, it says of this attempt only; an earlier one may still be taken.
  if (op.state != phase::sent) return;
  become(op, phase::resting);
  arm(op, now + op.rest.next(random_));
}

/// Its token has seen what was not committed in an earlier epoch; a read that names a replica goes nowhere else.
void client_core::only_head_knows(operation& op, time_point now, client_effects& out) {
  if (op.where.what() == routing::kind::replica) {
    const request_id request = op.key;
    finish(request);
    out.answer(request, errc::not_head, read_result{});
    return pump(now, out);
  }
  op.only_head_knows = true;
  if (op.state == phase::sent) send_read(op, now, out);
}

void client_core::session_gone(operation& op, time_point now, client_effects& out) {
  if (op.session == session_ && session_state_ == session_state::open) {
    session_state_ = session_state::none;
    // More clients than sessions end each other's: longer and longer pauses let one come to its writes.
    session_act_at_ = now + session_rest_.next(random_);
  }
  // More than one attempt: an earlier one may have been taken before the session ended, and nobody can tell any more.
  if (op.attempts > 1 && !mutant(mutation::resends_after_session)) {
    ++counters_.outcomes_unknown;
    const request_id request = op.key;
    finish(request);
    out.answer(request, errc::outcome_unknown, write_result{});
    return pump(now, out);
  }
  op.number = 0;
  op.attempts = 0;
  become(op, phase::queued);
  --writes_in_flight_;
  ++queued_;
  write_queue_.push_front(op.key);
  pump(now, out);
}

// --- time and trouble ---

void client_core::requeue(operation& op) {
  if (!op.is_read) {
    become(op, phase::parked);  // until the head's link opens again
    return;
  }
  op.state = phase::queued;
  --reads_in_flight_;
  ++queued_;
  read_queue_.push_front(op.key);
}

void client_core::unpark(time_point now, client_effects& out) {
  unsent_.clear();
  std::vector<operation*> writes;
  for (operation& op : operations_) {
    if (op.state != phase::parked) continue;
    if (op.is_read) {
      requeue(op);
    } else {
      writes.push_back(&op);
    }
  }
  std::sort(writes.begin(), writes.end(), [](const operation* a, const operation* b) { return a->number < b->number; });
  for (operation* op : writes) send_write(*op, now, out);
  pump(now, out);
}

void client_core::act(operation& op, time_point now, client_effects& out) {
  if (op.deadline && *op.deadline <= now) return give_up(op, out);
  if (op.act_at > now || (op.state != phase::sent && op.state != phase::resting)) return;
  if (op.state == phase::sent) doubt_view(now, out);
  if (op.is_read) return send_read(op, now, out);
  send_write(op, now, out);
}

void client_core::arm(operation& op, time_point when) {
  const auto later = [](const alarm& a, const alarm& b) { return a.when > b.when; };
  constexpr std::size_t slack = 64;
  if (alarms_.size() > 4 * operations_.size() + slack) {
    // Each operation needs its deadline and the time it acts at; all other alarms are of what is over.
    alarms_.clear();
    for (const operation& each : operations_) {
      if (each.deadline) alarms_.push_back({*each.deadline, each.key});
      if (each.act_at != time_point::max()) alarms_.push_back({each.act_at, each.key});
    }
    std::make_heap(alarms_.begin(), alarms_.end(), later);
  }
  if (!op.deadline || when != *op.deadline) op.act_at = when;
  alarms_.push_back({when, op.key});
  std::push_heap(alarms_.begin(), alarms_.end(), later);
}

void client_core::give_up(operation& op, client_effects& out) {
  const request_id request = op.key;
  const bool is_read = op.is_read;
  const bool may_have_happened = op.number != 0 && !mutant(mutation::unknown_said_as_failed);
  finish(request);
  ++(may_have_happened ? counters_.outcomes_unknown : counters_.timed_out);
  if (is_read) return out.answer(request, errc::timed_out, read_result{});
  out.answer(request, may_have_happened ? errc::outcome_unknown : errc::timed_out, write_result{});
}

void client_core::finish(request_id request) {
  operation* op = operations_.find(request);
  if (op == nullptr) return;
  if (op->state == phase::queued) {
    --queued_;
  } else {
    --(op->is_read ? reads_in_flight_ : writes_in_flight_);
    become(*op, phase::resting);  // no longer in flight
  }
  if (op->number != 0) settle(op->session, op->number);
  const bool is_read = op->is_read;
  operations_.erase(request);
  tidy(is_read ? read_queue_ : write_queue_, is_read);
}

void client_core::settle(std::uint64_t session, std::uint64_t number) {
  if (session != session_ || number < lowest_) return;
  settled_[static_cast<std::size_t>(number - lowest_)] = true;
  while (!settled_.empty() && settled_.front()) {
    settled_.pop_front();
    ++lowest_;
  }
}

void client_core::tidy(std::deque<request_id>& queue, bool of_reads) {
  constexpr std::size_t slack = 64;
  if (queue.size() <= 2 * queued_ + slack) return;
  std::erase_if(queue, [&](request_id request) {
    const operation* op = operations_.find(request);
    return op == nullptr || op->state != phase::queued || op->is_read != of_reads;
  });
}

}  // namespace artillery::replication
