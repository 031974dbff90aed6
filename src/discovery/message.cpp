#include "discovery/message.hpp"

#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>

#include "base/archive.hpp"
#include "base/random.hpp"
#include "discovery/mutant.hpp"

namespace artillery::discovery {

template <class Archive>
void serialize(Archive& archive, txt_entry& entry) {
  archive(entry.key, entry.value);
}

namespace {

constexpr std::uint8_t minor_version = 0;
constexpr std::uint8_t flag_first_wins = 1;
constexpr std::uint16_t authentication_none = 0;
constexpr std::size_t total_length_at = detail::datagram_header_size;
constexpr std::size_t field_header_size = 3;

/// The high bit makes a field critical.
enum class field : std::uint8_t {
  service = 0x81,    // an announcement's identity
  endpoints = 0x82,  // … and where it listens
  txt = 0x03,
  type = 0x84,      // of a question
  known = 0x05,     // of a question
  instance = 0x86,  // of a question, or of a goodbye
  padding = 0x07
};
constexpr std::uint8_t critical = 0x80;

/// The value of the field `service`.
struct identity_value {
  node_id instance;
  std::uint8_t load = 0;
  std::string type;
  std::string protocol;
  std::string name;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(instance, load, type, protocol, name);
  }
};

void put_u16(std::vector<std::byte>& out, std::size_t at, std::size_t value) noexcept {
  out[at] = static_cast<std::byte>(value & 0xffU);
  out[at + 1] = static_cast<std::byte>((value >> 8U) & 0xffU);
}

template <class Put>
void put_field(std::vector<std::byte>& out, field type, Put put_value) {
  detail::writer{out}.put(static_cast<std::uint8_t>(type)).put(std::uint16_t{0});
  const std::size_t start = out.size();
  put_value(detail::writer{out});
  put_u16(out, start - 2, out.size() - start);
}

template <class Value>
void put_archived(std::vector<std::byte>& out, field type, const Value& value) {
  put_field(out, type, [&](detail::writer) { detail::encode(value, out); });
}

void put_header(std::vector<std::byte>& out, const frame_header& h, const realm& where) {
  detail::writer w{out};
  w.put(std::uint16_t{0}).put(minor_version).put(where.hash).put(h.node).put(h.at.epoch).put(h.at.sequence);
  w.put(static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::milliseconds>(h.ttl).count()));
  w.put(h.query).put(h.hop_limit).put(h.answer_port).put(h.sent_us).put(authentication_none);
}

void put_body(std::vector<std::byte>& out, const announcement& a) {
  const service& s = a.what;
  put_archived(out, field::service, identity_value{s.instance, s.load, s.type, s.protocol, s.name});
  put_archived(out, field::endpoints, s.endpoints);
  if (!s.txt.empty()) put_archived(out, field::txt, s.txt);
}

void put_body(std::vector<std::byte>& out, const goodbye& g) {
  put_field(out, field::instance, [&](detail::writer w) { w.put(g.instance); });
}

void put_body(std::vector<std::byte>& out, const question& q) {
  put_field(out, field::type, [&](detail::writer w) { w.put_raw(as_bytes(q.type)); });
  if (!q.instance.none()) put_field(out, field::instance, [&](detail::writer w) { w.put(q.instance); });
  if (q.known.empty()) return;
  put_field(out, field::known, [&](detail::writer w) {
    for (std::uint64_t prefix : q.known) w.put(prefix);
  });
}

void pad(std::vector<std::byte>& out, std::size_t size_min) {
  if (out.size() + field_header_size > size_min) return;
  const std::size_t length = size_min - out.size() - field_header_size;
  put_field(out, field::padding, [&](detail::writer) { out.resize(out.size() + length); });
}

/// What the fields of a frame say, whatever its kind.
struct field_values {
  std::optional<identity_value> identity;
  std::optional<std::vector<endpoint>> endpoints;
  std::vector<txt_entry> txt;
  std::optional<std::string> type;
  std::optional<node_id> instance;
  std::vector<std::uint64_t> known;
};

/// Sets `to` once; a second field of the same type, or one that cannot be read, is malformed.
template <class Value>
std::error_code set_once(std::optional<Value>& to, std::optional<Value> value) {
  if (to || !value) return errc::malformed;
  to = std::move(value);
  return {};
}

std::error_code take_known(bytes_view value, std::vector<std::uint64_t>& known) {
  if (value.size() % 8 != 0 || value.size() / 8 > question::known_max || !known.empty()) return errc::malformed;
  detail::reader in{value};
  known.reserve(value.size() / 8);
  while (in.left() != 0) known.push_back(in.take<std::uint64_t>());
  return {};
}

std::error_code take_field(std::uint8_t type, bytes_view value, field_values& out) {
  switch (static_cast<field>(type)) {
    case field::service: return set_once(out.identity, detail::decode<identity_value>(value));
    case field::endpoints: return set_once(out.endpoints, detail::decode<std::vector<endpoint>>(value));
    case field::type: return set_once(out.type, std::optional{std::string{as_text(value)}});
    case field::instance: return set_once(out.instance, detail::decode<node_id>(value));
    case field::known: return take_known(value, out.known);
    case field::txt: {
      auto txt = detail::decode<std::vector<txt_entry>>(value);
      if (!txt || !out.txt.empty()) return errc::malformed;
      out.txt = std::move(*txt);
      return {};
    }
    case field::padding: return {};
  }
  return (type & critical) != 0 ? make_error_code(errc::unsupported_version) : std::error_code{};
}

