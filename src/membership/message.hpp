#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "artillery/membership/types.hpp"
#include "base/random.hpp"
#include "base/wire.hpp"

// What members say to each other (docs/membership.md has the bytes). A datagram is a fixed body per kind, then items:
// claims and user events that ride along, until its end. A stream's frames are the same messages without a checksum.

namespace artillery::membership {

enum class message_kind : std::uint8_t {
  ping = 1,
  ack = 2,
  ping_request = 3,
  nack = 4,
  stranger = 5,
  gossip = 6,
  announce = 7,
  view_summary = 8,
  event_summary = 9,
  push_pull = 10,
  direct = 11,
  receipt = 12,
  reply = 13,
  reply_receipt = 14,
  event_request = 15,
  event_reply = 16,
  view_buckets = 17,
};

/// A member's id folded to 64 bits: names it where a collision would cost a wasted datagram and nothing else.
struct short_name {
  std::uint64_t value = 0;
  friend bool operator==(const short_name&, const short_name&) noexcept = default;
};
[[nodiscard]] constexpr short_name shorten(const node_id& id) noexcept {
  return {detail::mix64(id.high) ^ id.low};
}
[[nodiscard]] constexpr bool operator==(const node_id& id, const short_name& name) noexcept {
  return shorten(id) == name;
}

/// Names one life of a member in a ping: a later process at the same address does not answer for an earlier one.
[[nodiscard]] constexpr std::uint32_t address_tag(const node_id& id, std::uint64_t boot) noexcept {
  return static_cast<std::uint32_t>(detail::mix64(shorten(id).value ^ detail::mix64(boot)));
}

/// What a member says of itself. Immutable, and shared by all that refer to it.
struct facts {
  std::string name;
  endpoint at;
  tag_map tags;
  std::uint64_t events_sent = 0;  ///< user events that it had sent when it said so: who hears of it expects the next
  std::uint8_t version_oldest = detail::wire_version_oldest;
  std::uint8_t version_newest = detail::wire_version;
  std::string reason = {};  ///< why it left, once it has: told by the claim of that

