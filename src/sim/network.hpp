#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "artillery/sim.hpp"
#include "base/random.hpp"

namespace artillery::sim {

/// What the network does to one message. Every question draws from a stream of its own, so that a fault switched on or
/// off does not shift the others.
class network {
public:
  network(std::uint64_t seed, const link_faults& faults);

  void set_faults(const link_faults& faults) { faults_ = faults; }
  void set_faults(host from, host to, const link_faults& faults);

  void cut(host from, host to) { way(from, to) |= is_cut_bit; }
  void mend(host from, host to) { way(from, to) &= static_cast<std::uint8_t>(~is_cut_bit); }
  void clog(host from, host to) { way(from, to) |= is_clogged_bit; }
  void unclog(host from, host to) { way(from, to) &= static_cast<std::uint8_t>(~is_clogged_bit); }
  /// No way is cut or clogged any more.
  void heal() noexcept;
  [[nodiscard]] bool is_cut(host from, host to) const noexcept { return (bits(from, to) & is_cut_bit) != 0; }
  [[nodiscard]] bool is_clogged(host from, host to) const noexcept { return (bits(from, to) & is_clogged_bit) != 0; }
  [[nodiscard]] const link_faults& of(host from, host to) const noexcept {
    if ((bits(from, to) & has_own_faults_bit) == 0) return faults_;
    return own_faults_.find({from, to})->second;
  }

  [[nodiscard]] duration delay(host from, host to);
  /// Of a datagram: whether it is lost (loss or size; cuts are asked for separately).
  [[nodiscard]] bool loses(host from, host to, std::size_t size);
  /// Of a datagram: how much longer than the usual delay it takes.
  [[nodiscard]] duration detour(host from, host to);
  [[nodiscard]] bool duplicates(host from, host to);
  /// Of a duplicate: how long after the original's delay it comes; now and then up to a minute.
  [[nodiscard]] duration echo_delay();
  /// The message, now and then with one bit flipped.
  [[nodiscard]] bytes tamper(host from, host to, bytes message);
  /// Bytes that nobody sent, made out of nothing or out of `real` and the message before it, in `share` of thousand
  /// cases.
  [[nodiscard]] std::optional<bytes> garbage(std::uint32_t share, const bytes& real);
  /// Of a stream frame: whether the stream breaks at it.
  [[nodiscard]] bool resets(host from, host to);

private:
  static constexpr std::uint8_t is_cut_bit = 1;
  static constexpr std::uint8_t is_clogged_bit = 2;
  static constexpr std::uint8_t has_own_faults_bit = 4;

  [[nodiscard]] std::uint8_t bits(host from, host to) const noexcept {
    return from < ways_.size() && to < ways_[from].size() ? ways_[from][to] : std::uint8_t{0};
  }
  std::uint8_t& way(host from, host to);

  link_faults faults_;
  std::map<std::pair<host, host>, link_faults> own_faults_;
  std::vector<std::vector<std::uint8_t>> ways_;  // by sender and receiver, as far as there was anything to say of them
  bytes last_real_;
  detail::random delays_;
  detail::random losses_;
  detail::random detours_;
  detail::random duplicates_;
  detail::random tampering_;
  detail::random garbage_;
  detail::random resets_;
};

/// A draw from the exponential distribution of this mean, in integers so that every machine draws the same. The
/// logarithm is linear between powers of two: good enough for delays.
[[nodiscard]] duration exponential(detail::random& random, duration mean);

/// A copy of `original`, which is not empty, in which one bit differs.
[[nodiscard]] bytes flip_bit(const bytes& original, detail::random& random);

}  // namespace artillery::sim
