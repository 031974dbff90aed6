#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "artillery/node_id.hpp"
#include "base/wide_integer.hpp"

namespace artillery::detail {

/// One step of SplitMix64 (Steele, Lea & Flood, OOPSLA 2014): a good mixer, used to seed and to hash.
[[nodiscard]] constexpr std::uint64_t mix64(std::uint64_t x) noexcept {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31U);
}

/// FNV-1a over the text, then mixed: the name of a stream or a topic as a number, the same on every machine.
[[nodiscard]] constexpr std::uint64_t hash_name(std::string_view text) noexcept {
  std::uint64_t h = 0xcbf29ce484222325ULL;
  for (char c : text) h = (h ^ static_cast<std::uint8_t>(c)) * 0x100000001b3ULL;
  return mix64(h);
}

/// A seeded stream of random bits (xoshiro256++, Blackman & Vigna 2019). A value: a copy goes on with the same bits.
///
/// The standard library's distributions differ between implementations, so the bounded draws are here.
class random {
public:
  explicit constexpr random(std::uint64_t seed) noexcept {
    for (auto& word : state_) word = seed = mix64(seed);
  }

  /// A stream of its own for `name`: a new draw in one does not shift another.
  [[nodiscard]] constexpr random fork(std::string_view name) const noexcept {
    return random{mix64(state_[0] ^ (state_[2] << 1U)) ^ hash_name(name)};
  }

  constexpr std::uint64_t next() noexcept {
    const std::uint64_t result = rotate(state_[0] + state_[3], 23) + state_[0];
    const std::uint64_t shifted = state_[1] << 17U;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = rotate(state_[3], 45);
    return result;
  }

  /// Uniform in [0, bound); 0 when bound is 0. Lemire's multiplication; its bias of at most bound / 2^64 is of no
  /// account here.
  constexpr std::uint64_t below(std::uint64_t bound) noexcept {
    return static_cast<std::uint64_t>((static_cast<uint128>(next()) * bound) >> 64U);
  }

  /// Uniform in [low, high], both included.
  constexpr std::uint64_t between(std::uint64_t low, std::uint64_t high) noexcept {
    return low + below(high - low + 1);
  }

  /// True in `numerator` of `denominator` cases.
  constexpr bool chance(std::uint64_t numerator, std::uint64_t denominator) noexcept {
    return below(denominator) < numerator;
  }

  /// A fresh identity; never `none()`.
  constexpr node_id identity() noexcept {
    const std::uint64_t high = next();
    const std::uint64_t low = next();
    return {high, low | 1U};
  }

  /// Fisher-Yates; the order depends on nothing but the stream.
  template <class T>
  constexpr void shuffle(std::vector<T>& items) noexcept {
    for (std::size_t i = items.size(); i > 1; --i) {
      const auto j = static_cast<std::size_t>(below(i));
      std::swap(items[i - 1], items[j]);
    }
  }

private:
  static constexpr std::uint64_t rotate(std::uint64_t x, unsigned by) noexcept { return (x << by) | (x >> (64U - by)); }

  std::array<std::uint64_t, 4> state_{};
};

}  // namespace artillery::detail
