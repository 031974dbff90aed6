#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

#include "artillery/bytes.hpp"
#include "base/wide_integer.hpp"

namespace artillery::sim {

/// Everything that happened in a world, folded into 64 bits, the same on every machine. One multiplication a word,
/// since every byte that travels passes here.
class trace {
public:
  template <class Integer>
    requires(std::is_integral_v<Integer> || std::is_enum_v<Integer>)
  trace& add(Integer value) noexcept {
    return fold(static_cast<std::uint64_t>(value));
  }
  trace& add(bytes_view view) noexcept {
    fold(view.size());
    while (view.size() >= sizeof(std::uint64_t)) {
      fold(word(view.first(sizeof(std::uint64_t))));
      view = view.subspan(sizeof(std::uint64_t));
    }
    return view.empty() ? *this : fold(word(view));
  }
  trace& add(std::string_view text) noexcept { return add(as_bytes(text)); }
  [[nodiscard]] std::uint64_t value() const noexcept { return value_; }

private:
  trace& fold(std::uint64_t part) noexcept {
    // The odd constants are those of MurmurHash3's and SplitMix64's mixers; the sum keeps a zero from sticking.
    const auto product = static_cast<detail::uint128>(value_ ^ part ^ 0xff51afd7ed558ccdULL) * 0x9e3779b97f4a7c15ULL;
    value_ = (static_cast<std::uint64_t>(product >> 64U) ^ static_cast<std::uint64_t>(product)) + 0x632be59bd9b4e019ULL;
    return *this;
  }
  /// Up to eight bytes as a number, the first the lowest.
  static std::uint64_t word(bytes_view view) noexcept {
    std::uint64_t read = 0;
    if constexpr (std::endian::native == std::endian::little) {
      std::memcpy(&read, view.data(), view.size());
    } else {
      for (std::size_t i = view.size(); i > 0; --i) read = (read << 8U) | static_cast<std::uint64_t>(view[i - 1]);
    }
    return read;
  }

  std::uint64_t value_ = 0x2545f4914f6cdd1dULL;
};

}  // namespace artillery::sim
