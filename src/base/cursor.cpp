#include "base/cursor.hpp"

#include <algorithm>

namespace artillery::detail {
namespace {
constexpr std::uint8_t family_v4 = 4;
constexpr std::uint8_t family_v6 = 6;
constexpr std::uint8_t family_v6_scoped = 0x86;
}  // namespace

writer& writer::put(const endpoint& e) {
  const bool scoped = e.scope() != 0;
  put(e.is_v6() ? (scoped ? family_v6_scoped : family_v6) : family_v4);
  put_raw(std::as_bytes(std::span{e.address()}.first(e.is_v6() ? 16 : 4)));
  if (scoped) put(e.scope());
  return put(e.port());
}

std::uint64_t reader::take_varint() noexcept {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const auto byte = take<std::uint8_t>();
    if (failed_) return 0;
    const std::uint64_t part = byte & 0x7fU;
    if (shift == 63 && part > 1) break;  // would not fit in 64 bits
    value |= part << shift;
    if ((byte & 0x80U) == 0) {
      if (shift > 0 && part == 0) break;  // a padded form: one value has one encoding
      return value;
    }
  }
  fail();
  return 0;
}

endpoint reader::take_endpoint() noexcept {
  const auto family = take<std::uint8_t>();
  if (family == family_v4) {
    std::array<std::uint8_t, 4> address{};
    const bytes_view raw = take_raw(4);
    std::transform(raw.begin(), raw.end(), address.begin(),
                   [](std::byte b) { return std::to_integer<std::uint8_t>(b); });
    const auto port = take<std::uint16_t>();
    return endpoint::v4(address, port);
  }
  if (family == family_v6 || family == family_v6_scoped) {
    std::array<std::uint8_t, 16> address{};
    const bytes_view raw = take_raw(16);
    std::transform(raw.begin(), raw.end(), address.begin(),
                   [](std::byte b) { return std::to_integer<std::uint8_t>(b); });
    const auto scope = family == family_v6_scoped ? take<std::uint32_t>() : 0U;
    const auto port = take<std::uint16_t>();
    return endpoint::v6(address, port, scope);
  }
  fail();
  return {};
}

}  // namespace artillery::detail
