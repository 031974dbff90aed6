#pragma once

#include "artillery/replication/types.hpp"

namespace artillery::replication {

/// How much of a chain's log a user has seen: given to a read (`read_options::after`) it makes the answer count at
/// least that much, whichever replica answers, and however weak the read is. So reads of one session are monotone
/// across a switch of replica, and see the session's own writes. Strong reads among themselves need none.
///
/// A value of a few words: keep one for each session, `include` what its operations came to, and hand it on with the
/// session, to another process too (`committed` and `seen` are all there is to it). It belongs to one chain.
///
/// What was acknowledged, or read by a strong or bounded read, is never lost. An eventual read may have counted writes
/// that are lost later, with their head: a token that has seen such a write is void, and a read after it fails with
/// `errc::token_void` rather than answer less. The session then begins anew, with a token of its own.
class session_token {
public:
  constexpr session_token() noexcept = default;
  /// From its parts, as `committed()` and `seen()` told them.
  constexpr session_token(const version& committed, const version& seen) noexcept
      : committed_{committed}, seen_{seen} {}

  /// What a read came to that was asked after this token. (One that was not asked after it may have counted less of
  /// what was not committed; which of the two counts more is then judged by the place in the log.)
  constexpr void include(const read_result& result) noexcept {
    if (!result.committed) {
      if (is_later(result.as_of, seen_)) seen_ = result.as_of;
      return;
    }
    if (is_later(result.as_of, committed_)) committed_ = result.as_of;
    if (seen_.seq <= result.as_of.seq) seen_ = {};
  }

  /// What a write came to that was acknowledged.
  constexpr void include(const write_result& result) noexcept { include_committed(result.version); }

  /// The version of a value that is committed: of what `replica::try_read` found, say.
  constexpr void include_committed(const version& which) noexcept {
    if (is_later(which, committed_)) committed_ = which;
    // Of the same epoch or an earlier one than what was seen: its log has what was seen before it.
    if (seen_.seq <= which.seq && which.epoch <= seen_.epoch) seen_ = {};
  }

  [[nodiscard]] constexpr bool none() const noexcept { return committed_.none() && seen_.none(); }
  /// Everything up to this place is committed; its epoch is that of the replica that told it, or of the write.
  [[nodiscard]] constexpr const version& committed() const noexcept { return committed_; }
  /// What an eventual read counted beyond that; none: nothing.
  [[nodiscard]] constexpr const version& seen() const noexcept { return seen_; }

  friend constexpr bool operator==(const session_token&, const session_token&) noexcept = default;

private:
  /// Judged by the place first: in one log the later place counts everything before it, whichever epoch told it.
  [[nodiscard]] static constexpr bool is_later(const version& a, const version& b) noexcept {
    return a.seq != b.seq ? a.seq > b.seq : a.epoch > b.epoch;
  }

  version committed_;
  version seen_;
};

}  // namespace artillery::replication
