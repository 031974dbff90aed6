#pragma once

#include <cstdint>
#include <string>
#include <system_error>
#include <variant>
#include <vector>

#include "artillery/bytes.hpp"
#include "artillery/discovery/types.hpp"
#include "base/wire.hpp"

// The frame of our own providers: a datagram as in base/wire.hpp whose body is
//
//   total length 2 (of the whole datagram; must match) | minor version 1 | realm 8 | node id 16 | boot epoch µs 8
//   | sequence 4 | ttl ms 4 | query id 8 | hop limit 1 | answer port 2 | send time µs 8 | authentication length 2
//   | fields … | authentication trailer (none yet)
//
// A field is: type 1 | length 2 | value. Unknown ones are skipped, unless the type has its high bit: those are
// critical, and refuse the frame. The hop limit will stand outside what is authenticated, because relays change it.

namespace artillery::discovery {

/// Larger datagrams are not ours: what passes every link unfragmented, tunnels included.
inline constexpr std::size_t frame_size_max = 1200;
/// Questions are padded to this, so that an ordinary answer is not larger than its question.
inline constexpr std::size_t frame_size_aim = 512;

/// The cluster as frames carry it. Two hashes of one name: the tag is what all of artillery's datagrams have, the full
/// one makes an accidental match as unlikely as it should be on a shared port.
struct realm {
  std::uint32_t tag = 0;
  std::uint64_t hash = 0;

  [[nodiscard]] static realm of(std::string_view cluster) noexcept;
};

/// What one node said, in the order in which it said it: a later life of the node is later than any earlier one.
struct position {
  std::uint64_t epoch = 0;
  std::uint32_t sequence = 0;

  friend constexpr bool operator==(const position&, const position&) noexcept = default;
  friend constexpr std::strong_ordering operator<=>(const position&, const position&) noexcept = default;
};

enum class frame_kind : std::uint8_t { announce = 1, goodbye = 2, seek = 3, offer = 4 };

struct frame_header {
  frame_kind kind{};
  node_id node;
  position at;
  duration ttl{};  ///< whole milliseconds
  std::uint64_t query = 0;
  std::uint8_t hop_limit = 0;
  std::uint16_t answer_port = 0;  ///< 0: the source port of the datagram
  std::uint64_t sent_us = 0;

  friend bool operator==(const frame_header&, const frame_header&) = default;
};

/// ANNOUNCE to all, OFFER to the one who asked.
struct announcement {
  service what;

  friend bool operator==(const announcement&, const announcement&) = default;
};

struct goodbye {
  node_id instance;

  friend bool operator==(const goodbye&, const goodbye&) = default;
};

struct question {
  /// Known services that fit beside the longest type into the largest frame.
  static constexpr std::size_t known_max = 128;

  std::string type;                  ///< empty: any
  node_id instance;                  ///< not none: only this one
  std::vector<std::uint64_t> known;  ///< upper halves of instance ids that need no answer
  bool first_wins = false;           ///< the asker takes one: the less loaded should answer sooner

  friend bool operator==(const question&, const question&) = default;
};

struct frame {
  frame_header header;
  std::variant<announcement, goodbye, question> body;

  friend bool operator==(const frame&, const frame&) = default;
};

/// Writes `what` into `out` (cleared before), padded to `size_min` bytes at least.
void encode(const frame& what, const realm& where, std::size_t size_min, std::vector<std::byte>& out);

struct decoded_frame {
  std::error_code error;  ///< malformed, unsupported_version, wrong_cluster, checksum_mismatch
  frame what;
};

/// Total: any bytes give a frame or an error. The service of an announcement that is decoded is valid.
[[nodiscard]] decoded_frame decode(bytes_view datagram, const realm& where);

}  // namespace artillery::discovery
