#pragma once

#include <cstdint>

#include "artillery/clock.hpp"
#include "artillery/endpoint.hpp"
#include "membership/message.hpp"

namespace artillery::membership {

/// What a stream is for. Each carries one question and one answer and is then closed; `compare` goes on as an
/// `exchange` when there is a difference.
enum class stream_purpose : std::uint8_t {
  ping,      ///< ours: a probe where datagrams did not get through
  join,      ///< ours: first exchange with a seed
  compare,   ///< ours: anti-entropy, which asks for digests first
  exchange,  ///< ours: both views, whole or what lies in buckets that differ
  fetch,     ///< ours: an event that a notice told of
  messages,  ///< ours: messages to one member, and their receipts
  serve      ///< the peer's
};

struct stream {
  std::uint64_t number = 0;
  stream_purpose purpose{};
  endpoint peer;
  time_point deadline;  ///< then it is given up
  bool up = false;
  bool greeted = false;              ///< the peer's first frame has come
  bool spoken = false;               ///< our first frame has gone
  bool introduced = false;           ///< the peer has said who it is, and is let in
  node_id who = {};                  ///< what it said
  bucket_set buckets = all_buckets;  ///< of an exchange
  bool joining = false;              ///< of a push-pull: the asker knew nobody
  bool introduces = false;           ///< of a push-pull: this node knew nobody when it began
};

/// Where this node may find its cluster.
struct seed {
  endpoint at;
  time_point next_try;
  duration wait{};
};

/// Members above which an exchange is of the buckets that differ, rather than of all.
inline constexpr std::size_t exchange_whole_max = 32;

/// Bytes of a push-pull frame above which the next entry goes into another: a view of any size never needs a large
/// buffer.
inline constexpr std::size_t push_pull_frame_size = 32 * 1'024;

}  // namespace artillery::membership
