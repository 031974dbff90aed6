#include "replication/register_message.hpp"

#include "base/cursor.hpp"
#include "base/wire.hpp"
#include "replication/register_codec.hpp"

namespace artillery::replication {

using detail::reader;
using detail::writer;

namespace {

// Kinds of the wire's prefix; those below are of streams.
constexpr std::uint8_t first_request_kind = 16;
constexpr std::uint8_t first_reply_kind = 24;
static_assert(first_request_kind + register_question_max < first_reply_kind);
static_assert(first_reply_kind + register_question_max <= detail::wire_kind_max);

bool carries_ballot(register_question what) noexcept {
  return what == register_question::prepare || what == register_question::accept;
}
bool carries_epoch(register_question what) noexcept {
  return what == register_question::renew || what == register_question::report;
}
bool carries_view(register_question what) noexcept {
  return what == register_question::found || what == register_question::accept;
}

bool tells_ballot(const register_reply& reply) noexcept {
  if (reply.verdict == voter_verdict::no) return carries_ballot(reply.what);
  return reply.verdict == voter_verdict::yes &&
         (reply.what == register_question::prepare || reply.what == register_question::report);
}
bool tells_epoch(const register_reply& reply) noexcept {
  return reply.verdict <= voter_verdict::no && carries_epoch(reply.what);
}
bool tells_view(const register_reply& reply) noexcept {
  if (reply.verdict != voter_verdict::yes) return false;
  return reply.what == register_question::prepare || (reply.what == register_question::identify && reply.genesis != 0);
}

void put_whom(writer& body, const std::vector<replica_id>& whom) {
  body.put_varint(whom.size());
  for (const replica_id& one : whom) body.put(one.node).put(one.incarnation);
}

std::vector<replica_id> take_whom(reader& body) {
  constexpr std::size_t each = 16 + 8;
  std::vector<replica_id> whom(body.take_count(report_whom_max, each));
  for (replica_id& one : whom) {
    one.node = body.take_node_id();
    one.incarnation = body.take<std::uint64_t>();
  }
  return whom;
}

void begin_register(std::vector<std::byte>& out, std::uint8_t kind, std::uint32_t cluster) {
  detail::begin_datagram(out, {detail::module::replication, kind, 0}, cluster);
}

/// The body of a datagram whose kind is one of those from `first_kind` on; `what` is which.
std::optional<reader> open_register(bytes_view datagram, std::uint32_t cluster, std::uint8_t first_kind,
                                    register_question& what, std::error_code& error) noexcept {
  const detail::opened_datagram opened = detail::open_datagram(datagram, detail::module::replication, cluster);
  error = opened.error;
  const std::uint8_t kind = opened.prefix.kind;
  if (!error && (kind < first_kind || kind > first_kind + register_question_max || opened.prefix.flags != 0)) {
    error = errc::malformed;
  }
  if (error) return std::nullopt;
  what = static_cast<register_question>(kind - first_kind);
  return reader{opened.body};
}

}  // namespace

void encode(std::vector<std::byte>& out, std::uint32_t cluster, const register_request& message) {
  begin_register(out, static_cast<std::uint8_t>(first_request_kind + static_cast<std::uint8_t>(message.what)), cluster);
  writer body{out};
  body.put(message.number).put(message.chain).put(message.genesis);
  body.put(message.asker.node).put(message.asker.incarnation).put(message.voter);
  if (carries_ballot(message.what)) put_ballot(body, message.at);
  if (carries_epoch(message.what)) body.put(message.epoch);
  if (carries_view(message.what)) put_view(body, message.value);
  if (message.what == register_question::report) put_whom(body, message.whom);
  detail::seal_datagram(out);
}

std::optional<register_request> decode_register_request(bytes_view datagram, std::uint32_t cluster,
                                                        std::error_code& error) {
  register_request result;
  auto body = open_register(datagram, cluster, first_request_kind, result.what, error);
  if (!body) return std::nullopt;
  result.number = body->take<std::uint64_t>();
  result.chain = body->take<std::uint64_t>();
  result.genesis = body->take<std::uint64_t>();
  result.asker.node = body->take_node_id();
  result.asker.incarnation = body->take<std::uint64_t>();
  result.voter = body->take<std::uint64_t>();
  if (carries_ballot(result.what)) result.at = take_ballot(*body);
  if (carries_epoch(result.what)) result.epoch = body->take<std::uint64_t>();
  if (carries_view(result.what)) result.value = take_view(*body);
  if (result.what == register_question::report) result.whom = take_whom(*body);
  const bool names_no_ballot = carries_ballot(result.what) && result.at.round == 0;
  if (body->complete() && !names_no_ballot) return result;
  error = errc::malformed;
  return std::nullopt;
}

void encode(std::vector<std::byte>& out, std::uint32_t cluster, const register_reply& message) {
  begin_register(out, static_cast<std::uint8_t>(first_reply_kind + static_cast<std::uint8_t>(message.what)), cluster);
  writer body{out};
  body.put(message.number).put(message.chain).put(message.genesis);
  body.put(message.voter.node).put(message.voter.incarnation).put(static_cast<std::uint8_t>(message.verdict));
  if (tells_ballot(message)) put_ballot(body, message.at);
  if (tells_epoch(message)) body.put(message.epoch);
  if (message.what == register_question::report && message.verdict == voter_verdict::yes) {
    body.put(static_cast<std::int64_t>(message.quiet.count()));
  }
  if (tells_view(message)) put_view(body, message.value);
  detail::seal_datagram(out);
}

std::optional<register_reply> decode_register_reply(bytes_view datagram, std::uint32_t cluster,
                                                    std::error_code& error) {
  register_reply result;
  auto body = open_register(datagram, cluster, first_reply_kind, result.what, error);
  if (!body) return std::nullopt;
  result.number = body->take<std::uint64_t>();
  result.chain = body->take<std::uint64_t>();
  result.genesis = body->take<std::uint64_t>();
  result.voter.node = body->take_node_id();
  result.voter.incarnation = body->take<std::uint64_t>();
  const auto verdict = body->take<std::uint8_t>();
  if (verdict > voter_verdict_max) body->fail();
  result.verdict = static_cast<voter_verdict>(verdict);
  if (tells_ballot(result)) result.at = take_ballot(*body);
  if (tells_epoch(result)) result.epoch = body->take<std::uint64_t>();
  if (result.what == register_question::report && result.verdict == voter_verdict::yes) {
    result.quiet = duration{body->take<std::int64_t>()};
    if (result.quiet < duration::zero()) body->fail();
  }
  if (tells_view(result)) result.value = take_view(*body);
  if (body->complete()) return result;
  error = errc::malformed;
  return std::nullopt;
}

bool is_register_request(bytes_view datagram) noexcept {
  reader in{datagram};
  detail::wire_prefix prefix;
  if (detail::take_prefix(in, prefix) || prefix.module != detail::module::replication) return false;
  return prefix.kind >= first_request_kind && prefix.kind <= first_request_kind + register_question_max;
}

}  // namespace artillery::replication
