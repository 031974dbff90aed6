#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <variant>
#include <vector>

#include "artillery/bytes.hpp"
#include "artillery/clock.hpp"
#include "artillery/endpoint.hpp"
#include "artillery/error.hpp"
#include "artillery/logging.hpp"
#include "artillery/node_id.hpp"

/// Who is in the cluster, as each of its members sees it: SWIM (Das, Gupta & Motivala, DSN 2002) with the Lifeguard
/// extensions (Dadgar, Phillips & Currey, 2017).
namespace artillery::membership {

/// What is believed of a member. Between claims of the same boot and incarnation the later of these wins.
enum class member_state : std::uint8_t {
  alive,    ///< it answers
  suspect,  ///< it did not answer somebody's probe, and may still refute that
  failed,   ///< it did not refute in time
  left      ///< it said that it goes
};

[[nodiscard]] std::string_view to_string(member_state state) noexcept;

/// Small facts that a member tells of itself, such as its role or the port of another service.
using tag_map = std::map<std::string, std::string>;

/// One member, as a value that is nobody's afterwards.
struct member {
  node_id id;
  std::string name;
  artillery::endpoint at;         ///< where its cluster socket listens, UDP and TCP alike
  std::uint64_t boot = 0;         ///< grows with every start of the same id
  std::uint64_t incarnation = 0;  ///< grows when the member refutes a suspicion or changes its tags
  member_state state = member_state::alive;
  tag_map tags;
  /// How long it took to answer this node's probes, smoothed; zero where none was answered yet. Not part of what is
  /// compared: it is nobody else's belief.
  duration round_trip{};

