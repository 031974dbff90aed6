#include "replication/message.hpp"

#include "base/archive.hpp"
#include "base/cursor.hpp"
#include "base/wire.hpp"
#include "replication/frame_parts.hpp"

namespace artillery::replication {

// --- the cold body: a view, through the archive ---

namespace {

constexpr std::uint8_t lease_mode_max = 2;
constexpr std::uint8_t read_mode_max = 1;

template <class Archive>
void fields(Archive& archive, view& v) {
  archive(v.chain, v.epoch);
  for (auto* members : {&v.replicas, &v.learners, &v.voters}) {
    auto count = static_cast<std::uint8_t>(members->size());
    archive(count);
    if (count > view_replicas_max) throw detail::archive_error{"too many replicas"};
    members->resize(count);
    for (member& m : *members) archive(m.id.node, m.id.incarnation, m.at);
  }
  auto count = static_cast<std::uint8_t>(v.readers.size());
  archive(count);
  if (count > view_replicas_max) throw detail::archive_error{"too many readers"};
  v.readers.resize(count);
  for (replica_id& id : v.readers) archive(id.node, id.incarnation);
  auto kept_out = static_cast<std::uint8_t>(v.kept_out.size());
  archive(kept_out);
  if (kept_out > view_replicas_max) throw detail::archive_error{"too many nodes kept out"};
  v.kept_out.resize(kept_out);
  for (node_id& id : v.kept_out) archive(id);
  auto lease = static_cast<std::int64_t>(v.lease.count());
  auto leases = static_cast<std::uint8_t>(v.leases);
  auto reads = static_cast<std::uint8_t>(v.reads);
  archive(lease, v.drift_ppm, leases, reads);
  if (leases > lease_mode_max || reads > read_mode_max || lease < 0) throw detail::archive_error{"unknown mode"};
  v.lease = duration{lease};
  v.leases = static_cast<lease_mode>(leases);
  v.reads = static_cast<read_mode>(reads);
}

/// A view as a message body; by value because one function describes both directions.
struct view_body {
  view v;
  template <class Archive>
  void serialize(Archive& archive) {
    fields(archive, v);
  }
};

constexpr std::uint8_t flag_found = 1;
constexpr std::uint8_t flag_local = 2;
constexpr std::uint8_t flag_uncommitted = 4;
constexpr std::uint8_t level_mask = 3;
constexpr std::uint8_t after_committed = 4;
constexpr std::uint8_t after_seen = 8;
constexpr std::uint8_t flag_applied = 1;
constexpr std::uint8_t flag_session = 2;

void put_handshake_start(writer& out, frame_kind kind, std::uint32_t cluster) {
  detail::put_handshake(out, {detail::module::replication, static_cast<std::uint8_t>(kind), 0}, cluster);
}

bool take_handshake_start(reader& in, frame_kind kind, std::uint32_t cluster, std::error_code& error) noexcept {
  detail::wire_prefix prefix;
  std::uint8_t spoken = 0;
  error = detail::take_handshake(in, detail::module::replication, cluster, prefix, spoken);
  if (!error && prefix.kind != static_cast<std::uint8_t>(kind)) error = errc::malformed;
  return !error;
}

}  // namespace

std::error_code to_error(reply_status status) noexcept {
  switch (status) {
    case reply_status::ok: return {};
    case reply_status::stale_epoch: return errc::stale_epoch;
    case reply_status::not_serving: return errc::not_serving;
    case reply_status::not_head: return errc::not_head;
    case reply_status::busy: return errc::busy;
    case reply_status::unknown_session: return errc::unknown_session;
    case reply_status::too_large: return errc::too_large;
    case reply_status::invalid: return errc::invalid_argument;
    case reply_status::token_void: return errc::token_void;
  }
  return errc::malformed;
}

// --- handshakes ---

void encode(frame& out, std::uint32_t cluster, const hello& message) {
  out.clear();
  writer header{out.header};
  put_handshake_start(header, frame_kind::hello, cluster);
  header.put(static_cast<std::uint8_t>(message.role)).put(message.chain).put(message.epoch);
  header.put(message.from.node).put(message.from.incarnation);
  if (message.role == link_role::learner) header.put(message.at).put(message.former);
}

std::optional<hello> decode_hello(bytes_view in, std::uint32_t cluster, std::error_code& error) {
  reader body{in};
  if (!take_handshake_start(body, frame_kind::hello, cluster, error)) return std::nullopt;
  hello result;
  const auto role = body.take<std::uint8_t>();
  if (role > static_cast<std::uint8_t>(link_role::restarted)) body.fail();
  result.role = static_cast<link_role>(role);
  result.chain = body.take<std::uint64_t>();
  result.epoch = body.take<std::uint64_t>();
  result.from.node = body.take_node_id();
  result.from.incarnation = body.take<std::uint64_t>();
  if (result.role == link_role::learner) {
    result.at = body.take_endpoint();
    result.former = body.take<std::uint64_t>();
  }
  if (body.complete()) return result;
  error = errc::malformed;
  return std::nullopt;
}

void encode(frame& out, std::uint32_t cluster, const welcome& message) {
  out.clear();
  writer header{out.header};
  put_handshake_start(header, frame_kind::welcome, cluster);
  header.put(static_cast<std::uint8_t>(message.status)).put(message.chain).put(message.epoch);
  header.put(message.from.node).put(message.from.incarnation);
  header.put(message.last.epoch).put(message.last.seq).put(message.commit);
}

std::optional<welcome> decode_welcome(bytes_view in, std::uint32_t cluster, std::error_code& error) {
  reader body{in};
  if (!take_handshake_start(body, frame_kind::welcome, cluster, error)) return std::nullopt;
  welcome result;
  result.status = take_status(body);
  result.chain = body.take<std::uint64_t>();
  result.epoch = body.take<std::uint64_t>();
  result.from.node = body.take_node_id();
  result.from.incarnation = body.take<std::uint64_t>();
  result.last.epoch = body.take<std::uint64_t>();
  result.last.seq = body.take<std::uint64_t>();
  result.commit = body.take<std::uint64_t>();
  if (body.complete()) return result;
  error = errc::malformed;
  return std::nullopt;
}

std::optional<frame_header> decode_header(bytes_view in) noexcept {
  reader header{in};
  frame_header result;
  const auto kind = header.take<std::uint8_t>();
  result.flags = header.take<std::uint8_t>();
  result.channel = header.take<std::uint16_t>();
  result.epoch = header.take<std::uint64_t>();
  if (header.failed() || result.channel != 0 || kind < static_cast<std::uint8_t>(frame_kind::append) ||
      kind > frame_kind_max) {
    return std::nullopt;
  }
  result.kind = static_cast<frame_kind>(kind);
  return result;
}

// --- down and up the chain ---

append_encoder::append_encoder(frame& out, std::uint64_t epoch, std::uint64_t first_seq) : out_{out}, epoch_{epoch} {
  writer header = begin(out, frame_kind::append, epoch);
  header.put(first_seq).put(std::uint32_t{0});
}

void append_encoder::add(const record& next) {
  writer header{out_.header};
  const std::uint8_t flags = next.result.applied ? flag_applied : std::uint8_t{0};
  header.put(static_cast<std::uint8_t>(next.what)).put(flags).put_varint(epoch_ - next.epoch);
  header.put_varint(next.session).put_varint(next.number).put_varint(next.number - next.lowest);
  if (!next.result.applied) put_version(header, next.result.version);
  header.put_varint(next.effects.size());
  for (const object_effect& effect : next.effects) {
    header.put(static_cast<std::uint8_t>(effect.what)).put_sized(effect.key.view());
    if (effect.what == object_effect::kind::erase) continue;
    header.put(effect.checksum).put_varint(effect.value.size());
    if (effect.value.size() <= inline_value_max) {
      header.put_raw(effect.value.view());
    } else {
      out_.body.push_back(effect.value);
    }
  }
  size_ += next.weight();
  ++count_;
}

void append_encoder::finish() {
  writer{out_.header}.patch_u32(frame_header_size + sizeof(std::uint64_t), count_);
}

namespace {

/// A large value's place is known only once all headers are read.
struct trailing_value {
  std::size_t record;
  std::size_t effect;
  std::size_t size;
};

object_effect take_effect(reader& body, std::size_t value_size_max, std::size_t& trails) {
  object_effect effect;
  const auto kind = body.take<std::uint8_t>();
  if (kind > static_cast<std::uint8_t>(object_effect::kind::erase)) body.fail();
  effect.what = static_cast<object_effect::kind>(kind);
  effect.key = bytes::copy(body.take_sized(key_size_max));
  if (effect.key.empty()) body.fail();
  if (effect.what == object_effect::kind::erase || body.failed()) return effect;
  effect.checksum = body.take<std::uint32_t>();
  const std::uint64_t size = body.take_varint();
  if (size > value_size_max) {
    body.fail();
  } else if (size <= inline_value_max) {
    effect.value = bytes::copy(body.take_raw(static_cast<std::size_t>(size)));
  } else {
    trails = static_cast<std::size_t>(size);
  }
  return effect;
}

record take_record(reader& body, std::uint64_t frame_epoch, std::uint64_t seq) noexcept {
  record next;
  next.seq = seq;
  const auto kind = body.take<std::uint8_t>();
  if (kind > static_cast<std::uint8_t>(record::kind::close_session)) body.fail();
  next.what = static_cast<record::kind>(kind);
  const auto flags = body.take<std::uint8_t>();
  const std::uint64_t epochs_ago = body.take_varint();
  if (epochs_ago >= frame_epoch || flags > flag_applied) body.fail();  // epochs count from 1
  next.epoch = frame_epoch - epochs_ago;
  next.session = body.take_varint();
  next.number = body.take_varint();
  const std::uint64_t below = body.take_varint();
  if (below > next.number) body.fail();
  next.lowest = next.number - below;
  next.result.applied = (flags & flag_applied) != 0;
  next.result.version = next.result.applied ? next.version() : take_version(body);
  return next;
}

}  // namespace

std::optional<std::vector<record>> decode_append(const bytes& in, std::size_t value_size_max) {
  constexpr std::size_t record_size_min = 7;
  constexpr std::size_t effect_size_min = 3;
  const auto header = decode_header(in);
  if (!header) return std::nullopt;
  reader body = body_of(in);
  const auto first = body.take<std::uint64_t>();
  const auto count = body.take<std::uint32_t>();
  if (body.failed() || first == 0 || count == 0 || count > append_records_max ||
      count > body.left() / record_size_min) {
    return std::nullopt;
  }
  std::vector<record> records;
  records.reserve(count);
  std::vector<trailing_value> trailing;
  for (std::uint32_t i = 0; i < count && !body.failed(); ++i) {
    record& next = records.emplace_back(take_record(body, header->epoch, first + i));
    const std::size_t effects = body.take_count(effects_max, effect_size_min);
    for (std::size_t k = 0; k < effects && !body.failed(); ++k) {
      std::size_t trails = 0;
      next.effects.push_back(take_effect(body, value_size_max, trails));
      if (trails > 0) trailing.push_back({i, k, trails});
    }
  }
  for (const trailing_value& value : trailing) {
    const bytes_view raw = body.take_raw(value.size);
    if (body.failed()) return std::nullopt;
    records[value.record].effects[value.effect].value = slice_of(in, raw).compact();
  }
  if (!body.complete()) return std::nullopt;
  return records;
}

void encode(frame& out, std::uint64_t epoch, const watermark_ack& message) {
  begin(out, frame_kind::ack, epoch).put(message.watermark).put(message.tail_opened);
}

std::optional<watermark_ack> decode_ack(bytes_view in) noexcept {
  reader body = body_of(in);
  watermark_ack result;
  result.watermark = body.take<std::uint64_t>();
  result.tail_opened = body.take<bool>();
  if (!body.complete()) return std::nullopt;
  return result;
}

void encode(frame& out, std::uint64_t epoch, const watermark_query& message) {
  begin(out, frame_kind::watermark_query, epoch).put(message.question);
}

std::optional<watermark_query> decode_watermark_query(bytes_view in) noexcept {
  reader body = body_of(in);
  const watermark_query result{body.take<std::uint64_t>()};
  if (!body.complete()) return std::nullopt;
  return result;
}

void encode(frame& out, std::uint64_t epoch, const watermark_reply& message) {
  writer header = begin(out, frame_kind::watermark_reply, epoch);
  header.put(message.question).put(static_cast<std::uint8_t>(message.status)).put(message.watermark);
}

std::optional<watermark_reply> decode_watermark_reply(bytes_view in) noexcept {
  reader body = body_of(in);
  watermark_reply result;
  result.question = body.take<std::uint64_t>();
  result.status = take_status(body);
  result.watermark = body.take<std::uint64_t>();
  if (!body.complete()) return std::nullopt;
  return result;
}

// --- of clients ---

void encode(frame& out, std::uint64_t epoch, const read_request& message) {
  writer header = begin(out, frame_kind::read, epoch);
  const version& committed = message.after.committed();
  const version& seen = message.after.seen();
  const unsigned after = (committed.none() ? 0U : after_committed) | (seen.none() ? 0U : after_seen);
  header.put_varint(message.request)
      .put(static_cast<std::uint8_t>(static_cast<unsigned>(message.level.what()) | after));
  if (!committed.none()) put_version(header, committed);
  if (!seen.none()) put_version(header, seen);
  if (message.level.what() == consistency::kind::bounded_time) {
    header.put_varint(static_cast<std::uint64_t>(message.level.staleness().count()));
  } else if (message.level.what() == consistency::kind::bounded_records) {
    header.put_varint(message.level.records());
  }
  header.put_raw(message.key);
}

std::optional<read_request> decode_read_request(bytes_view in) noexcept {
  reader body = body_of(in);
  read_request result;
  result.request = body.take_varint();
  const auto level = body.take<std::uint8_t>();
  const version committed = (level & after_committed) != 0 ? take_version(body) : version{};
  const version seen = (level & after_seen) != 0 ? take_version(body) : version{};
  result.after = {committed, seen};
  if (level > (level_mask | after_committed | after_seen)) body.fail();
  switch (level & level_mask) {
    case static_cast<std::uint8_t>(consistency::kind::strong): break;
    case static_cast<std::uint8_t>(consistency::kind::bounded_time): {
      const std::uint64_t staleness = body.take_varint();
      if (staleness > static_cast<std::uint64_t>(consistency::staleness_max.count())) {
        body.fail();
        break;
      }
      result.level = consistency::within(duration{static_cast<duration::rep>(staleness)});
      break;
    }
    case static_cast<std::uint8_t>(consistency::kind::bounded_records):
      result.level = consistency::lacking(body.take_varint());
      break;
    default: result.level = eventual;
  }
  result.key = body.rest();
  if (body.failed() || result.key.empty() || result.key.size() > key_size_max) return std::nullopt;
  return result;
}

void encode(frame& out, std::uint64_t epoch, const read_reply& message) {
  writer header = begin(out, frame_kind::read_reply, epoch);
  const unsigned flags = (message.result.found() ? flag_found : 0U) | (message.result.local ? flag_local : 0U) |
                         (message.result.committed ? 0U : flag_uncommitted);
  header.put_varint(message.request).put(static_cast<std::uint8_t>(message.status));
  header.put(static_cast<std::uint8_t>(flags));
  put_version(header, message.result.as_of);
  if (!message.result.found()) return;
  put_version(header, message.result.version);
  header.put(message.checksum);
  out.body.push_back(*message.result.value);
}

std::optional<read_reply> decode_read_reply(const bytes& in) {
  reader body = body_of(in);
  read_reply result;
  result.request = body.take_varint();
  result.status = take_status(body);
  const auto flags = body.take<std::uint8_t>();
  if (flags > (flag_found | flag_local | flag_uncommitted)) body.fail();
  result.result.local = (flags & flag_local) != 0;
  result.result.committed = (flags & flag_uncommitted) == 0;
  result.result.as_of = take_version(body);
  if ((flags & flag_found) != 0) {
    result.result.version = take_version(body);
    result.checksum = body.take<std::uint32_t>();
    if (!body.failed()) result.result.value = slice_of(in, body.take_raw(body.left())).compact();
  }
  if (!body.complete()) return std::nullopt;
  return result;
}

void encode(frame& out, std::uint64_t epoch, const write_request& message) {
  writer header = begin(out, frame_kind::write, epoch);
  header.put_varint(message.request).put(static_cast<std::uint8_t>(message.what)).put_varint(message.session);
  if (message.what == write_request::kind::open_session || message.what == write_request::kind::close_session) return;
  header.put_varint(message.number).put_varint(message.number - message.lowest);
  header.put(static_cast<std::uint8_t>(message.when.what()));
  if (message.when.what() == condition::kind::if_version) put_version(header, message.when.expected());
  header.put_sized(message.key.view());
  if (message.what == write_request::kind::erase) return;
  header.put(message.checksum);
  out.body.push_back(message.value);
}

std::optional<write_request> decode_write_request(const bytes& in) {
  reader body = body_of(in);
  write_request result;
  result.request = body.take_varint();
  const auto kind = body.take<std::uint8_t>();
  if (kind > static_cast<std::uint8_t>(write_request::kind::close_session)) body.fail();
  result.what = static_cast<write_request::kind>(kind);
  result.session = body.take_varint();
  if (result.what == write_request::kind::open_session || result.what == write_request::kind::close_session) {
    if (!body.complete()) return std::nullopt;
    return result;
  }
  result.number = body.take_varint();
  const std::uint64_t below = body.take_varint();
  if (below > result.number) body.fail();
  result.lowest = result.number - below;
  switch (body.take<std::uint8_t>()) {
    case static_cast<std::uint8_t>(condition::kind::always): break;
    case static_cast<std::uint8_t>(condition::kind::if_absent): result.when = condition::absent(); break;
    case static_cast<std::uint8_t>(condition::kind::if_version): result.when = condition::is(take_version(body)); break;
    default: body.fail();
  }
  result.key = bytes::copy(body.take_sized(key_size_max));
  if (result.what == write_request::kind::put) {
    result.checksum = body.take<std::uint32_t>();
    if (!body.failed()) result.value = slice_of(in, body.take_raw(body.left())).compact();
  }
  if (!body.complete() || result.key.empty()) return std::nullopt;
  return result;
}

void encode(frame& out, std::uint64_t epoch, const write_reply& message) {
  writer header = begin(out, frame_kind::write_reply, epoch);
  header.put_varint(message.request).put(static_cast<std::uint8_t>(message.status));
  const unsigned flags = (message.result.applied ? flag_applied : 0U) | (message.session != 0 ? flag_session : 0U);
  header.put(static_cast<std::uint8_t>(flags));
  put_version(header, message.result.version);
  if (message.session != 0) header.put(message.session);
}

std::optional<write_reply> decode_write_reply(bytes_view in) noexcept {
  reader body = body_of(in);
  write_reply result;
  result.request = body.take_varint();
  result.status = take_status(body);
  const auto flags = body.take<std::uint8_t>();
  if (flags > (flag_applied | flag_session)) body.fail();
  result.result.applied = (flags & flag_applied) != 0;
  result.result.version = take_version(body);
  if ((flags & flag_session) != 0) {
    result.session = body.take<std::uint64_t>();
    if (result.session == 0) body.fail();
  }
  if (!body.complete()) return std::nullopt;
  return result;
}

void encode_durable(frame& out, std::uint64_t epoch, std::uint64_t seq) {
  begin(out, frame_kind::durable, epoch).put(seq);
}

std::optional<std::uint64_t> decode_durable(bytes_view in) noexcept {
  reader body = body_of(in);
  const auto seq = body.take<std::uint64_t>();
  if (!body.complete()) return std::nullopt;
  return seq;
}

void encode_bare(frame& out, frame_kind kind, std::uint64_t epoch) {
  begin(out, kind, epoch);
}

void encode_view(frame& out, std::uint64_t epoch, const view& message) {
  begin(out, frame_kind::view_reply, epoch);
  encode_view_body(out.header, message);
}

void encode_view_body(std::vector<std::byte>& out, const view& message) {
  detail::encode(view_body{message}, out);
}

std::optional<view> decode_view_body(bytes_view in) {
  auto body = detail::decode<view_body>(in);
  if (!body) return std::nullopt;
  return std::move(body->v);
}

std::optional<view> decode_view(bytes_view in) {
  if (in.size() < frame_header_size) return std::nullopt;
  return decode_view_body(in.subspan(frame_header_size));
}

}  // namespace artillery::replication
