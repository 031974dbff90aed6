#pragma once

#include <cstdint>

#include "artillery/bytes.hpp"

namespace artillery::detail {

/// CRC-32C (Castagnoli; RFC 3720 appendix B.4), by the processor's instruction where it has one.
/// `start` is the checksum of what came before: crc32c(b, crc32c(a)) is the checksum of a followed by b.
[[nodiscard]] std::uint32_t crc32c(bytes_view data, std::uint32_t start = 0) noexcept;

/// The same by table, on any machine.
[[nodiscard]] std::uint32_t crc32c_portable(bytes_view data, std::uint32_t start = 0) noexcept;

}  // namespace artillery::detail