  friend bool operator==(const member& a, const member& b) {
    return a.id == b.id && a.name == b.name && a.at == b.at && a.boot == b.boot && a.incarnation == b.incarnation &&
           a.state == b.state && a.tags == b.tags;
  }
};

// ---- events, in order per member, each once per transition ----

/// A member is here: new, restarted, or back after `failed` or `left`.
struct joined {
  membership::member member;
};
/// A member does not answer. It becomes `recovered`, `failed` or `left` next.
struct suspected {
  membership::member member;
};
/// A suspected member answered after all.
struct recovered {
  membership::member member;
};
/// A member is gone without a word. A restart under the same id is `failed` of the old boot, then `joined`.
struct failed {
  membership::member member;
};
/// A member said that it goes, and why, if it did (`cluster::async_leave`).
struct left {
  membership::member member;
  std::string reason;
};
/// A member changed its tags.
struct updated {
  membership::member member;
};
/// Two living members have one name, or two living processes one id: a mistake in somebody's configuration. Told by
/// every member, the two included, when it meets the second; of one id also whenever the other process speaks up again.
/// Both go on. `first` is the one with the earlier boot.
struct conflict {
  membership::member first;
  membership::member second;
};
/// What another member broadcast: at most once, and per (origin, topic) in the order in which it was sent.
struct user_event {
  node_id origin;
  std::string topic;
  bytes payload;
  std::uint64_t lamport = 0;  ///< Lamport time: an event that its sender knew when it sent another has a smaller one
};
/// What another member sent to this one alone (`cluster::async_send`), at most once. Reliable ones come in the order in
/// which they were sent.
struct message {
  node_id origin;
  std::string topic;
  bytes payload;
};
/// What another member asks (`cluster::async_query`) of all, or of this one among others: told like a `user_event`, and
/// to be answered by `cluster::async_answer`, if at all, within `timeout`.
struct query {
  node_id origin;
  std::string topic;
  bytes payload;
  std::uint64_t lamport = 0;
  std::uint64_t number = 0;  ///< of its asker's events; names it in the answer
  duration timeout{};
};
/// `count` events of a member, starting with its `first`th (counted over all topics, from 1), could not be had; what it
/// sent after them follows.
struct gap {
  node_id origin;
  std::uint64_t first = 0;
  std::uint64_t count = 0;
};
/// This process did not run, or this machine slept, for so long; told of a probe interval and more. Others may have
/// held this node for failed meanwhile; what is known here is compared with theirs at once.
struct paused {
  duration length{};
};
/// This machine's address is another, and so is what the others are told to talk to.
struct moved {
  endpoint before;
  endpoint after;
};
/// The application was too slow: `lost` events were thrown away here. `cluster::members()` tells how things stand.
struct overflow {
  std::uint64_t lost = 0;
};

using event = std::variant<joined, suspected, recovered, failed, left, updated, conflict, user_event, message, query,
                           gap, paused, moved, overflow>;

/// How a message goes to one member.
enum class delivery : std::uint8_t {
  best_effort,  ///< one datagram: it may be lost, and nobody is told
  reliable      ///< over TCP, again where a connection breaks, until the member says that it has it
};
struct send_options {
  membership::delivery delivery = delivery::reliable;
  /// How long a reliable message may take.
  duration timeout = std::chrono::seconds{10};
};

/// Who is asked: members that have all these tags, of these members only when any are named.
struct query_options {
  tag_map tags;
  std::vector<node_id> members;
  /// How long answers are taken. 1 ms to `query_timeout_max`.
  duration timeout = std::chrono::seconds{5};
};
/// A member's answer to a query.
struct answer {
  node_id from;
  bytes payload;
};
/// There are no further answers: all have answered, or the time is over. Of the members that were asked, as far as the
/// asker knew them, so many told that they have the question (those who answered among them), and so many answered.
struct query_end {
  std::uint64_t asked = 0;
  std::uint64_t heard = 0;
  std::uint64_t answered = 0;
};
using query_progress = std::variant<answer, query_end>;

// ---- limits that peers must agree on, hence constants of the protocol ----

inline constexpr std::size_t name_size_max = 64;
inline constexpr std::size_t topic_size_max = 64;
inline constexpr std::size_t leave_reason_size_max = 64;
/// Sum of all keys and values of a member's tags, plus two bytes for each entry.
inline constexpr std::size_t tags_size_max = 256;
/// What `tags_size_max` limits.
[[nodiscard]] std::size_t size_of(const tag_map& tags) noexcept;
/// Of the tags (as `size_of` has it) and the members (8 bytes each) that a query names.
inline constexpr std::size_t query_filter_size_max = 256;
inline constexpr duration query_timeout_max = std::chrono::hours{1};
inline constexpr std::size_t datagram_size_least = 508;
inline constexpr std::size_t datagram_size_most = 8'900;

/// How a node takes part. `lan()`, `wan()` and `local()` are good starting points; the defaults are those of `lan()`.
struct config {
  /// Timings for nodes of one data centre; memberlist's values, so that the two compare.
  [[nodiscard]] static config lan();
  /// Timings for nodes that are far apart: slower to accuse, smaller datagrams.
  [[nodiscard]] static config wan();
  /// Timings for processes of one machine, as in tests: a death is reported in about half a second.
  [[nodiscard]] static config local();

  // --- identity ---
  /// Nodes of another cluster name are not heard. At most 64 bytes, not empty.
  std::string cluster = "default";
  /// For people; at most 64 bytes. Empty: the first eight digits of the id.
  std::string name;
  /// None: a fresh one is drawn at every start. A node that keeps its id over restarts is known to be the same one.
  node_id id;
  /// Told to everybody; see `tags_size_max`.
  tag_map tags;
  /// Whether a member may be known here: asked when one is met, starts again or comes back, and when it changes its
  /// name, address or tags. None: everybody may. Of one that may not nothing is heard: it is not reported, its events
  /// and messages are dropped, and its question for the members is not answered; a member that may not be what it has
  /// become is not heard any more, and reported failed. Counted as `membership.refused_by_application`. To decide alike
  /// at all members, and the same at any time, or their views differ for good; called on the cluster's strand, so it
  /// must not wait, throw or call the cluster. It keeps out mistakes (another version, another data centre), not
  /// attackers.
  std::function<bool(const member&)> accept;
  /// Where to listen, UDP and TCP with the same port number. Port 0: one that is free for both.
  static constexpr std::uint16_t default_port = 7946;
  endpoint bind = endpoint::v4(0, 0, 0, 0, default_port);
  /// What the others are told to talk to. None: the bound address, or, when that is the wildcard, the address from
  /// which the system's routes would have this machine talk to others; without a route the first of its family on an
  /// interface that is up and not loopback. It is then watched: a node whose machine has lost that address is `moved`.
  /// A port of 0 means the bound port.
  endpoint advertise;