  friend bool operator==(const facts&, const facts&) = default;
};

/// "This life of this member, at this incarnation, is in this state."
struct claim {
  node_id about;
  std::uint64_t boot = 0;
  std::uint64_t incarnation = 0;
  member_state state = member_state::alive;
  short_name accuser;                              ///< whose suspicion or verdict it is; none in claims of life
  std::shared_ptr<const membership::facts> facts;  ///< always there when alive; else only in a push-pull
  std::string reason = {};                         ///< of one that left: why, in its own words; may be empty
};

/// What makes an event a query: for how long answers are taken, and who is asked.
struct question {
  std::uint32_t timeout_ms = 0;
  tag_map tags;
  std::vector<short_name> members;
};

/// A user event on its way. `previous` is the number of the origin's event before it with the same topic, 0 for none.
struct event_record {
  short_name origin;
  std::uint64_t boot = 0;
  std::uint64_t sequence = 0;
  std::uint64_t previous = 0;
  std::uint64_t lamport = 0;
  std::string topic;
  bytes payload;
  std::shared_ptr<const membership::question> question = nullptr;  ///< none: an event
  std::uint64_t fetch_size = 0;  ///< of a notice: so many bytes of payload are to be fetched
};

struct items {
  std::vector<claim> claims;
  std::vector<event_record> events;
};

/// Members by the first bits of their names: a large view is compared by the sums of these, so that a few that differ
/// are found among thousands without listing all.
inline constexpr std::size_t view_bucket_bits = 6;
inline constexpr std::size_t view_bucket_count = std::size_t{1} << view_bucket_bits;
using bucket_sums = std::array<std::uint32_t, view_bucket_count>;
[[nodiscard]] constexpr std::size_t bucket_of(short_name name) noexcept {
  return static_cast<std::size_t>(name.value >> (64 - view_bucket_bits));
}
/// A set of buckets, a bit for each.
using bucket_set = std::uint64_t;
static_assert(view_bucket_count == 64);
inline constexpr bucket_set all_buckets = ~bucket_set{0};

/// Short sums over what a node knows: while they are equal, nobody has missed anything.
struct digests {
  std::uint32_t view = 0;
  std::uint32_t events = 0;
  friend bool operator==(const digests&, const digests&) noexcept = default;
};

struct ping {
  std::uint32_t sequence = 0;
  std::uint32_t addressee = 0;
  short_name sender;
  membership::digests digests = {};
};
struct ack {
  std::uint32_t sequence = 0;
  membership::digests digests = {};
  endpoint seen_at = {};  ///< where the ping came from, if that is not where its sender says that it is
};
struct ping_request {
  std::uint32_t sequence = 0;
  short_name target;
  std::uint32_t addressee = 0;
  std::uint32_t left_ms = 0;  ///< what the asker's patience has left
};
struct nack {
  std::uint32_t sequence = 0;
};
/// Answer to a ping that was meant for another: who listens here instead rides along as a claim.
struct stranger {
  std::uint32_t sequence = 0;
};
struct gossip {};
/// "I am new": own claim rides along; the receiver answers with all the claims that fit.
struct announce {};

struct view_entry {
  short_name name;
  std::uint32_t version = 0;
};
/// A repair in three steps: a list, the list of the other, and in between and after it the claims that differ.
enum class repair_step : std::uint8_t { question, answer, claims };

/// The members that the sender holds for present, between two names, with a hash of what it knows of each.
struct view_summary {
  repair_step step = repair_step::question;
  short_name sender;
  std::uint64_t first = 0;
  std::uint64_t last = ~std::uint64_t{0};
  std::vector<view_entry> entries;
};

/// "These are the sums of my buckets." Over a stream the other's are the answer; to a datagram it is questions for what
/// lies in buckets that differ.
struct view_buckets {
  short_name sender;
  bucket_sums sums{};
};

struct event_entry {
  short_name origin;
  std::uint64_t boot = 0;
  std::uint64_t base = 0;   ///< all of the origin's events up to this one are here
  std::uint64_t ahead = 0;  ///< bit i: event base + 2 + i is here, too
};
struct event_summary {
  bool answer = false;    ///< an answer is not answered by another
  bool complete = false;  ///< origins that are not listed have nothing here
  short_name sender;
  std::vector<event_entry> entries;
};

struct push_pull_entry {
  membership::claim claim;
  std::uint64_t events_base = 0;  ///< all up to here were delivered to the sender, or sent by it
  bool firm = false;              ///< and nothing moves the sender's beginning any more
};
/// One part of a view, or of some buckets of it. The sender's own claim comes first of all.
struct push_pull {
  bool joining = false;
  bool answer = false;
  bool last = false;
  std::uint64_t before_you = 0;  ///< events of the sender from before it knew the receiver
  bucket_set buckets = all_buckets;
  std::vector<push_pull_entry> entries = {};
};

/// From one member to another alone. Datagrams and frames are numbered apart, by each sender for each receiver.
struct direct {
  short_name sender;
  std::uint64_t boot = 0;       ///< the sender's
  std::uint32_t addressee = 0;  ///< `address_tag` of the life that it is for
  std::uint64_t number = 0;
  std::uint64_t question = 0;  ///< of the addressee's, that this answers; 0: it is a message
  std::string topic;
  bytes payload;
};
/// What became of a `direct`.
enum class verdict : std::uint8_t {
  taken,           ///< it is here, now or since an earlier attempt
  not_addressee,   ///< another process listens here, or one that leaves
  unknown_sender,  ///< not met yet: to be sent again
  renumber         ///< its number is no use here: to be sent again above `highest`
};
[[nodiscard]] std::string_view to_string(verdict what) noexcept;
struct receipt {
  std::uint64_t number = 0;
  membership::verdict verdict = verdict::taken;
  std::uint64_t highest = 0;
};

/// To whoever asked: that its question is here, or the answer where that fits a datagram (else it is a `direct`). Said
/// again until there is a receipt.
struct reply {
  short_name sender;
  std::uint64_t boot = 0;  ///< the sender's
  std::uint32_t addressee = 0;
  std::uint64_t question = 0;
  bool answers = false;
  bytes payload;
};
struct reply_receipt {
  std::uint64_t question = 0;
  bool answers = false;
};

/// Of a stream: an event that a notice told of is wanted.
struct event_request {
  short_name origin;
  std::uint64_t boot = 0;
  std::uint64_t number = 0;
};
/// The event follows, whole, where it was found.
struct event_reply {
  bool found = false;
};

using message_body =
    std::variant<ping, ack, ping_request, nack, stranger, gossip, announce, view_summary, event_summary, push_pull,
                 direct, receipt, reply, reply_receipt, event_request, event_reply, view_buckets>;

struct packet {
  message_body body;
  membership::items items;
};

// ---- writing: into one buffer that is used again and again ----

/// Builds a datagram of at most `limit` bytes.
class datagram_writer {
public:
  datagram_writer(std::vector<std::byte>& buffer, std::uint32_t cluster, std::size_t limit)
      : buffer_{&buffer}, cluster_{cluster}, limit_{limit} {}

