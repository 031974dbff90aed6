#include "membership/message.hpp"

#include "base/archive.hpp"
#include "membership/message_items.hpp"
#include "membership/mutant.hpp"

namespace artillery::membership {
namespace {

using detail::archive_error;
using detail::input_archive;
using detail::output_archive;
using detail::reader;
using detail::writer;

void put_body(writer& out, const ping& m) {
  out.put(m.sequence).put(m.addressee).put(m.sender.value).put(m.digests.view).put(m.digests.events);
}
void put_body(writer& out, const ack& m) {
  out.put(m.sequence).put(m.digests.view).put(m.digests.events).put(!m.seen_at.none());
  if (!m.seen_at.none()) out.put(m.seen_at);
}
void put_body(writer& out, const ping_request& m) {
  out.put(m.sequence).put(m.target.value).put(m.addressee).put(m.left_ms);
}
void put_body(writer& out, const nack& m) {
  out.put(m.sequence);
}
void put_body(writer& out, const stranger& m) {
  out.put(m.sequence);
}
void put_body(writer&, const gossip&) {}
void put_body(writer&, const announce&) {}
void put_body(writer& out, const view_summary& m) {
  out.put(static_cast<std::uint8_t>(m.step)).put(m.sender.value).put(m.first).put(m.last).put_varint(m.entries.size());
  for (const view_entry& e : m.entries) out.put(e.name.value).put(e.version);
}
void put_body(writer& out, const view_buckets& m) {
  out.put(m.sender.value);
  for (const std::uint32_t sum : m.sums) out.put(sum);
}
void put_body(writer& out, const event_summary& m) {
  out.put(m.answer).put(m.complete).put(m.sender.value).put_varint(m.entries.size());
  for (const event_entry& e : m.entries) out.put(e.origin.value).put(e.boot).put(e.base).put(e.ahead);
}

void put_direct_head(writer& out, const direct& m) {
  out.put(m.sender.value).put(m.boot).put(m.addressee).put_varint(m.number).put_varint(m.question);
  out.put_sized(m.topic).put_varint(m.payload.size());
}
void put_body(writer& out, const direct& m) {
  put_direct_head(out, m);
  out.put_raw(m.payload.view());
}
void put_body(writer& out, const receipt& m) {
  out.put_varint(m.number).put(static_cast<std::uint8_t>(m.verdict)).put_varint(m.highest);
}

void put_body(writer& out, const reply& m) {
  out.put(m.sender.value).put(m.boot).put(m.addressee).put_varint(m.question).put(m.answers);
  out.put_sized(m.payload.view());
}
void put_body(writer& out, const reply_receipt& m) {
  out.put_varint(m.question).put(m.answers);
}

void put_body(writer& out, const event_request& m) {
  out.put(m.origin.value).put(m.boot).put_varint(m.number);
}
void put_body(writer& out, const event_reply& m) {
  out.put(m.found);
}

constexpr std::size_t view_entry_size = 12;
constexpr std::size_t event_entry_size = 32;
constexpr std::size_t push_pull_entry_size_min = 1 + 16 + 8 + 1 + 1 + 1;
constexpr std::size_t push_pull_entries_max = 4'096;

void take_body(input_archive& archive, ping& m) {
  reader& in = archive.in();
  m.sequence = in.take<std::uint32_t>();
  m.addressee = in.take<std::uint32_t>();
  m.sender.value = in.take<std::uint64_t>();
  m.digests.view = in.take<std::uint32_t>();
  m.digests.events = in.take<std::uint32_t>();
}
void take_body(input_archive& archive, ack& m) {
  reader& in = archive.in();
  m.sequence = in.take<std::uint32_t>();
  m.digests.view = in.take<std::uint32_t>();
  m.digests.events = in.take<std::uint32_t>();
  if (in.take<bool>()) m.seen_at = in.take_endpoint();
}
void take_body(input_archive& archive, ping_request& m) {
  reader& in = archive.in();
  m.sequence = in.take<std::uint32_t>();
  m.target.value = in.take<std::uint64_t>();
  m.addressee = in.take<std::uint32_t>();
  m.left_ms = in.take<std::uint32_t>();
}
void take_body(input_archive& archive, nack& m) {
  m.sequence = archive.in().take<std::uint32_t>();
}
void take_body(input_archive& archive, stranger& m) {
  m.sequence = archive.in().take<std::uint32_t>();
}
void take_body(input_archive&, gossip&) {}
void take_body(input_archive&, announce&) {}
void take_body(input_archive& archive, view_summary& m) {
  reader& in = archive.in();
  const auto step = in.take<std::uint8_t>();
  if (step > static_cast<std::uint8_t>(repair_step::claims)) throw archive_error{"a repair step of unknown kind"};
  m.step = static_cast<repair_step>(step);
  m.sender.value = in.take<std::uint64_t>();
  m.first = in.take<std::uint64_t>();
  m.last = in.take<std::uint64_t>();
  const std::size_t count = in.take_count(datagram_size_most, view_entry_size);
  m.entries.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    view_entry& e = m.entries.emplace_back();
    e.name.value = in.take<std::uint64_t>();
    e.version = in.take<std::uint32_t>();
  }
}
void take_body(input_archive& archive, view_buckets& m) {
  m.sender.value = archive.in().take<std::uint64_t>();
  for (std::uint32_t& sum : m.sums) sum = archive.in().take<std::uint32_t>();
}
void take_body(input_archive& archive, event_summary& m) {
  reader& in = archive.in();
  m.answer = in.take<bool>();
  m.complete = in.take<bool>();
  m.sender.value = in.take<std::uint64_t>();
  const std::size_t count = in.take_count(datagram_size_most, event_entry_size);
  m.entries.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    event_entry& e = m.entries.emplace_back();
    e.origin.value = in.take<std::uint64_t>();
    e.boot = in.take<std::uint64_t>();
    e.base = in.take<std::uint64_t>();
    e.ahead = in.take<std::uint64_t>();
  }
}
void take_body(input_archive& archive, push_pull& m) {
  reader& in = archive.in();
  m.joining = in.take<bool>();
  m.answer = in.take<bool>();
  m.last = in.take<bool>();
  m.before_you = in.take_varint();
  m.buckets = in.take<bucket_set>();
  const std::size_t count = in.take_count(push_pull_entries_max, push_pull_entry_size_min);
  m.entries.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto head = in.take<std::uint8_t>();
    push_pull_entry entry;
    entry.claim = take_claim(archive, head);
    entry.events_base = in.take_varint();
    entry.firm = in.take<bool>();
    if (entry.claim.facts == nullptr) throw archive_error{"a push-pull entry without facts"};
    m.entries.push_back(std::move(entry));
  }
}