  // --- failure detection (SWIM, sections 3 and 4) ---
  /// One member is probed per interval, so a dead one is noticed after 1.6 intervals on average whatever the number of
  /// members (SWIM, section 3.1). Scaled by (1 + local health).
  duration probe_interval = std::chrono::seconds{1};
  /// How long an answer may take before others are asked to try, at most. Above the slowest round trip, below the
  /// interval. Of a member whose round trips are known they are what it is given, and four times what they vary by (RFC
  /// 6298), at least a fifth of this.
  duration probe_timeout = std::chrono::milliseconds{500};
  /// How many others are asked to try (SWIM's k). 0 to 16.
  std::uint32_t indirect_probes = 3;
  /// How long a suspect may stay silent before it is declared failed, at least:
  ///     suspicion_mult * max(1, log10(members)) * probe_interval
  /// Larger forgives slow members; smaller notices dead ones sooner. 1 to 100.
  std::uint32_t suspicion_mult = 4;
  /// A suspicion starts with this many times the least timeout and shrinks towards it as others confirm it (Lifeguard's
  /// dogpile). 1 turns that off. 1 to 100.
  std::uint32_t suspicion_max_mult = 6;
  /// Most that the local health multiplier (Lifeguard) may reach: a node that seems slow itself accuses later. 0 to 64.
  std::uint32_t awareness_max = 8;

  // --- dissemination (SWIM, section 4.1) ---
  /// How often news is told to `gossip_fanout` random members. Nothing is sent when there is none.
  duration gossip_interval = std::chrono::milliseconds{200};
  std::uint32_t gossip_fanout = 3;  ///< 1 to 16
  /// Each claim and event is sent at most
  ///     retransmit_mult * ceil(log10(members + 1))
  /// times by each member. 1 to 32.
  std::uint32_t retransmit_mult = 4;
  /// News is pushed on at once, but no more often than this.
  duration push_spacing = std::chrono::milliseconds{10};
  /// A failed member is gossiped to for so long, in case it only seemed so.
  duration gossip_to_failed = std::chrono::seconds{30};
  /// One random member's digests are compared over TCP, and whole views exchanged where they differ. Grows with the
  /// logarithm of the members above 32.
  duration push_pull_interval = std::chrono::seconds{30};
  /// One failed member is tried again each interval, by a datagram and, every fourth time, over TCP. Of those who
  /// failed longer ago than `tombstone` the last 256 are tried so every twelfth interval, for ever: a split of any
  /// length heals.
  duration reconnect_interval = std::chrono::seconds{5};
  /// How long failed and left members are remembered, so that nobody's old news brings them back.
  duration tombstone = std::chrono::minutes{10};
  /// No datagram is larger. 508 to 8,900.
  std::size_t datagram_max = 1'400;
  /// A multicast group, or a broadcast address, and a port that reach many members at once. What a node itself has to
  /// say (its events, joining, leaving, whom it suspects and finds dead) is then also sent there, once; those who
  /// listen there take it for gossip. It saves time, not datagrams: gossip goes on as it does without, so that neither
  /// who misses it nor who listens elsewhere is worse off. Multicast stays on the link (one hop). The port is not
  /// `bind`'s, and the same at all members; programs of one machine share it. None: not used.
  endpoint group;

