#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <utility>

#include "artillery/sim.hpp"
#include "base/random.hpp"

namespace artillery::sim {

/// What the network does to one message. Every question draws from a stream of its own, so that a fault switched on or
/// off does not shift the others.
class network {
public:
  network(std::uint64_t seed, const link_faults& faults);

  void set_faults(const link_faults& faults) { faults_ = faults; }
  void set_faults(host from, host to, const link_faults& faults) { own_faults_.insert_or_assign({from, to}, faults); }

  void cut(host from, host to) { cuts_.insert({from, to}); }
  void mend(host from, host to) { cuts_.erase({from, to}); }
  void heal() { cuts_.clear(); }
  [[nodiscard]] bool is_cut(host from, host to) const { return !cuts_.empty() && cuts_.contains({from, to}); }

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
  /// Of a stream frame: whether the stream breaks at it.
  [[nodiscard]] bool resets(host from, host to);
  /// How long a `persist` takes; now and then no time at all.
  [[nodiscard]] duration disk_delay();

private:
  [[nodiscard]] const link_faults& of(host from, host to) const {
    if (own_faults_.empty()) return faults_;
    const auto found = own_faults_.find({from, to});
    return found == own_faults_.end() ? faults_ : found->second;
  }

  link_faults faults_;
  std::map<std::pair<host, host>, link_faults> own_faults_;
  std::set<std::pair<host, host>> cuts_;
  detail::random delays_;
  detail::random losses_;
  detail::random detours_;
  detail::random duplicates_;
  detail::random tampering_;
  detail::random resets_;
  detail::random disk_;
};

/// A draw from the exponential distribution of this mean, in integers so that every machine draws the same. The
/// logarithm is linear between powers of two: good enough for delays.
[[nodiscard]] duration exponential(detail::random& random, duration mean);

}  // namespace artillery::sim
