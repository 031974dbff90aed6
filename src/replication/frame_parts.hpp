#pragma once

#include "base/cursor.hpp"
#include "replication/message.hpp"

// What the bodies of several frames have in common: for the files that encode and decode them.

namespace artillery::replication {

using detail::reader;
using detail::writer;

inline writer begin(frame& out, frame_kind kind, std::uint64_t epoch) {
  out.clear();
  writer header{out.header};
  header.put(static_cast<std::uint8_t>(kind)).put(std::uint8_t{0}).put(std::uint16_t{0}).put(epoch);
  return header;
}

inline reader body_of(bytes_view in) noexcept {
  reader body{in};
  static_cast<void>(body.take_raw(frame_header_size));
  return body;
}

inline void put_version(writer& out, const version& v) {
  out.put_varint(v.epoch).put_varint(v.seq);
}
inline version take_version(reader& in) noexcept {
  const std::uint64_t epoch = in.take_varint();
  const std::uint64_t seq = in.take_varint();
  return {epoch, seq};
}

inline reply_status take_status(reader& in) noexcept {
  const auto raw = in.take<std::uint8_t>();
  if (raw > reply_status_max) in.fail();
  return static_cast<reply_status>(raw);
}

/// `view` as a slice of the frame that it was read from.
inline bytes slice_of(const bytes& whole, bytes_view part) noexcept {
  return whole.slice(static_cast<std::size_t>(part.data() - whole.data()), part.size());
}

}  // namespace artillery::replication
