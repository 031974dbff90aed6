#include "replication/checkpoint.hpp"

#include "replication/frame_parts.hpp"

namespace artillery::replication {
namespace {

constexpr std::size_t results_max = std::size_t{1} << 20U;
constexpr std::uint8_t result_applied = 1;

void put_session(writer& out, const session_row& row) {
  out.put(row.key).put_varint(row.used).put_varint(row.lowest).put_varint(row.kept.size());
  for (const answered& each : row.kept) {
    out.put_varint(each.number).put_varint(each.seq);
    out.put(each.result.applied ? result_applied : std::uint8_t{0});
    put_version(out, each.result.version);
  }
}

session_row take_session(reader& body) {
  constexpr std::size_t result_size_min = 5;
  session_row row;
  row.key = body.take<std::uint64_t>();
  row.used = body.take_varint();
  row.lowest = body.take_varint();
  const std::size_t count = body.take_count(results_max, result_size_min);
  for (std::size_t i = 0; i < count && !body.failed(); ++i) {
    answered each;
    each.number = body.take_varint();
    each.seq = body.take_varint();
    each.result.applied = body.take<bool>();
    each.result.version = take_version(body);
    if (!row.kept.empty() && row.kept.back().number >= each.number) body.fail();
    row.kept.push_back(each);
  }
  return row;
}

void put_object(frame& out, const object& item) {
  writer header{out.header};
  header.put_sized(item.key.view());
  put_version(header, item.newest.version);
  header.put(item.newest.checksum).put_varint(item.newest.value->size());
  if (item.newest.value->size() <= inline_value_max) {
    header.put_raw(item.newest.value->view());
  } else {
    out.body.push_back(*item.newest.value);
  }
}

/// `trails`: the size of a value that follows behind all headers, or 0.
object take_object(reader& body, std::size_t value_size_max, std::size_t& trails) {
  object item;
  item.key = bytes::copy(body.take_sized(key_size_max));
  item.newest.version = take_version(body);
  item.newest.checksum = body.take<std::uint32_t>();
  const std::uint64_t size = body.take_varint();
  if (item.key.empty() || size > value_size_max) body.fail();
  if (body.failed()) return item;
  if (size > inline_value_max) {
    trails = static_cast<std::size_t>(size);
  } else {
    item.newest.value = bytes::copy(body.take_raw(static_cast<std::size_t>(size)));
  }
  return item;
}

void take_objects(const bytes& in, reader& body, std::size_t value_size_max, std::vector<object>& into) {
  constexpr std::size_t object_size_min = 9;
  const std::size_t count = body.take_count(checkpoint_items_max, object_size_min);
  std::vector<std::size_t> trailing;
  for (std::size_t i = 0; i < count && !body.failed(); ++i) {
    into.push_back(take_object(body, value_size_max, trailing.emplace_back(0)));
  }
  for (std::size_t i = 0; i < trailing.size() && !body.failed(); ++i) {
    if (trailing[i] == 0) continue;
    const bytes_view raw = body.take_raw(trailing[i]);
    if (!body.failed()) into[i].newest.value = slice_of(in, raw).compact();
  }
}

}  // namespace

std::size_t weight_of(const object& item) noexcept {
  constexpr std::size_t overhead = 32;
  return item.key.size() + item.newest.value->size() + overhead;
}

std::size_t weight_of(const session_row& item) noexcept {
  constexpr std::size_t row = 32;
  constexpr std::size_t result = 24;
  return row + item.kept.size() * result;
}

void encode(frame& out, std::uint64_t epoch, const checkpoint_part& message) {
  writer header = begin(out, frame_kind::checkpoint, epoch);
  header.put(static_cast<std::uint8_t>(message.what));
  switch (message.what) {
    case checkpoint_part::stage::begin: return put_version(header, message.base);
    case checkpoint_part::stage::sessions:
      header.put_varint(message.sessions.size());
      for (const session_row& row : message.sessions) put_session(header, row);
      return;
    case checkpoint_part::stage::objects:
      header.put_varint(message.objects.size());
      for (const object& item : message.objects) put_object(out, item);
      return;
    case checkpoint_part::stage::end: return;
  }
}

std::optional<checkpoint_part> decode_checkpoint(const bytes& in, std::size_t value_size_max) {
  constexpr std::size_t session_size_min = 11;
  reader body = body_of(in);
  checkpoint_part part;
  const auto what = body.take<std::uint8_t>();
  if (what > static_cast<std::uint8_t>(checkpoint_part::stage::end)) return std::nullopt;
  part.what = static_cast<checkpoint_part::stage>(what);
  switch (part.what) {
    case checkpoint_part::stage::begin: part.base = take_version(body); break;
    case checkpoint_part::stage::sessions: {
      const std::size_t count = body.take_count(checkpoint_items_max, session_size_min);
      for (std::size_t i = 0; i < count && !body.failed(); ++i) part.sessions.push_back(take_session(body));
      break;
    }
    case checkpoint_part::stage::objects: take_objects(in, body, value_size_max, part.objects); break;
    case checkpoint_part::stage::end: break;
  }
  if (!body.complete()) return std::nullopt;
  return part;
}

void encode(frame& out, std::uint64_t epoch, const learner_position& message) {
  writer header = begin(out, frame_kind::position, epoch);
  header.put(message.last.epoch).put(message.last.seq).put(message.parts).put(message.synced);
}

std::optional<learner_position> decode_position(bytes_view in) noexcept {
  reader body = body_of(in);
  learner_position result;
  result.last.epoch = body.take<std::uint64_t>();
  result.last.seq = body.take<std::uint64_t>();
  result.parts = body.take<std::uint64_t>();
  result.synced = body.take<std::uint64_t>();
  if (result.synced > result.last.seq) body.fail();
  if (!body.complete()) return std::nullopt;
  return result;
}

void encode_committed(frame& out, std::uint64_t epoch, std::uint64_t watermark) {
  begin(out, frame_kind::committed, epoch).put(watermark);
}

std::optional<std::uint64_t> decode_committed(bytes_view in) noexcept {
  reader body = body_of(in);
  const auto watermark = body.take<std::uint64_t>();
  if (!body.complete()) return std::nullopt;
  return watermark;
}

}  // namespace artillery::replication
