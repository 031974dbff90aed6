#include "sim/network.hpp"

#include <bit>
#include <cstring>
#include <optional>
#include <utility>

namespace artillery::sim {
namespace {

constexpr std::uint64_t thousand = 1000;

duration uniform(detail::random& random, duration max) {
  if (max <= duration::zero()) return duration::zero();
  return duration{static_cast<duration::rep>(random.below(static_cast<std::uint64_t>(max.count())))};
}

}  // namespace

duration exponential(detail::random& random, duration mean) {
  if (mean <= duration::zero()) return duration::zero();
  // -ln(u) = (64 - log2(U)) · ln 2 for U uniform in 1 … 2^64, with 16 fractional bits.
  const std::uint64_t u = random.next() | 1U;
  const auto zeros = static_cast<unsigned>(std::countl_zero(u));
  const std::uint64_t fraction = (u << zeros) << 1U >> 48U;  // the bits after the leading one
  const std::uint64_t negative_log2 = (static_cast<std::uint64_t>(zeros + 1) << 16U) - fraction;
  const std::uint64_t negative_ln = negative_log2 * 45'426 >> 16U;  // ln 2 · 2^16
  const auto scaled = static_cast<detail::uint128>(static_cast<std::uint64_t>(mean.count())) * negative_ln >> 16U;
  return duration{static_cast<duration::rep>(scaled)};
}

bytes flip_bit(const bytes& original, detail::random& random) {
  bytes_buffer copy{original.size()};
  std::memcpy(copy.data(), original.data(), original.size());
  const std::uint64_t bit = random.below(original.size() * 8);
  copy.data()[bit / 8] ^= std::byte{1} << static_cast<int>(bit % 8);
  return std::move(copy).freeze(original.size());
}

network::network(std::uint64_t seed, const link_faults& faults)
    : faults_{faults},
      delays_{detail::random{seed}.fork("network.delay")},
      losses_{detail::random{seed}.fork("network.loss")},
      detours_{detail::random{seed}.fork("network.reorder")},
      duplicates_{detail::random{seed}.fork("network.duplication")},
      tampering_{detail::random{seed}.fork("network.corruption")},
      garbage_{detail::random{seed}.fork("network.garbage")},
      resets_{detail::random{seed}.fork("network.reset")} {}

std::uint8_t& network::way(host from, host to) {
  if (from >= ways_.size()) ways_.resize(from + 1);
  if (to >= ways_[from].size()) ways_[from].resize(to + 1);
  return ways_[from][to];
}

void network::set_faults(host from, host to, const link_faults& faults) {
  own_faults_.insert_or_assign({from, to}, faults);
  way(from, to) |= has_own_faults_bit;
}

void network::heal() noexcept {
  for (auto& row : ways_) {
    for (std::uint8_t& each : row) each &= has_own_faults_bit;
  }
}

duration network::delay(host from, host to) {
  const link_faults& faults = of(from, to);
  return faults.delay_min + exponential(delays_, faults.delay_mean);
}

bool network::loses(host from, host to, std::size_t size) {
  const link_faults& faults = of(from, to);
  const bool lost = faults.loss != 0 && losses_.chance(faults.loss, thousand);
  return lost || size > faults.datagram_max;
}

duration network::detour(host from, host to) {
  const link_faults& faults = of(from, to);
  if (faults.reorder == 0 || !detours_.chance(faults.reorder, thousand)) return duration::zero();
  return uniform(detours_, faults.reorder_delay);
}

bool network::duplicates(host from, host to) {
  const std::uint32_t share = of(from, to).duplication;
  return share != 0 && duplicates_.chance(share, thousand);
}

duration network::echo_delay() {
  constexpr duration soon = std::chrono::milliseconds{5};
  constexpr duration late = std::chrono::seconds{60};
  const bool is_late = duplicates_.chance(1, 8);
  return uniform(duplicates_, is_late ? late : soon);
}

bytes network::tamper(host from, host to, bytes message) {
  const std::uint32_t share = of(from, to).corruption;
  if (share == 0 || !tampering_.chance(share, thousand) || message.empty()) return message;
  return flip_bit(message, tampering_);
}

std::optional<bytes> network::garbage(std::uint32_t share, const bytes& real) {
  if (share == 0) return std::nullopt;
  const bytes before = std::exchange(last_real_, real);
  if (!garbage_.chance(share, thousand)) return std::nullopt;
  constexpr std::uint64_t random_size_max = 1500;
  const std::uint64_t kind = real.empty() ? 0 : garbage_.below(4);
  if (kind == 1) {
    bytes flipped = real;
    for (std::uint64_t flips = garbage_.between(1, 8); flips > 0; --flips) flipped = flip_bit(flipped, garbage_);
    return flipped;
  }
  if (kind == 2) return real.slice(0, static_cast<std::size_t>(garbage_.below(real.size())));
  if (kind == 3) {
    const auto head = static_cast<std::size_t>(garbage_.below(real.size() + 1));
    const auto tail = static_cast<std::size_t>(garbage_.below(before.size() + 1));
    bytes_buffer spliced{head + tail};
    if (head != 0) std::memcpy(spliced.data(), real.data(), head);
    if (tail != 0) std::memcpy(spliced.data() + head, before.data() + before.size() - tail, tail);
    return std::move(spliced).freeze(head + tail);
  }
  const auto size = static_cast<std::size_t>(garbage_.below(random_size_max));
  bytes_buffer noise{size};
  for (std::size_t i = 0; i < size; ++i) noise.data()[i] = static_cast<std::byte>(garbage_.below(256));
  return std::move(noise).freeze(size);
}

bool network::resets(host from, host to) {
  const std::uint32_t share = of(from, to).stream_reset;
  return share != 0 && resets_.chance(share, thousand);
}

}  // namespace artillery::sim
