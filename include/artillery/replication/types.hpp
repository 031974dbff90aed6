#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "artillery/bytes.hpp"
#include "artillery/clock.hpp"
#include "artillery/endpoint.hpp"
#include "artillery/error.hpp"
#include "artillery/node_id.hpp"

/// The values of chain replication with apportioned queries (CRAQ: Terrace & Freedman, USENIX ATC 2009). All are plain
/// values: copy them, compare them, use them on any thread.
namespace artillery::replication {

/// Keys are 1 … `key_size_max` bytes of anything.
inline constexpr std::size_t key_size_max = 1024;

/// Which write of the chain's log made a value: the epoch in which it was given its place, and the place. Compared as a
/// pair, because a place that is lost with its head is given again in the next epoch.
struct version {
  std::uint64_t epoch = 0;
  std::uint64_t seq = 0;

  /// The version of an object that is not there.
  [[nodiscard]] constexpr bool none() const noexcept { return epoch == 0 && seq == 0; }

  friend constexpr bool operator==(const version&, const version&) noexcept = default;
  friend constexpr std::strong_ordering operator<=>(const version&, const version&) noexcept = default;
};

/// One life of a replica. A node that lost its state comes back under a new incarnation, a stranger to the old view.
struct replica_id {
  node_id node;
  std::uint64_t incarnation = 0;

  friend constexpr bool operator==(const replica_id&, const replica_id&) noexcept = default;
  friend constexpr std::strong_ordering operator<=>(const replica_id&, const replica_id&) noexcept = default;
};

/// A replica and where it listens.
struct member {
  replica_id id;
  endpoint at;

  friend bool operator==(const member&, const member&) noexcept = default;
};

/// Who may answer a strong read.
enum class read_mode : std::uint8_t {
  apportioned = 0,  ///< every replica (CRAQ)
  tail_only = 1     ///< the tail alone (plain chain replication), for comparison
};

/// How a replica knows that its epoch is still in force.
enum class lease_mode : std::uint8_t {
  endless = 0,  ///< the view never changes (static_authority)
  timed = 1,    ///< a right to read that is renewed and runs out
  none = 2      ///< clocks cannot be trusted: the authority is asked for each batch of strong reads
};

/// Replicas of a view at most; a longer list is refused wherever it comes from.
inline constexpr std::size_t view_replicas_max = 32;

/// Which replicas form the chain, and in which order, during one epoch.
struct view {
  std::uint64_t chain = 0;
  std::uint64_t epoch = 0;          ///< from 1 upwards; 0: no view
  std::vector<member> replicas;     ///< head … tail
  std::vector<member> learners;     ///< fed by the tail, not members yet
  std::vector<replica_id> readers;  ///< everybody who may still hold a right to read
  std::vector<member> voters;       ///< who agrees on the next view
  std::vector<node_id> kept_out;    ///< that were removed on purpose: not admitted before they are added again
  duration lease{};                 ///< how long one renewal lasts; 0 unless leases are timed
  std::uint32_t drift_ppm = 500;    ///< how far a clock may be off, in millionths
  lease_mode leases = lease_mode::endless;
  read_mode reads = read_mode::apportioned;

  friend bool operator==(const view&, const view&) = default;
};

/// What is wrong with a view, if anything (`errc::invalid_configuration`): no epoch, no replicas or too many, a node
/// twice, or a replica without a node id or an endpoint.
[[nodiscard]] std::error_code check_view(const view& candidate) noexcept;

/// How fresh a read must be.
class consistency {
public:
  enum class kind : std::uint8_t { strong = 0, bounded_time = 1, bounded_records = 2, eventual = 3 };

  constexpr consistency() noexcept = default;

  [[nodiscard]] constexpr kind what() const noexcept { return kind_; }
  /// Of `bounded(duration)`: how old the answer may be.
  [[nodiscard]] constexpr duration staleness() const noexcept {
    return duration{kind_ == kind::bounded_time ? static_cast<duration::rep>(amount_) : 0};
  }
  /// Of `bounded(records)`: how many newer writes of the object the answer may lack.
  [[nodiscard]] constexpr std::uint64_t records() const noexcept {
    return kind_ == kind::bounded_records ? amount_ : 0;
  }

