#pragma once

#include <chrono>
#include <cstdint>

#include "artillery/clock.hpp"
#include "artillery/replication/types.hpp"
#include "base/state_hash.hpp"

namespace artillery::replication {

/// G: how long a new tail waits, on its own clock, for the leases of those whom its view excludes: the longest that one
/// of them can last, on the slowest clock that is allowed, as the fastest one counts it; and a little for clocks that
/// move in steps.
[[nodiscard]] duration gate_length(duration lease, std::uint32_t drift_ppm) noexcept;

/// Whether somebody who is not among the replicas of `now` may still hold a right to read.
[[nodiscard]] bool has_gate(const view& now) noexcept;

/// What a tail may do in its epoch (R8, R9). It *opens* when it becomes able to commit, and then commits all that it
/// holds in the same step; until then it commits nothing, and tells what is committed only if it had that right in the
/// epoch that it adopted last before this one. *Frozen*, while it promotes a learner, it does neither, and does not
/// open.
class opening {
public:
  /// It is a tail from now on. `had_right`: `keeps_right()` of the epoch before, if it was its tail.
  void begin(bool had_right, time_point opens_at) noexcept;
  /// It is no tail any more.
  void end() noexcept { *this = {}; }

  [[nodiscard]] bool is_open() const noexcept { return open_; }
  [[nodiscard]] bool is_frozen() const noexcept { return frozen_; }
  [[nodiscard]] time_point opens_at() const noexcept { return opens_at_; }
  /// Records are committed as they come.
  [[nodiscard]] bool commits() const noexcept;
  /// The own watermark may be told, and objects with records above it answered at it.
  [[nodiscard]] bool exposes() const noexcept;
  /// As `exposes`, of the epoch that ends.
  [[nodiscard]] bool keeps_right() const noexcept;
  /// Nothing but a call of `open` is missing.
  [[nodiscard]] bool is_due(time_point now) const noexcept;

  void open() noexcept;
  /// Nobody excluded holds a lease any more: no need to wait longer.
  void hurry(time_point now) noexcept;
  /// `last`: the newest record that is held.
  void freeze(std::uint64_t last, time_point now) noexcept;
  void thaw() noexcept { frozen_ = false; }
  [[nodiscard]] std::uint64_t frozen_last() const noexcept { return frozen_last_; }
  [[nodiscard]] time_point frozen_at() const noexcept { return frozen_at_; }

  void hash(detail::state_hash& into, time_point now) const;

private:
  bool open_ = false;
  bool right_ = false;
  bool frozen_ = false;
  bool waits_ = false;
  time_point opens_at_{};
  std::uint64_t frozen_last_ = 0;
  time_point frozen_at_{};
};

}  // namespace artillery::replication
