#pragma once

#include <cstdint>
#include <functional>
#include <system_error>

#include "artillery/replication/types.hpp"

namespace artillery::replication {

/// Who decides which view of a chain is in force. Consensus is used for this one thing only; data never passes here.
///
/// Each call answers by calling `done` exactly once, on any thread, possibly before it returns; an authority that goes
/// away drops the handlers it still holds.
class authority {
public:
  using view_handler = std::function<void(std::error_code, view)>;
  using lease_handler = std::function<void(std::error_code, duration)>;

  virtual ~authority() = default;

  /// The newest view that was chosen (linearizable).
  virtual void read(view_handler done) = 0;

  /// Makes `next` the view after `expected`, if `expected` is still the newest epoch. Answers the view now in force:
  /// `next`, or another one with `errc::stale_epoch`.
  virtual void compare_and_swap(std::uint64_t expected, view next, view_handler done) = 0;

  /// "Is `epoch` still the newest, and is `who` in it?" Yes is the length of a lease, counted by the asker from the
  /// moment it made this very call; `duration::max()` is endless. No is `errc::stale_epoch` or `errc::not_serving`.
  virtual void renew(const replica_id& who, std::uint64_t epoch, lease_handler done) = 0;

protected:
  authority() = default;
  authority(const authority&) = default;
  authority& operator=(const authority&) = default;
};

/// One view for ever, endless leases, no failover: while a replica of it is away, writes wait. For tests, comparison,
/// and chains of one.
class static_authority final : public authority {
public:
  /// `only` has an epoch of at least 1 and at least one replica, each under its own node id; otherwise every call
  /// answers `errc::invalid_configuration`.
  explicit static_authority(view only);

  void read(view_handler done) override;
  /// Always refused: `errc::stale_epoch` with the one view there is.
  void compare_and_swap(std::uint64_t expected, view next, view_handler done) override;
  void renew(const replica_id& who, std::uint64_t epoch, lease_handler done) override;

private:
  view view_;
  std::error_code fault_;
};

}  // namespace artillery::replication
