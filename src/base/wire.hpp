#pragma once

#include <cstdint>
#include <vector>

#include "artillery/bytes.hpp"
#include "artillery/error.hpp"
#include "base/cursor.hpp"

// The prefix of everything that artillery sends, and the datagram layout on top of it (docs/wire-format.md).
//
//   prefix    magic 0xA7 | wire version | module (3 bits), kind (5 bits) | flags
//   datagram  prefix | key id 1 | cluster tag 4 | CRC-32C 4 | body
//   stream    every frame: length 4 (of what follows) | …; the first frame of either side starts with
//             prefix | key id 1 | cluster tag 4 | oldest version 1 | newest version 1
//
// Key id 0 means "no key". With a key, an authentication tag of 16 bytes takes the checksum's place.

namespace artillery::detail {

enum class module : std::uint8_t { discovery = 1, membership = 2, replication = 3 };

inline constexpr std::uint8_t wire_magic = 0xA7;
inline constexpr std::uint8_t wire_version = 1;
inline constexpr std::uint8_t wire_version_oldest = 1;
inline constexpr std::size_t wire_prefix_size = 4;
inline constexpr std::size_t datagram_header_size = 13;
inline constexpr std::uint8_t wire_kind_max = 31;

/// The four bytes that tell one cluster's traffic from another's. Not a secret: a mark against mixing, not against
/// malice.
[[nodiscard]] std::uint32_t cluster_tag(std::string_view cluster_name) noexcept;

struct wire_prefix {
  detail::module module{};
  std::uint8_t kind = 0;
  std::uint8_t flags = 0;
};

void put_prefix(writer& out, const wire_prefix& prefix);

/// Reads a prefix; `errc::malformed` or `errc::unsupported_version` when it is none of ours.
[[nodiscard]] std::error_code take_prefix(reader& in, wire_prefix& prefix) noexcept;

/// Starts a datagram: `out` is cleared and given a header whose checksum `seal_datagram` fills in.
void begin_datagram(std::vector<std::byte>& out, const wire_prefix& prefix, std::uint32_t cluster);
void seal_datagram(std::vector<std::byte>& out) noexcept;

struct opened_datagram {
  std::error_code error;  // set: nothing else counts
  wire_prefix prefix;
  bytes_view body;
};

/// Checks prefix, module, cluster and checksum.
[[nodiscard]] opened_datagram open_datagram(bytes_view datagram, detail::module expected,
                                            std::uint32_t cluster) noexcept;

/// Writes the start of a stream's first frame.
void put_handshake(writer& out, const wire_prefix& prefix, std::uint32_t cluster);

/// Reads it; on success `version` is the newest that both sides speak.
[[nodiscard]] std::error_code take_handshake(reader& in, detail::module expected, std::uint32_t cluster,
                                             wire_prefix& prefix, std::uint8_t& version) noexcept;

}  // namespace artillery::detail