  /// The longest staleness that a request can ask for, about 146 years; a longer one counts as this.
  static constexpr duration staleness_max{duration::rep{1} << 62U};

  /// Never older than `staleness`; a negative one counts as zero.
  [[nodiscard]] static constexpr consistency within(duration staleness) noexcept {
    const duration::rep within_limits = staleness < duration{0}     ? 0
                                        : staleness > staleness_max ? staleness_max.count()
                                                                    : staleness.count();
    return {kind::bounded_time, static_cast<std::uint64_t>(within_limits)};
  }
  /// Lacks at most `records` writes of the object that the replica has heard of.
  [[nodiscard]] static constexpr consistency lacking(std::uint64_t records) noexcept {
    return {kind::bounded_records, records};
  }
  [[nodiscard]] static constexpr consistency any() noexcept { return {kind::eventual, 0}; }

  friend constexpr bool operator==(const consistency&, const consistency&) noexcept = default;

private:
  constexpr consistency(kind what, std::uint64_t amount) noexcept : kind_{what}, amount_{amount} {}

  kind kind_ = kind::strong;
  std::uint64_t amount_ = 0;
};

/// Linearizable: what was acknowledged, or read by anybody, before this read began is seen.
inline constexpr consistency strong{};
/// The newest value that the replica holds, acknowledged or not. It may be lost later, so that its version is good for
/// nothing but a compare-and-swap.
inline constexpr consistency eventual = consistency::any();
/// A committed value that was the newest at some moment not longer ago than `staleness`.
[[nodiscard]] constexpr consistency bounded(duration staleness) noexcept {
  return consistency::within(staleness);
}
/// A committed value that lacks at most `records` writes of this object that the replica has heard of.
[[nodiscard]] constexpr consistency bounded(std::uint32_t records) noexcept {
  return consistency::lacking(records);
}

/// What a read came to. "Absent" is an answer, not an error, and differs from an empty value.
struct read_result {
  std::optional<bytes> value;    ///< nothing: absent
  replication::version version;  ///< of the value; none when absent
  replication::version as_of;    ///< the answer counts everything up to this place in the log, and perhaps more
                                 ///< (epoch of the replica that answered, and its watermark or the value's own seq)
  bool local = false;            ///< the replica answered from its own memory, without a message to another
  bool committed = true;         ///< all that `as_of` counts is committed; false: an eventual read has seen more

  [[nodiscard]] bool found() const noexcept { return value.has_value(); }
};

/// What a replica's own memory says about an object: the answer of `replica::try_read`.
struct local_read {
  enum class outcome : std::uint8_t {
    found,
    absent,  ///< there is no such object: as exact an answer as `found`
    ask      ///< not to be answered from memory alone: the object is being written, or this replica may not answer
             ///< (no view, no lease). `async_read` finds out.
  };

  outcome what = outcome::ask;
  bytes value;                   ///< shares the store's memory
  replication::version version;  ///< of the value

  [[nodiscard]] bool found() const noexcept { return what == outcome::found; }
  [[nodiscard]] bool absent() const noexcept { return what == outcome::absent; }
};

/// What a write came to.
struct write_result {
  bool applied = false;          ///< false: its condition did not hold, and nothing changed
  replication::version version;  ///< applied: of this write; else of the object as it was found, none when absent

  friend bool operator==(const write_result&, const write_result&) noexcept = default;
};

/// When a write takes effect.
class condition {
public:
  enum class kind : std::uint8_t { always = 0, if_absent = 1, if_version = 2 };