  void begin(const message_body& body);
  /// False, and nothing added, when it would not fit.
  bool add(const claim& item) { return add(item, limit_); }
  /// An event that no datagram of this limit holds is added as a notice.
  bool add(const event_record& item) { return add(item, limit_); }
  /// The same under a lower limit: a share of the datagram.
  bool add(const claim& item, std::size_t limit);
  bool add(const event_record& item, std::size_t limit);
  [[nodiscard]] std::size_t size() const noexcept { return buffer_->size(); }
  [[nodiscard]] std::size_t limit() const noexcept { return limit_; }
  /// The finished datagram.
  [[nodiscard]] bytes_view seal();

private:
  std::vector<std::byte>* buffer_;
  std::uint32_t cluster_;
  std::size_t limit_;
};

/// A stream's frame; its first one in either direction carries the handshake.
void write_frame(std::vector<std::byte>& buffer, std::uint32_t cluster, bool first, const message_body& body);

/// The same up to the payload, which is to follow as it is.
void write_direct_head(std::vector<std::byte>& buffer, std::uint32_t cluster, bool first, const direct& body);

/// A frame that answers a request with this event, up to its payload, which is to follow as it is.
void write_event_reply_head(std::vector<std::byte>& buffer, std::uint32_t cluster, bool first,
                            const event_record& record);

/// Bytes that a direct message takes in a datagram beside its payload and topic, at most.
inline constexpr std::size_t direct_overhead_max = 8 + 8 + 4 + 10 + 1 + 1 + 3;
/// Bytes that a reply takes in a datagram beside its payload, at most.
inline constexpr std::size_t reply_overhead_max = 8 + 8 + 4 + 10 + 1 + 3;
/// Bytes that a query takes beside an event and beside its filter, at most.
inline constexpr std::size_t question_overhead_max = 16;
/// Bytes that an event takes in a datagram beside its payload and topic, at most.
inline constexpr std::size_t event_overhead_max = 1 + 8 + 8 + 3 * 10 + 1 + 2;
/// Entries of a summary that fit a datagram of this size.
[[nodiscard]] std::size_t view_entries_max(std::size_t datagram_max) noexcept;
[[nodiscard]] std::size_t event_entries_max(std::size_t datagram_max) noexcept;

// ---- reading untrusted bytes ----

struct read_message {
  std::error_code error;
  packet value;
};
[[nodiscard]] read_message read_datagram(bytes_view datagram, std::uint32_t cluster);
[[nodiscard]] read_message read_frame(bytes_view frame, std::uint32_t cluster, bool first);

}  // namespace artillery::membership