std::error_code take_fields(detail::reader in, field_values& out) {
  while (in.left() != 0) {
    const auto type = in.take<std::uint8_t>();
    const auto length = in.take<std::uint16_t>();
    const bytes_view value = in.take_raw(length);
    if (in.failed()) return errc::malformed;
    if (auto error = take_field(type, value, out)) return error;
  }
  return {};
}

std::error_code take_header(detail::reader& in, const realm& where, std::size_t datagram_size, frame_header& h) {
  const auto total = in.take<std::uint16_t>();
  [[maybe_unused]] const auto minor = in.take<std::uint8_t>();  // for people who read traces; fields carry the changes
  const auto hash = in.take<std::uint64_t>();
  h.node = in.take_node_id();
  h.at.epoch = in.take<std::uint64_t>();
  h.at.sequence = in.take<std::uint32_t>();
  h.ttl = std::chrono::milliseconds{in.take<std::uint32_t>()};
  h.query = in.take<std::uint64_t>();
  h.hop_limit = in.take<std::uint8_t>();
  h.answer_port = in.take<std::uint16_t>();
  h.sent_us = in.take<std::uint64_t>();
  const auto authentication = in.take<std::uint16_t>();
  if (in.failed() || total != datagram_size || h.node.none()) return errc::malformed;
  if (hash != where.hash && !mutant(mutation::realm_ignored)) return errc::wrong_cluster;
  return authentication == authentication_none ? std::error_code{} : make_error_code(errc::malformed);
}

std::error_code take_announcement(field_values& fields, frame& out) {
  if (!fields.identity || !fields.endpoints) return errc::malformed;
  service s;
  s.type = std::move(fields.identity->type);
  s.protocol = std::move(fields.identity->protocol);
  s.name = std::move(fields.identity->name);
  s.instance = fields.identity->instance;
  s.load = fields.identity->load;
  s.endpoints = std::move(*fields.endpoints);
  s.txt = std::move(fields.txt);
  // Whoever promises more than an hour is not believed for longer than one.
  out.header.ttl = std::min<duration>(out.header.ttl, service::ttl_max);
  s.ttl = out.header.ttl;
  if (s.instance.none() || s.ttl == duration::zero() || !s.validate().empty()) return errc::malformed;
  out.body = announcement{std::move(s)};
  return {};
}

std::error_code take_body(field_values& fields, std::uint8_t flags, frame& out) {
  switch (out.header.kind) {
    case frame_kind::announce:
    case frame_kind::offer: return take_announcement(fields, out);
    case frame_kind::goodbye:
      if (!fields.instance || fields.instance->none()) return errc::malformed;
      out.body = goodbye{*fields.instance};
      return {};
    case frame_kind::seek: {
      if (!fields.type || (!fields.type->empty() && !validate_type(*fields.type).empty())) return errc::malformed;
      out.body = question{std::move(*fields.type), fields.instance.value_or(node_id{}), std::move(fields.known),
                          (flags & flag_first_wins) != 0};
      return {};
    }
  }
  return errc::unsupported_version;  // a kind from the future
}

std::uint8_t flags_of(const frame& what) noexcept {
  const auto* q = std::get_if<question>(&what.body);
  return q != nullptr && q->first_wins ? flag_first_wins : std::uint8_t{0};
}

}  // namespace

realm realm::of(std::string_view cluster) noexcept {
  // Mixed with a constant: the tag must not be half of the hash, or it would add nothing to it.
  return {detail::cluster_tag(cluster), detail::mix64(detail::hash_name(cluster) ^ 0x64697363'6f766572ULL)};
}

void encode(const frame& what, const realm& where, std::size_t size_min, std::vector<std::byte>& out) {
  detail::begin_datagram(out, {detail::module::discovery, static_cast<std::uint8_t>(what.header.kind), flags_of(what)},
                         where.tag);
  put_header(out, what.header, where);
  std::visit([&](const auto& body) { put_body(out, body); }, what.body);
  pad(out, std::min(size_min, frame_size_max));
  put_u16(out, total_length_at, out.size());
  detail::seal_datagram(out);
}

decoded_frame decode(bytes_view datagram, const realm& where) {
  decoded_frame result;
  if (datagram.size() > frame_size_max) {
    result.error = errc::malformed;
    return result;
  }
  const auto opened = detail::open_datagram(datagram, detail::module::discovery, where.tag);
  result.error = opened.error;
  if (result.error) return result;
  detail::reader in{opened.body};
  result.what.header.kind = static_cast<frame_kind>(opened.prefix.kind);
  result.error = take_header(in, where, datagram.size(), result.what.header);
  if (result.error) return result;
  field_values fields;
  result.error = take_fields(in, fields);
  if (!result.error) result.error = take_body(fields, opened.prefix.flags, result.what);
  return result;
}

}  // namespace artillery::discovery