  constexpr condition() noexcept = default;
  /// Only if the object is not there.
  [[nodiscard]] static constexpr condition absent() noexcept { return {kind::if_absent, {}}; }
  /// Only if this is the object's newest version. `none` means the same as `absent()`.
  [[nodiscard]] static constexpr condition is(const version& expected) noexcept {
    return expected.none() ? absent() : condition{kind::if_version, expected};
  }

  [[nodiscard]] constexpr kind what() const noexcept { return kind_; }
  [[nodiscard]] constexpr const version& expected() const noexcept { return expected_; }

  friend constexpr bool operator==(const condition&, const condition&) noexcept = default;

private:
  constexpr condition(kind what, const version& expected) noexcept : kind_{what}, expected_{expected} {}

  kind kind_ = kind::always;
  version expected_;
};

/// A write as its user asks for it.
struct write {
  enum class kind : std::uint8_t { put = 0, erase = 1 };

  kind what = kind::put;
  bytes key;
  bytes value;  ///< of a put
  condition when;

  write() = default;
  // A constructor, because g++ 12 destroys owning aggregates twice in the full expression of a `co_await`.
  write(kind wanted, bytes object, bytes content, condition only_when = {}) noexcept
      : what{wanted}, key{std::move(object)}, value{std::move(content)}, when{only_when} {}

  [[nodiscard]] static write put(bytes key, bytes value, condition when = {}) {
    return {kind::put, std::move(key), std::move(value), when};
  }
  [[nodiscard]] static write erase(bytes key, condition when = {}) { return {kind::erase, std::move(key), {}, when}; }
};

/// Which replica a read goes to.
class routing {
public:
  enum class kind : std::uint8_t { any, round_robin, replica };

  constexpr routing() noexcept = default;
  /// A replica drawn anew for each read.
  [[nodiscard]] static constexpr routing any() noexcept { return {kind::any, {}}; }
  /// One replica after the other.
  [[nodiscard]] static constexpr routing round_robin() noexcept { return {kind::round_robin, {}}; }
  /// This replica and no other: the read fails with `errc::timed_out` rather than go elsewhere.
  [[nodiscard]] static constexpr routing to(const node_id& node) noexcept { return {kind::replica, node}; }

  [[nodiscard]] constexpr kind what() const noexcept { return kind_; }
  [[nodiscard]] constexpr const node_id& node() const noexcept { return node_; }

private:
  constexpr routing(kind what, const node_id& node) noexcept : kind_{what}, node_{node} {}

  kind kind_ = kind::any;
  node_id node_;
};

/// How a replica behaves. The defaults suit a local network; most users set the first four fields.
struct replica_config {
  std::string cluster = "artillery";  ///< its mark keeps two clusters apart; 1 … 255 bytes
  std::uint64_t chain = 1;
  /// Node id, and an incarnation above all that this node ever had (a wall clock's microseconds, say). A replica that
  /// was dropped from its chain takes the next ones by itself.
  replica_id self;
  std::size_t value_size_max = std::size_t{1} << 20U;  ///< at most 64 MiB; all replicas and clients of a chain agree

  /// Bytes of writes that are not acknowledged yet; beyond it the head answers `busy`. Memory of every replica.
  std::size_t window_bytes_max = std::size_t{16} << 20U;
  /// Writes of which the answers are remembered, per session; bounds a client's pipelining.
  std::size_t results_per_session_max = 1024;
  /// Sessions at a time; opening another ends the one that has been idle longest.
  std::size_t sessions_max = 4096;
  /// Reads of dirty objects that wait for the tail's watermark; beyond it they are answered `busy`.
  std::size_t waiting_reads_max = 65'536;
  /// Bytes of values that the reads of one client are answered with at once when the tail's watermark arrives (one
  /// value at least); those beyond it are answered `busy`. The driver's queue per stream must hold more.
  std::size_t answer_bytes_max = std::size_t{8} << 20U;
  /// Streams of clients at a time; a further one is refused, so that places are left for the members of the chain.
  std::size_t clients_max = 900;
  /// Bytes of writes that are under way to the successor at most (one write at least). The driver's queue per stream
  /// must hold more.
  std::size_t link_bytes_max = std::size_t{4} << 20U;
  /// One frame of records down the chain carries at most about this (one write at least).
  std::size_t append_bytes_max = std::size_t{256} << 10U;

