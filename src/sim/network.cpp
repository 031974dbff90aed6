#include "sim/network.hpp"

#include <bit>

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

network::network(std::uint64_t seed, const link_faults& faults)
    : faults_{faults},
      delays_{detail::random{seed}.fork("network.delay")},
      losses_{detail::random{seed}.fork("network.loss")},
      detours_{detail::random{seed}.fork("network.reorder")},
      duplicates_{detail::random{seed}.fork("network.duplication")},
      tampering_{detail::random{seed}.fork("network.corruption")},
      resets_{detail::random{seed}.fork("network.reset")},
      disk_{detail::random{seed}.fork("disk.delay")} {}

duration network::delay(host from, host to) {
  const link_faults& faults = of(from, to);
  return faults.delay_min + exponential(delays_, faults.delay_mean);
}

bool network::loses(host from, host to, std::size_t size) {
  const link_faults& faults = of(from, to);
  const bool lost = losses_.chance(faults.loss, thousand);
  return lost || size > faults.datagram_max;
}

duration network::detour(host from, host to) {
  const link_faults& faults = of(from, to);
  if (!detours_.chance(faults.reorder, thousand)) return duration::zero();
  return uniform(detours_, faults.reorder_delay);
}

bool network::duplicates(host from, host to) {
  return duplicates_.chance(of(from, to).duplication, thousand);
}

duration network::echo_delay() {
  constexpr duration soon = std::chrono::milliseconds{5};
  constexpr duration late = std::chrono::seconds{60};
  const bool is_late = duplicates_.chance(1, 8);
  return uniform(duplicates_, is_late ? late : soon);
}

bytes network::tamper(host from, host to, bytes message) {
  if (!tampering_.chance(of(from, to).corruption, thousand) || message.empty()) return message;
  bytes_buffer copy{message.size()};
  std::memcpy(copy.data(), message.data(), message.size());
  const std::uint64_t bit = tampering_.below(message.size() * 8);
  copy.data()[bit / 8] ^= std::byte{1} << static_cast<int>(bit % 8);
  return std::move(copy).freeze(message.size());
}

bool network::resets(host from, host to) {
  return resets_.chance(of(from, to).stream_reset, thousand);
}

duration network::disk_delay() {
  if (disk_.chance(1, 8)) return duration::zero();
  return exponential(disk_, std::chrono::milliseconds{1});
}

}  // namespace artillery::sim
