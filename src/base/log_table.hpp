#pragma once

#include <array>
#include <cstdint>

#include "base/wide_integer.hpp"

namespace artillery::detail {

/// 1000 · log10(n) without floating point (which compilers may round differently): exact to one part in a thousand.
/// 0 for n ≤ 1. Computed by repeated squaring of a 32.32 fixed-point mantissa.
[[nodiscard]] constexpr std::uint32_t log10_milli(std::uint64_t n) noexcept {
  if (n <= 1) return 0;
  // log2 first: integer part by shifting, 20 fractional bits by squaring; then · log10(2) = 0.30103 (301029996 / 10^9).
  unsigned whole = 0;
  for (std::uint64_t m = n; m > 1; m >>= 1U) ++whole;
  std::uint64_t mantissa = whole >= 32 ? n >> (whole - 32) : n << (32 - whole);  // in [2^32, 2^33)
  std::uint64_t fraction = 0;
  for (int bit = 0; bit < 20; ++bit) {
    const auto squared = static_cast<uint128>(mantissa) * mantissa;
    mantissa = static_cast<std::uint64_t>(squared >> 32U);
    fraction <<= 1U;
    if (mantissa >= (std::uint64_t{2} << 32U)) {
      mantissa >>= 1U;
      fraction |= 1U;
    }
  }
  const std::uint64_t log2_fixed = (static_cast<std::uint64_t>(whole) << 20U) | fraction;
  return static_cast<std::uint32_t>((log2_fixed * 301029996ULL / 1'000'000ULL + (1U << 19U)) >> 20U);
}

/// ⌈log10(n)⌉, at least 1 for n > 1: how many rounds gossip needs, but for a factor (SWIM, section 4.1).
[[nodiscard]] constexpr std::uint32_t ceil_log10(std::uint64_t n) noexcept {
  std::uint32_t result = 0;
  for (std::uint64_t power = 1; power < n && result < 20; power *= 10) ++result;
  return result;
}

static_assert(log10_milli(10) == 1000 && log10_milli(100) == 2000 && log10_milli(1000) == 3000);
static_assert(ceil_log10(1) == 0 && ceil_log10(2) == 1 && ceil_log10(10) == 1 && ceil_log10(11) == 2);

}  // namespace artillery::detail