  /// A link on which nothing is heard for half of this is probed, for all of this is given up and opened anew; an
  /// accepted one on which no peer introduces itself is closed after it. A frame is heard when it is whole, so at least
  /// twice what a value of `value_size_max` takes at 16 MiB/s is allowed, whatever this says.
  duration silence_max = std::chrono::seconds{2};
  /// A client from which nothing is heard for this long is asked whether it is still there; after as long again without
  /// a word its link is closed, and its place is free. A machine that died says nothing.
  duration client_silence_max = std::chrono::seconds{30};
  /// Pause before a broken link is opened again: doubles from the first to the second, drawn between half and all.
  duration reconnect_min = std::chrono::milliseconds{20};
  duration reconnect_max = std::chrono::seconds{1};
  // --- with an authority that changes the view ---
  /// A neighbour that cannot be reached for this long is taken for failed: a view without it is proposed.
  duration failed_after = std::chrono::seconds{1};
  /// Replicas and learners that the chain wants; while there are fewer, nodes that ask are fed and promoted.
  std::size_t replicas_wanted = 3;
  /// With fewer replicas than this the head takes no new writes (`busy`): a record has so many copies at least.
  std::size_t replicas_min = 1;
  /// A node that was dropped more than once is kept out for a while: doubles from the first to the second.
  duration readmit_min = std::chrono::seconds{1};
  duration readmit_max = std::chrono::minutes{1};
  /// A question to the authority without an answer for this long is asked again.
  duration authority_timeout = std::chrono::milliseconds{200};
  /// How long a tail holds commits back for a learner that is nearly there, before it lets it catch up once more.
  duration freeze_max = std::chrono::milliseconds{200};
  /// Records that a tail keeps for its learners; one that lags further behind is expelled, and fed from the start when
  /// it comes again (`readmit_min` and `readmit_max`).
  std::size_t backlog_bytes_max = std::size_t{64} << 20U;

  /// The chain is said to have stopped when the way down has been broken, or a write has waited, for this long.
  duration stopped_after = std::chrono::seconds{1};
};

/// How a client behaves.
struct client_config {
  std::string cluster = "artillery";
  std::uint64_t chain = 1;
  std::vector<endpoint> replicas;  ///< where to ask for the view: any replicas of the chain, at least one
  std::size_t value_size_max = std::size_t{1} << 20U;

  std::size_t writes_in_flight_max = 256;  ///< at most the chain's `results_per_session_max`
  /// Bytes of writes that were sent and wait for their answers at most (one write at least). The driver's queue per
  /// stream must hold more: all of them may be handed to it at once.
  std::size_t write_bytes_in_flight_max = std::size_t{8} << 20U;
  std::size_t reads_in_flight_max = 1024;
  /// Operations that wait for a place in flight; beyond it `errc::would_overflow`.
  std::size_t queue_max = 65'536;
  /// An operation without an answer for this long is tried again: a write at the head under the same number, a read at
  /// another replica.
  duration attempt_timeout = std::chrono::milliseconds{500};
  /// A link from which something is awaited and nothing heard for half of this is probed; after as long again without
  /// an answer it is given up and opened anew. At least twice what a value of `value_size_max` takes at 16 MiB/s is
  /// allowed.
  duration silence_max = std::chrono::seconds{2};
  /// After `busy` and its like: doubles from the first to the second, drawn between half and all.
  duration retry_min = std::chrono::milliseconds{2};
  duration retry_max = std::chrono::milliseconds{200};
  duration reconnect_min = std::chrono::milliseconds{20};
  duration reconnect_max = std::chrono::seconds{1};
};

/// What a replica has to say.
struct event {
  enum class kind : std::uint8_t {
    listening,      ///< the replica's port is open: `replica::local_endpoint` tells which
    serving,        ///< this replica is in the view and answers
    learning,       ///< this replica is in the view as a learner: it is being fed
    not_serving,    ///< a view is in force that does not list this incarnation: a stranger
    removed,        ///< the chain goes on without this replica: it serves nothing more, and may come back as a stranger
                    ///< under another incarnation
    displaced,      ///< the chain has this node's id under a later incarnation, so that this replica takes no part any
                    ///< more: `errc::node_id_in_use`
    chain_stopped,  ///< no write gets through: a neighbour in the chain (`other`) is unreachable, or those behind it
                    ///< are
    chain_resumed,  ///< writes get through again
    fenced,         ///< the successor (`other`) holds records that this replica does not know, or lacks some that were
                    ///< committed: nothing is overwritten, the chain stays stopped
    overflow        ///< `lost` events that nobody fetched were dropped here
  };