void take_body(input_archive& archive, direct& m) {
  reader& in = archive.in();
  m.sender.value = in.take<std::uint64_t>();
  m.boot = in.take<std::uint64_t>();
  m.addressee = in.take<std::uint32_t>();
  m.number = in.take_varint();
  m.question = in.take_varint();
  m.topic = std::string{as_text(in.take_sized(topic_size_max))};
  m.payload = bytes::copy(in.take_sized(in.left()));
  if (in.failed() || m.number == 0) throw archive_error{"a message out of its ranges"};
}
void take_body(input_archive& archive, receipt& m) {
  reader& in = archive.in();
  m.number = in.take_varint();
  const auto verdict = in.take<std::uint8_t>();
  if (verdict > static_cast<std::uint8_t>(verdict::renumber)) throw archive_error{"a verdict of unknown kind"};
  m.verdict = static_cast<membership::verdict>(verdict);
  m.highest = in.take_varint();
}

void take_body(input_archive& archive, reply& m) {
  reader& in = archive.in();
  m.sender.value = in.take<std::uint64_t>();
  m.boot = in.take<std::uint64_t>();
  m.addressee = in.take<std::uint32_t>();
  m.question = in.take_varint();
  m.answers = in.take<bool>();
  m.payload = bytes::copy(in.take_sized(in.left()));
}
void take_body(input_archive& archive, reply_receipt& m) {
  m.question = archive.in().take_varint();
  m.answers = archive.in().take<bool>();
}