  /// Bytes of datagrams that this node sends in a second at most, but for probes and their answers, which are always
  /// sent and taken from it first. Where there is more to say, user events wait before claims do, gossip slows down by
  /// steps, and own broadcasts are refused or wait. At least 16 datagrams for each of `gossip_fanout` + 1 members.
  std::size_t bytes_per_second_max = std::size_t{16} << 20U;

  // --- joining and leaving ---
  /// A seed that did not answer is tried again after this, doubling up to `seed_retry_max`.
  duration seed_retry = std::chrono::seconds{1};
  duration seed_retry_max = std::chrono::seconds{30};
  /// Leaving takes at most so long.
  duration leave_timeout = std::chrono::seconds{5};
  /// A stream that does not get on is given up after this.
  duration stream_timeout = std::chrono::seconds{10};

  /// A file in which this node keeps where members are, for its next start: they are its seeds then. None: no file. It
  /// is replaced as a whole, at most once a second, and removed when this node leaves. One that cannot be read (cut
  /// short, edited, another cluster's, a newer version's) is set aside under the same name with ".unread", and said in
  /// the log.
  std::string snapshot;

  // --- user events ---
  /// A missing event is waited for this long, then skipped with a `gap`.
  duration gap_wait = std::chrono::seconds{2};
  /// Events are kept for members that missed them: this many, and this many bytes of payload. The oldest go first.
  std::size_t events_kept_max = 1'024;
  std::size_t events_kept_bytes_max = std::size_t{8} << 20U;
  /// The last events so many, by Lamport time, are told to members that join later, in order like any others; to be the
  /// same at all members, and no more than `events_kept_max`. 0: a member starts with what is sent once it is there.
  std::size_t events_replayed = 0;
  /// Own events not yet sent as often as they should be, and bytes of their payloads; `broadcast` fails above either.
  std::size_t broadcasts_max = 256;
  std::size_t broadcast_bytes_max = std::size_t{8} << 20U;
  /// Largest payload of an event, sent or received; to be the same at all members. What no datagram holds (see
  /// `payload_size_max`) is told by a notice and fetched over TCP. 0: what a datagram holds. At most 64 MiB.
  std::size_t event_size_max = std::size_t{1} << 20U;

  // --- messages to one member ---
  /// Largest payload of a reliable message, sent or received; to be the same at all members, since one that comes with
  /// more ends its connection. At most 64 MiB.
  std::size_t message_size_max = std::size_t{1} << 20U;
  /// Reliable messages under way to any members, and bytes of their payloads; `send` fails above either.
  std::size_t messages_max = 256;
  std::size_t messages_bytes_max = std::size_t{16} << 20U;

  // --- queries ---
  /// Own queries at a time, those among them whose answers were not fetched to the end; `async_query` fails above it.
  std::size_t queries_max = 64;

  // --- limits ---
  /// Members known at most, dead ones included. News of further ones is dropped and counted.
  std::size_t members_max = 16'384;
  std::size_t seeds_max = 256;
  /// Streams accepted at a time; further ones are closed.
  std::size_t streams_max = 64;
  /// Events that wait for the application; what comes then is dropped, and an `overflow` stands in its place.
  std::size_t event_queue_max = 4'096;

  /// Where remarks go; none: nowhere.
  log_sink log;

  /// What is wrong with this configuration, in words ("probe_timeout must be shorter than probe_interval"); empty when
  /// it is sound.
  [[nodiscard]] std::string validate() const;
};

/// Largest payload of a user event of this topic that travels in datagrams alone, of `config.datagram_max` bytes.
[[nodiscard]] std::size_t payload_size_max(const config& config, std::string_view topic) noexcept;
/// Likewise of a query, of which the names of those who are asked take some. The answers are limited by
/// `config::message_size_max`.
[[nodiscard]] std::size_t query_size_max(const config& config, std::string_view topic,
                                         const query_options& options) noexcept;
/// Largest payload of a best-effort message of this topic; of reliable ones `config::message_size_max`.
[[nodiscard]] std::size_t datagram_message_size_max(const config& config, std::string_view topic) noexcept;

}  // namespace artillery::membership