  kind what = kind::serving;
  std::uint64_t epoch = 0;
  replica_id other;
  std::uint64_t lost = 0;

  friend bool operator==(const event&, const event&) noexcept = default;
};

/// What a replica does in its chain.
enum class role : std::uint8_t { none, head, middle, tail, single, learner };

/// What somebody who watches the nodes of a chain says of one. It is never believed: it only makes a replica look at
/// once where it would have looked later.
enum class peer_hint : std::uint8_t {
  doubted,  ///< suspected, failed or gone: links to it are probed at once
  present,  ///< here, perhaps again: links to it are opened at once, without the pause after a failure
  failed,   ///< known to be gone: as `doubted`, and where views can change one without it is proposed
  missed    ///< declared failed by others, who may err: as `doubted`, and as `failed` if it does not answer the probe
};

/// A change of the chain that somebody asks for, beyond what it does to heal itself.
struct view_change {
  enum class kind : std::uint8_t {
    add,  ///< a node that asks to be fed is admitted as a learner, though the chain is long enough, or it was removed
    remove,   ///< a replica or learner is dropped, and kept out until it is added
    promote,  ///< a learner becomes the tail as soon as it has caught up, without the pause after a failed try
    repair    ///< what seems to have failed is looked at now, and who was kept out for coming and going may come back
  };

  kind what = kind::repair;
  node_id node;  ///< none: of a repair

  [[nodiscard]] static constexpr view_change add(const node_id& node) noexcept { return {kind::add, node}; }
  [[nodiscard]] static constexpr view_change remove(const node_id& node) noexcept { return {kind::remove, node}; }
  [[nodiscard]] static constexpr view_change promote(const node_id& node) noexcept { return {kind::promote, node}; }
  [[nodiscard]] static constexpr view_change repair() noexcept { return {kind::repair, {}}; }

  friend constexpr bool operator==(const view_change&, const view_change&) noexcept = default;
};

/// What a tail may do in its epoch.
enum class tail_state : std::uint8_t {
  none,   ///< it is no tail
  gated,  ///< it commits nothing yet: replicas that were dropped may still hold leases
  open,
  frozen  ///< it holds commits back while it promotes a learner
};

/// How far a learner is, as the tail that feeds it knows.
struct learner_status {
  replica_id id;
  bool connected = false;
  bool has_checkpoint = false;  ///< it gets records; false: it is given all objects first, or waits for that
  std::uint64_t lag = 0;        ///< records that it lacks, while it gets them

