#include "membership/message_items.hpp"

#include <cereal/types/map.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>

namespace artillery::membership {

// What cereal makes of our types. Found by argument-dependent look-up; internal to this file's encode and decode.

template <class Archive>
void serialize(Archive& archive, facts& f) {
  archive(f.name, f.at, f.tags, f.events_sent, f.version_oldest, f.version_newest);
}

namespace {

using detail::archive_error;
using detail::input_archive;
using detail::output_archive;
using detail::reader;
using detail::writer;

constexpr std::uint8_t item_event = 0x80;
constexpr std::uint8_t item_asks = 0x01;    // what is asked follows the topic
constexpr std::uint8_t item_notice = 0x02;  // the payload does not follow its size
constexpr std::uint8_t claim_state_mask = 0x03;
constexpr std::uint8_t claim_has_facts = 0x04;
constexpr std::uint8_t claim_bits = claim_state_mask | claim_has_facts;

bool sound(const facts& f) noexcept {
  return !f.name.empty() && f.name.size() <= name_size_max && !f.at.none() && size_of(f.tags) <= tags_size_max &&
         f.version_oldest <= f.version_newest;
}

void put_question(std::vector<std::byte>& buffer, const question& q) {
  output_archive archive{buffer};
  archive.out().put_varint(q.timeout_ms);
  archive(q.tags);
  archive.out().put_varint(q.members.size());
  for (const short_name& name : q.members) archive.out().put(name.value);
}

std::shared_ptr<const question> take_question(input_archive& archive) {
  auto q = std::make_shared<question>();
  const std::uint64_t timeout_ms = archive.in().take_varint();
  archive(q->tags);
  const std::size_t count = archive.in().take_count(query_filter_size_max / sizeof(short_name), sizeof(short_name));
  for (std::size_t i = 0; i < count; ++i) q->members.push_back({archive.in().take<std::uint64_t>()});
  archive.check();
  const bool sound = timeout_ms > 0 && std::chrono::milliseconds{timeout_ms} <= query_timeout_max &&
                     size_of(q->tags) <= query_filter_size_max;
  if (!sound) throw archive_error{"a question out of its ranges"};
  q->timeout_ms = static_cast<std::uint32_t>(timeout_ms);
  return q;
}

event_record take_event(input_archive& archive, std::uint8_t head) {
  reader& in = archive.in();
  event_record e;
  e.origin.value = in.take<std::uint64_t>();
  e.boot = in.take<std::uint64_t>();
  e.sequence = in.take_varint();
  const std::uint64_t back = in.take_varint();
  e.lamport = in.take_varint();
  e.topic = std::string{as_text(in.take_sized(topic_size_max))};
  if ((head & item_asks) != 0) e.question = take_question(archive);
  if ((head & item_notice) != 0) {
    e.fetch_size = in.take_varint();
    if (e.fetch_size == 0) throw archive_error{"a notice of nothing"};
  } else {
    e.payload = bytes::copy(in.take_sized(in.left()));
  }
  if (in.failed() || e.sequence == 0 || back == 0 || back > e.sequence)
    throw archive_error{"an event out of its ranges"};
  e.previous = e.sequence - back;
  return e;
}

}  // namespace

void put_claim(std::vector<std::byte>& buffer, const claim& c) {
  writer out{buffer};
  const bool has_facts = c.facts != nullptr;
  out.put(static_cast<std::uint8_t>(static_cast<unsigned>(c.state) | (has_facts ? claim_has_facts : 0U)));
  out.put(c.about).put(c.boot).put_varint(c.incarnation);
  if (c.state != member_state::alive) out.put(c.accuser.value);
  if (c.state == member_state::left) out.put_sized(c.reason);
  if (has_facts) {
    output_archive archive{buffer};
    archive(*c.facts);
  }
}

claim take_claim(input_archive& archive, std::uint8_t head) {
  if ((head & ~claim_bits) != 0) throw archive_error{"an item of unknown kind"};
  claim c;
  c.state = static_cast<member_state>(head & claim_state_mask);
  reader& in = archive.in();
  c.about = in.take_node_id();
  c.boot = in.take<std::uint64_t>();
  c.incarnation = in.take_varint();
  if (c.state != member_state::alive) c.accuser.value = in.take<std::uint64_t>();
  if (c.state == member_state::left) c.reason = std::string{as_text(in.take_sized(leave_reason_size_max))};
  archive.check();
  if ((head & claim_has_facts) != 0) {
    auto f = std::make_shared<facts>();
    archive(*f);
    if (!sound(*f)) throw archive_error{"facts out of their ranges"};
    c.facts = std::move(f);
  }
  if (c.about.none() || (c.state == member_state::alive && c.facts == nullptr))
    throw archive_error{"a claim of nothing"};
  return c;
}

/// All up to the payload's bytes.
void put_event_head(std::vector<std::byte>& buffer, const event_record& e, bool whole) {
  writer out{buffer};
  out.put(
      static_cast<std::uint8_t>(item_event | (e.question == nullptr ? 0U : item_asks) | (whole ? 0U : item_notice)));
  out.put(e.origin.value).put(e.boot).put_varint(e.sequence).put_varint(e.sequence - e.previous);
  out.put_varint(e.lamport).put_sized(e.topic);
  if (e.question != nullptr) put_question(buffer, *e.question);
  out.put_varint(e.payload.size());
}

items take_items(input_archive& archive) {
  items result;
  while (archive.in().left() > 0) {
    const auto head = archive.in().take<std::uint8_t>();
    if ((head & ~(item_asks | item_notice)) == item_event) {
      result.events.push_back(take_event(archive, head));
    } else {
      result.claims.push_back(take_claim(archive, head));
    }
  }
  archive.check();
  return result;
}

}  // namespace artillery::membership
