#include "base/crc32c.hpp"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace artillery::detail {
namespace {

constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t c = i;
    for (int bit = 0; bit < 8; ++bit) c = (c & 1U) != 0 ? (c >> 1U) ^ 0x82f63b78U : c >> 1U;
    table[i] = c;
  }
  return table;
}

constexpr auto table = make_table();

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t crc32c_sse42(bytes_view data, std::uint32_t start) noexcept {
  std::uint64_t crc = ~start;
  std::size_t i = 0;
  for (; i + 8 <= data.size(); i += 8) {
    std::uint64_t word;
    std::memcpy(&word, data.data() + i, 8);
    crc = _mm_crc32_u64(crc, word);
  }
  auto narrow = static_cast<std::uint32_t>(crc);
  for (; i < data.size(); ++i) narrow = _mm_crc32_u8(narrow, std::to_integer<unsigned char>(data[i]));
  return ~narrow;
}
#endif

}  // namespace

std::uint32_t crc32c_portable(bytes_view data, std::uint32_t start) noexcept {
  std::uint32_t crc = ~start;
  for (std::byte b : data) crc = table[(crc ^ std::to_integer<std::uint32_t>(b)) & 0xffU] ^ (crc >> 8U);
  return ~crc;
}

std::uint32_t crc32c(bytes_view data, std::uint32_t start) noexcept {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2")) return crc32c_sse42(data, start);
#endif
  return crc32c_portable(data, start);
}

}  // namespace artillery::detail
