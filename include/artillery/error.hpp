#pragma once

#include <system_error>

namespace artillery {

/// Why an operation was not done. Every code says whether anything changed.
///
/// Expected negatives (a key that is absent, a swap whose condition did not hold) are values, not errors.
enum class errc {
  // --- any module ---
  /// A configuration value is out of its range. Nothing was started.
  invalid_configuration = 1,
  /// An argument is out of its range (an empty key, a topic too long). Nothing changed.
  invalid_argument,
  /// The payload is larger than its limit. Nothing changed; the limit is documented at the call.
  too_large,
  /// A bounded queue is full. Nothing changed; try again when it has drained.
  would_overflow,
  /// The deadline passed before an answer came. What was asked for may still happen unless the call says otherwise.
  timed_out,
  /// The object is not running: `async_run` was not started, or it has ended. Nothing changed.
  not_running,
  /// `async_run`, or another operation of which there can be only one, is under way already. Nothing changed.
  already_running,
  /// A promise that the protocol makes to itself was broken: the object stopped serving and sending. A bug; please
  /// report it.
  invariant_broken,

  // --- wire ---
  /// Bytes that are not a message: too short, too long, or of contradicting lengths. They were dropped.
  malformed,
  /// A message of a wire version that is not spoken here. It was dropped.
  unsupported_version,
  /// A message of another cluster. It was dropped.
  wrong_cluster,
  /// The checksum does not match. It was dropped.
  checksum_mismatch,

  // --- membership ---
  /// This node has left the cluster; a new `cluster` object is needed to come back. Nothing changed.
  has_left,
  /// No member of that name or id is known. Nothing changed.
  unknown_member,

  // --- replication ---
  /// The request was made in an older view. Nothing changed; fetch the newer view and try again.
  stale_epoch,
  /// This node does not serve the chain (it is not in the view, or the view is not in force). Nothing changed.
  not_serving,
  /// The write was sent to a replica that is not the head. Nothing changed.
  not_head,
  /// Only the tail can do this, and it was asked of another replica. Nothing changed.
  not_tail,
  /// The head's window is full. Nothing changed by this attempt; try again later.
  busy,
  /// The chain has this node's id under a later incarnation: another process uses the id, or this one's incarnation is
  /// not above those of its earlier lives. Give each process an id of its own, and each life a higher incarnation.
  node_id_in_use,
  /// The write may or may not have happened: the answer did not arrive in time.
  outcome_unknown,
  /// The session has ended, or was never opened here. Nothing changed by this attempt.
  unknown_session,
  /// The session token of a read counts a write that the chain has not got, or no longer: what an eventual read saw was
  /// lost with its head. Nothing changed; read without the token, and go on with a new one.
  token_void,
  /// The chain can make no progress: a member is unreachable and nobody may change the view. Writes wait; nothing is
  /// lost.
  chain_stopped,
  /// The voters hold another first view: this chain was founded otherwise. Nothing changed at any of them.
  other_genesis,
  /// The voters that are configured are not those that the chain was founded with. Nothing changed.
  voters_disagree,
  /// A majority of the voters answers, so that the chain can heal itself: nothing is to be forced. Nothing changed.
  has_quorum,

  // --- directories ---
  /// Another process, or another object of this one, has the directory. Nothing changed.
  directory_in_use,
  /// A file is cut short, was edited, or has rotten. Nothing changed; the log says which one and what to do.
  damaged_data,
  /// A file was written by a newer version of the program. Nothing changed; start that version with it.
  newer_format,
  /// A file belongs to another chain or another node. Nothing changed.
  foreign_data,
};

/// The category of `errc`: name "artillery", a message for every code.
[[nodiscard]] const std::error_category& error_category() noexcept;

[[nodiscard]] std::error_code make_error_code(errc code) noexcept;

}  // namespace artillery

template <>
struct std::is_error_code_enum<artillery::errc> : std::true_type {};