void take_body(input_archive& archive, event_request& m) {
  m.origin.value = archive.in().take<std::uint64_t>();
  m.boot = archive.in().take<std::uint64_t>();
  m.number = archive.in().take_varint();
}
void take_body(input_archive& archive, event_reply& m) {
  m.found = archive.in().take<bool>();
}

template <class Body>
packet take_message(input_archive& archive) {
  packet result;
  Body body;
  take_body(archive, body);
  archive.check();
  result.body = std::move(body);
  result.items = take_items(archive);
  return result;
}

packet take_message(input_archive& archive, message_kind kind) {
  switch (kind) {
    case message_kind::ping: return take_message<ping>(archive);
    case message_kind::ack: return take_message<ack>(archive);
    case message_kind::ping_request: return take_message<ping_request>(archive);
    case message_kind::nack: return take_message<nack>(archive);
    case message_kind::stranger: return take_message<stranger>(archive);
    case message_kind::gossip: return take_message<gossip>(archive);
    case message_kind::announce: return take_message<announce>(archive);
    case message_kind::view_summary: return take_message<view_summary>(archive);
    case message_kind::event_summary: return take_message<event_summary>(archive);
    case message_kind::push_pull: return take_message<push_pull>(archive);
    case message_kind::direct: return take_message<direct>(archive);
    case message_kind::receipt: return take_message<receipt>(archive);
    case message_kind::reply: return take_message<reply>(archive);
    case message_kind::reply_receipt: return take_message<reply_receipt>(archive);
    case message_kind::event_request: return take_message<event_request>(archive);
    case message_kind::event_reply: return take_message<event_reply>(archive);
    case message_kind::view_buckets: return take_message<view_buckets>(archive);
  }
  throw archive_error{"a message of unknown kind"};
}

/// The one place where an undecodable message becomes an error.
read_message take_all(bytes_view body, message_kind kind) {
  read_message result;
  try {
    input_archive archive{body};
    result.value = take_message(archive, kind);
  } catch (const archive_error&) {
    result.error = errc::malformed;
  }
  return result;
}

message_kind kind_of(const message_body& body) noexcept {
  return static_cast<message_kind>(body.index() + 1);  // the variant lists them in the order of their numbers
}
static_assert(std::variant_size_v<message_body> == static_cast<std::size_t>(message_kind::view_buckets));

detail::wire_prefix prefix_of(message_kind kind) noexcept {
  return {detail::module::membership, static_cast<std::uint8_t>(kind), 0};
}

void begin_frame(std::vector<std::byte>& buffer, std::uint32_t cluster, bool first, message_kind kind) {
  buffer.clear();
  writer out{buffer};
  if (first) {
    detail::put_handshake(out, prefix_of(kind), cluster);
  } else {
    out.put(static_cast<std::uint8_t>(kind));
  }
}

void put_push_pull(std::vector<std::byte>& buffer, const push_pull& m) {
  writer{buffer}.put(m.joining).put(m.answer).put(m.last).put_varint(m.before_you);
  writer{buffer}.put(m.buckets).put_varint(m.entries.size());
  for (const push_pull_entry& e : m.entries) {
    put_claim(buffer, e.claim);
    writer{buffer}.put_varint(e.events_base).put(e.firm);
  }
}

void put_any_body(std::vector<std::byte>& buffer, const message_body& body) {
  std::visit(
      [&](const auto& m) {
        if constexpr (std::is_same_v<std::decay_t<decltype(m)>, push_pull>) {
          put_push_pull(buffer, m);
        } else {
          writer out{buffer};
          put_body(out, m);
        }
      },
      body);
}

