#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <system_error>
#include <vector>

#include "artillery/clock.hpp"
#include "artillery/node_id.hpp"
#include "artillery/replication/types.hpp"

namespace artillery::replication {

/// A place in the one order of all attempts to write the register that holds the view. An authority without ballots
/// leaves it zero.
struct ballot {
  std::uint64_t round = 0;
  node_id proposer;
  std::uint64_t incarnation = 0;  ///< of the proposer's process: no two attempts have the same ballot

  friend constexpr bool operator==(const ballot&, const ballot&) noexcept = default;
  friend constexpr std::strong_ordering operator<=>(const ballot&, const ballot&) noexcept = default;
};

/// A view that is in force or was, and a ballot in which a majority of voters accepted it.
struct chosen_view {
  replication::view view;
  ballot chosen_in;

  friend bool operator==(const chosen_view&, const chosen_view&) = default;
};

/// Who decides which view of a chain is in force. Consensus is used for this one thing only; data never passes here.
///
/// Each call answers by calling `done` at most once, on any thread, possibly before it returns; an authority that goes
/// away, or cannot tell, may drop the handler: whoever asks, asks again after a while. Thread safety: all functions may
/// be called from any thread. An authority may serve the replicas of one process only: calls are all that process's.
class authority {
public:
  /// `fences`: the register was read at a ballot above all that this process proposed before it asked, so that nothing
  /// it proposed can be chosen any more, unless it is this view. False from an authority that cannot tell.
  using read_handler = std::function<void(std::error_code, const chosen_view& newest, bool fences)>;
  using view_handler = std::function<void(std::error_code, const chosen_view& now)>;
  using done_handler = std::function<void(std::error_code)>;
  using quiet_handler = std::function<void(std::error_code, bool is_quiet)>;

  virtual ~authority() = default;

  /// The newest view that was chosen (linearizable). `errc::invalid_configuration`: there is none that could ever be
  /// told; of any other error the asker thinks nothing, and asks again.
  virtual void read(read_handler done) = 0;

  /// Makes `next` (of epoch `expected` + 1) the view after `expected`, if that is still the newest epoch. Answers the
  /// view now in force: `next`; or another one, with `errc::stale_epoch`, when `next` will never be chosen. With any
  /// other error nobody knows: it may have been chosen, or may yet be.
  virtual void compare_and_swap(std::uint64_t expected, view next, view_handler done) = 0;

  /// "Is `epoch` still the newest, and is `who` in it?" No error is yes, and lends `who` the view's lease, counted by
  /// the asker from the moment it made this very call. No is `errc::stale_epoch` or `errc::not_serving`; any other
  /// error is neither. A voter may say yes only while the view that it accepted last is of `epoch`, and it takes a
  /// majority of them, asked after this call was made.
  virtual void renew(const replica_id& who, std::uint64_t epoch, done_handler done) = 0;

  /// "Has a majority of voters, each of which accepted `chosen_in` or a higher ballot, given none of `whom` a yes for
  /// an epoch below `epoch` for at least `length`?" Each by its own clock that counts suspended time, the start of its
  /// process counting as a yes to all, and asked after this call was made. `whom`: replicas that are not in the view of
  /// `epoch`; empty: everybody. It lets a new tail begin before the longest lease could have ended. An authority that
  /// cannot tell says no, as this default does: "not yet, ask again".
  virtual void quiet(std::uint64_t epoch, const ballot& chosen_in, duration length, std::vector<replica_id> whom,
                     quiet_handler done);

protected:
  authority() = default;
  authority(const authority&) = default;
  authority& operator=(const authority&) = default;
};

/// One view for ever, endless leases, no failover: while a replica of it is away, writes wait. For tests, comparison,
/// and chains of one.
class static_authority final : public authority {
public:
  /// `only` has an epoch of at least 1 and at least one replica, each under its own node id, and endless leases;
  /// otherwise every call answers `errc::invalid_configuration`.
  explicit static_authority(view only);

  void read(read_handler done) override;
  /// Always refused: `errc::stale_epoch` with the one view there is.
  void compare_and_swap(std::uint64_t expected, view next, view_handler done) override;
  void renew(const replica_id& who, std::uint64_t epoch, done_handler done) override;

private:
  chosen_view only_;
  std::error_code fault_;
};

}  // namespace artillery::replication
