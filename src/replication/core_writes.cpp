// Writes at the head: evaluated against its newest state, exactly once (R10 of docs/replication.md).
#include <utility>

#include "base/crc32c.hpp"
#include "replication/core.hpp"
#include "replication/mutant.hpp"

namespace artillery::replication {
namespace {

bool holds(const condition& when, const stored& newest) noexcept {
  switch (when.what()) {
    case condition::kind::always: return true;
    case condition::kind::if_absent: return !newest.value.has_value();
    case condition::kind::if_version:
      if (mutant(mutation::versions_by_seq)) return newest.value && newest.version.seq == when.expected().seq;
      return newest.value.has_value() && newest.version == when.expected();
  }
  return false;
}

}  // namespace

void core::handle_write(const connection& from, const frame_header& header, const bytes& frame, const turn& at) {
  auto request = decode_write_request(frame);
  if (!request || accepted_.find(from.number) == nullptr) return malformed(from, at);
  const asker who{from.number, request->request};
  heard_of(header.epoch, at);
  if (header.epoch > epoch() || position_ == nowhere) return answer_write(who, reply_status::not_serving, {}, at);
  if (header.epoch < epoch()) {
    ++counters_.refused_epoch;
    return answer_write(who, reply_status::stale_epoch, {}, at);
  }
  if (!is_head()) return answer_write(who, reply_status::not_head, {}, at);
  switch (request->what) {
    case write_request::kind::open_session: return open_session(who, at);
    case write_request::kind::close_session: return close_session(who, request->session, at);
    case write_request::kind::put:
      if (request->value.size() > config_.value_size_max) return answer_write(who, reply_status::too_large, {}, at);
      if (detail::crc32c(request->value) != request->checksum) {
        ++counters_.checksum_mismatches;
        return drop(from, at);
      }
      break;
    case write_request::kind::erase: break;
  }
  write_object(who, std::move(*request), at);
}

void core::write_object(const asker& who, write_request request, const turn& at) {
  sessions::lookup earlier = sessions_.find(request.session, request.number, request.lowest);
  if (earlier.what == sessions::finding::known &&
      (mutant(mutation::dedup_off) || (mutant(mutation::dedup_committed_only) && earlier.found.seq > commit_))) {
    earlier.what = sessions::finding::fresh;
  }
  switch (earlier.what) {
    case sessions::finding::unknown_session: return answer_write(who, reply_status::unknown_session, {}, at);
    case sessions::finding::settled: ++counters_.duplicate_writes; return;  // nobody waits for an answer
    case sessions::finding::no_room: return answer_write(who, reply_status::busy, {}, at);
    case sessions::finding::known:
      ++counters_.duplicate_writes;
      if (earlier.found.seq > commit_) return log_.attach(earlier.found.seq, who);
      return answer_write(who, reply_status::ok, earlier.found.result, at);
    case sessions::finding::fresh: break;
  }
  record next = evaluate(std::move(request), at);
  if (!next.result.applied) ++counters_.failed_conditions;
  if (mutant(mutation::failed_condition_not_recorded) && !next.result.applied) {
    return answer_write(who, reply_status::ok, next.result, at);
  }
  if (!window_takes(next)) {
    ++counters_.refused_busy;
    return answer_write(who, reply_status::busy, {}, at);
  }
  ++counters_.writes;
  take(std::move(next), {who}, at);
}

record core::evaluate(write_request request, const turn& at) const {
  const std::string_view key = request.key.text();
  const stored newest =
      mutant(mutation::cas_on_stale_state) ? at.objects.fetch_at(key, commit_) : at.objects.fetch(key);
  record next{.what = record::kind::write,
              .seq = log_.last_seq() + 1,
              .epoch = epoch(),
              .session = request.session,
              .number = request.number,
              .lowest = request.lowest,
              .result = {.applied = holds(request.when, newest), .version = {}},
              .effects = {}};
  if (!next.result.applied) {
    next.result.version = newest.value ? newest.version : version{};
    return next;
  }
  next.result.version = next.version();
  if (request.what == write_request::kind::put) {
    next.effects.push_back(
        {object_effect::kind::put, std::move(request.key), std::move(request.value), request.checksum});
  } else if (newest.value) {
    next.effects.push_back({object_effect::kind::erase, std::move(request.key), {}, 0});
  }
  return next;
}

bool core::window_takes(const record& next) const noexcept {
  if (mutant(mutation::no_window)) return true;
  // A place in an epoch that a restart would not know of could be given twice.
  if (is_short_of_replicas() || !disk_.knows_epoch()) return false;
  return log_.empty() || log_.weight() + next.weight() <= config_.window_bytes_max;
}

/// Not a count: a chain that begins anew counts from the start again, and would take a client of its last life for one
/// of this.
std::uint64_t core::draw_session() {
  std::uint64_t drawn = random_.next();
  while (drawn == 0 || sessions_.contains(drawn)) drawn = random_.next();
  return drawn;
}

void core::open_session(const asker& who, const turn& at) {
  record next{.what = record::kind::open_session,
              .seq = log_.last_seq() + 1,
              .epoch = epoch(),
              .session = draw_session(),
              .number = sessions_.idle_longest().value_or(0),
              .lowest = 0,
              .result = {},
              .effects = {}};
  next.result = {.applied = true, .version = next.version()};
  if (!window_takes(next)) return answer_write(who, reply_status::busy, {}, at);
  take(std::move(next), {who}, at);
}

void core::close_session(const asker& who, std::uint64_t session, const turn& at) {
  if (!sessions_.contains(session)) return answer_write(who, reply_status::unknown_session, {}, at);
  record next{.what = record::kind::close_session,
              .seq = log_.last_seq() + 1,
              .epoch = epoch(),
              .session = session,
              .number = 0,
              .lowest = 0,
              .result = {},
              .effects = {}};
  next.result = {.applied = true, .version = next.version()};
  if (!window_takes(next)) return answer_write(who, reply_status::busy, {}, at);
  take(std::move(next), {who}, at);
}

void core::answer_record(const asker& who, const record& done, const turn& at) {
  encode(scratch_, epoch(),
         write_reply{.request = who.request,
                     .status = reply_status::ok,
                     .result = done.result,
                     .session = done.what == record::kind::open_session ? done.session : 0});
  send(who.stream, at);
}

void core::answer_write(const asker& who, reply_status status, const write_result& result, const turn& at) {
  encode(scratch_, epoch(), write_reply{.request = who.request, .status = status, .result = result, .session = 0});
  send(who.stream, at);
}

}  // namespace artillery::replication
