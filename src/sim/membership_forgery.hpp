#pragma once

#include <cstdint>
#include <vector>

#include "base/random.hpp"
#include "membership/core.hpp"

namespace artillery::sim {

/// What somebody may send who has no part in a cluster but knows how its members talk. None of it may be believed but
/// `made_up`: members that nobody can tell from real ones until they do not answer.
enum class forgery : std::uint8_t {
  noise,          ///< random bytes
  damaged,        ///< a sound message with bits flipped
  cut_short,      ///< the beginning of a sound message
  spliced,        ///< the beginning of one sound message and the end of another
  other_version,  ///< sound, but of a version that nobody speaks
  other_cluster,  ///< sound, but another cluster's
  made_up,        ///< sound news of members that do not exist
  far_ahead,      ///< a claim of a real member with an incarnation or a boot that cannot be
  old_news,       ///< what was true of an earlier life
  far_event,      ///< an event of a real member, and a message to one, with numbers that cannot be
  stray_acks,     ///< acks to what was never asked
  flood           ///< more requests than anybody serves
};
inline constexpr std::size_t forgeries = 12;

/// Whom a forger pretends to speak of.
struct forgery_target {
  node_id id;
  std::uint64_t boot = 0;
  endpoint at;
};

/// The datagrams of one forgery, which `to` is to read. `made_up` gets the ids that do not exist, of `other_cluster`
/// and of `made_up` alike.
[[nodiscard]] std::vector<bytes> forge(forgery kind, const forgery_target& of, const forgery_target& to,
                                       std::uint32_t cluster, detail::random& random, std::vector<node_id>& made_up);

}  // namespace artillery::sim