  friend bool operator==(const learner_status&, const learner_status&) noexcept = default;
};

/// A replica's state at a moment, for eyes and dashboards.
struct replica_status {
  std::uint64_t chain = 0;
  replica_id self;
  std::uint64_t epoch = 0;  ///< 0: not in a view
  replication::role role = replication::role::none;
  std::uint64_t last = 0;    ///< newest record held
  std::uint64_t commit = 0;  ///< newest record known committed here
  std::size_t dirty_objects = 0;
  std::size_t window_bytes = 0;
  std::size_t sessions = 0;
  bool stopped = false;  ///< see event::kind::chain_stopped
  /// Fewer replicas than `replicas_min` are in force: as head it refuses writes as `busy` until there are more.
  bool short_of_replicas = false;
  bool successor_up = false;  ///< true at a tail
  time_point lease_until{};   ///< `time_point::max()`: endless
  replication::view view;     ///< in force here, whether or not it lists this replica; epoch 0: none
  tail_state tail = tail_state::none;
  time_point opens_at{};                 ///< of a gated tail: at the latest, unless it is frozen meanwhile
  std::vector<learner_status> learners;  ///< as the tail knows
  std::vector<member> candidates;        ///< nodes that ask to be fed and are not admitted yet, as the tail knows
};

/// Figures of a replica; they only grow.
struct replica_counters {
  std::uint64_t writes = 0;            ///< records made here, as head
  std::uint64_t duplicate_writes = 0;  ///< retries that were answered from the session's table or attached
  std::uint64_t failed_conditions = 0;
  std::uint64_t refused_busy = 0;
  std::uint64_t refused_epoch = 0;      ///< messages of another epoch, chain or incarnation
  std::uint64_t local_reads = 0;        ///< strong reads answered with no message
  std::uint64_t dirty_reads = 0;        ///< strong reads that had to ask the tail
  std::uint64_t stale_reads = 0;        ///< bounded and eventual reads answered here
  std::uint64_t held_back_reads = 0;    ///< waited until this replica had come as far as their session tokens
  std::uint64_t void_tokens = 0;        ///< reads refused, because what their tokens count was lost
  std::uint64_t watermark_queries = 0;  ///< questions sent to the tail, each for one or more reads
  std::uint64_t watermark_answers = 0;  ///< as tail
  std::uint64_t appended_records = 0;   ///< received from the predecessor
  std::uint64_t append_frames = 0;      ///< sent to the successor
  std::uint64_t resent_records = 0;     ///< sent again over a new link
  std::uint64_t acks = 0;               ///< sent to the predecessor
  std::uint64_t links_opened = 0;
  std::uint64_t links_lost = 0;
  std::uint64_t hints = 0;                ///< about a neighbour, and so heeded
  std::uint64_t views = 0;                ///< put in force here
  std::uint64_t proposals = 0;            ///< views proposed to the authority
  std::uint64_t gates_waited = 0;         ///< openings, as tail, that had to wait for leases to end
  std::uint64_t gates_ended_early = 0;    ///< of them, those that the voters ended
  std::uint64_t gates_confirmed = 0;      ///< of them, those that ended because all whom they waited for were heard of
  std::uint64_t freezes = 0;              ///< commits held back, as tail, to promote a learner
  std::uint64_t learners_promoted = 0;    ///< as tail
  std::uint64_t checkpoints = 0;          ///< given to learners, as tail
  std::uint64_t learners_expelled = 0;    ///< that lagged too far behind, as tail
  std::uint64_t malformed = 0;            ///< frames that are none of ours, or out of order
  std::uint64_t checksum_mismatches = 0;  ///< values damaged on the way
};

/// Figures of a client; they only grow.
struct client_counters {
  std::uint64_t reads = 0;             ///< answered
  std::uint64_t writes = 0;            ///< answered
  std::uint64_t local_reads = 0;       ///< reads that a replica answered with no message to another
  std::uint64_t retries = 0;           ///< attempts after the first
  std::uint64_t refused_busy = 0;      ///< attempts answered `busy`
  std::uint64_t outcomes_unknown = 0;  ///< writes given up after they were sent
  std::uint64_t timed_out = 0;         ///< operations given up
  std::uint64_t sessions = 0;          ///< opened
  std::uint64_t views = 0;             ///< learnt
  std::uint64_t links_opened = 0;
  std::uint64_t links_lost = 0;
  std::uint64_t malformed = 0;            ///< frames that are none of ours
  std::uint64_t checksum_mismatches = 0;  ///< values damaged on the way
};

}  // namespace artillery::replication