/// The cluster that a datagram is said to be of.
std::uint32_t tag_of(bytes_view datagram) noexcept {
  reader in{datagram};
  static_cast<void>(in.take_raw(detail::wire_prefix_size + 1));
  return in.take<std::uint32_t>();
}

}  // namespace

std::string_view to_string(verdict what) noexcept {
  switch (what) {
    case verdict::taken: return "taken";
    case verdict::not_addressee: return "not the addressee";
    case verdict::unknown_sender: return "unknown sender";
    case verdict::renumber: return "renumber";
  }
  return "?";
}

void datagram_writer::begin(const message_body& body) {
  detail::begin_datagram(*buffer_, prefix_of(kind_of(body)), cluster_);
  put_any_body(*buffer_, body);
}

bool datagram_writer::add(const claim& item, std::size_t limit) {
  const std::size_t before = buffer_->size();
  put_claim(*buffer_, item);
  if (buffer_->size() <= limit) return true;
  buffer_->resize(before);
  return false;
}

bool datagram_writer::add(const event_record& item, std::size_t limit) {
  const std::size_t before = buffer_->size();
  const std::size_t whole_size = detail::datagram_header_size + event_overhead_max + item.topic.size();
  const bool whole = item.payload.size() + whole_size <= limit_ || item.question != nullptr;
  put_event_head(*buffer_, item, whole);
  if (whole) writer{*buffer_}.put_raw(item.payload.view());
  if (buffer_->size() <= limit) return true;
  buffer_->resize(before);
  return false;
}

bytes_view datagram_writer::seal() {
  detail::seal_datagram(*buffer_);
  return *buffer_;
}

void write_frame(std::vector<std::byte>& buffer, std::uint32_t cluster, bool first, const message_body& body) {
  begin_frame(buffer, cluster, first, kind_of(body));
  put_any_body(buffer, body);
}

void write_direct_head(std::vector<std::byte>& buffer, std::uint32_t cluster, bool first, const direct& body) {
  begin_frame(buffer, cluster, first, message_kind::direct);
  writer out{buffer};
  put_direct_head(out, body);
}

void write_event_reply_head(std::vector<std::byte>& buffer, std::uint32_t cluster, bool first,
                            const event_record& record) {
  begin_frame(buffer, cluster, first, message_kind::event_reply);
  writer{buffer}.put(true);
  put_event_head(buffer, record, true);
}

std::size_t view_entries_max(std::size_t datagram_max) noexcept {
  constexpr std::size_t head = detail::datagram_header_size + 1 + 8 + 8 + 8 + 2;
  return (datagram_max - head) / view_entry_size;
}

std::size_t event_entries_max(std::size_t datagram_max) noexcept {
  constexpr std::size_t head = detail::datagram_header_size + 1 + 1 + 8 + 2;
  return (datagram_max - head) / event_entry_size;
}

read_message read_datagram(bytes_view datagram, std::uint32_t cluster) {
  const auto opened = detail::open_datagram(datagram, detail::module::membership,
                                            mutant(mutation::believes_any_cluster) ? tag_of(datagram) : cluster);
  if (opened.error) return {opened.error, {}};
  const auto kind = static_cast<message_kind>(opened.prefix.kind);
  const bool is_frame =
      kind == message_kind::push_pull || kind == message_kind::event_request || kind == message_kind::event_reply;
  if (is_frame) return {errc::malformed, {}};
  return take_all(opened.body, kind);
}

read_message read_frame(bytes_view frame, std::uint32_t cluster, bool first) {
  reader in{frame};
  if (!first) {
    const auto kind = in.take<std::uint8_t>();
    if (in.failed()) return {errc::malformed, {}};
    return take_all(in.rest(), static_cast<message_kind>(kind));
  }
  detail::wire_prefix prefix;
  std::uint8_t version = 0;
  const auto error = detail::take_handshake(in, detail::module::membership, cluster, prefix, version);
  if (error) return {error, {}};
  return take_all(in.rest(), static_cast<message_kind>(prefix.kind));
}

}  // namespace artillery::membership
