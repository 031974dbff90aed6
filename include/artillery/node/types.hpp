#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "artillery/clock.hpp"
#include "artillery/discovery/types.hpp"
#include "artillery/endpoint.hpp"
#include "artillery/logging.hpp"
#include "artillery/membership/types.hpp"
#include "artillery/node_id.hpp"
#include "artillery/replication/session_token.hpp"
#include "artillery/replication/types.hpp"

/// Values of `artillery::node`: discovery, membership and replication in one object.
namespace artillery {

/// Timings of membership; see `membership::config`.
enum class timing_preset : std::uint8_t {
  local,  ///< processes of one machine, as in tests: a death is reported in about half a second
  lan,    ///< nodes of one data centre
  wan     ///< nodes that are far apart
};

/// "local", "lan", "wan".
[[nodiscard]] std::string_view to_string(timing_preset preset) noexcept;
/// Reads what `to_string` writes; nothing for anything else.
[[nodiscard]] std::optional<timing_preset> parse_timing_preset(std::string_view text) noexcept;

/// Which replica answers a node's reads.
enum class read_routing : std::uint8_t {
  own_replica,  ///< this node's own, in process, whenever it may; another one otherwise
  any,          ///< a replica drawn anew for each read
  round_robin   ///< one replica after the other
};

[[nodiscard]] std::string_view to_string(read_routing routing) noexcept;

/// How a node takes part. Every default is usable: a node of defaults listens on loopback, looks for others of its
/// cluster on this machine and hosts a chain of its own.
struct node_config {
  /// Replicas of a chain that is formed by `expect`, at most: their confirmation has to fit into a member's tags.
  static constexpr std::size_t expect_max = 7;
  static constexpr std::size_t cluster_size_max = 64;
  /// Tags by which nodes find their chain; not for the user.
  static constexpr std::string_view replica_tag = "replica";
  static constexpr std::string_view chain_tag = "chain";
  /// Topics that begin so are the nodes' own, likewise: what others send under them is not told to the user.
  static constexpr std::string_view own_topics = "artillery.";
  /// The one of them that may be asked: every node answers such a query by itself, with nothing in it.
  static constexpr std::string_view ping_topic = "artillery.ping";

  // --- identity ---
  /// Nodes of different clusters neither see nor hear each other, also on the same ports. 1 to `cluster_size_max`
  /// bytes.
  std::string cluster = "default";
  /// For people; at most `membership::name_size_max` bytes. Empty (default): the first eight digits of the id.
  std::string name;
  /// None (default): the one that is kept in `directory`, or a fresh one from the system's entropy. Whatever the id, a
  /// node that starts again is a stranger to the chain it was in: what it held is gone, and it is fed anew.
  node_id id;
  /// Told to everybody. Keys other than `replica_tag` and `chain_tag`; in all at most `tags_size_max(expect)` bytes,
  /// counted as `membership::tags_size_max` counts.
  membership::tag_map tags;

  // --- where ---
  /// What must outlive this process is kept here: the node's id, and its vote on which nodes form the chain. A
  /// directory of this node's own; it is made when it is not there. Empty (default): a private one among the temporary
  /// files that goes with the node. A node that ends without its vote kept never votes again: then a chain of three
  /// survives the end of one of the nodes that it was founded with, of five two, and no more.
  std::string directory;
  /// Where membership listens, UDP and TCP with the same port number. Replication listens at the same address with
  /// `replication_port`. Port 0 (default): a free one.
  endpoint bind = endpoint::v4(127, 0, 0, 1, 0);
  /// TCP, and UDP for the votes. 0 (default): free ones, or those that the node was founded with, as its directory
  /// knows.
  std::uint16_t replication_port = 0;
  /// What others are told to talk to: its address, with the bound ports (or its own port for membership, when it is not
  /// 0). The default, no address and no port, is the bound address; for the wildcard, this machine's address as the
  /// system would choose it for going out.
  endpoint advertise;

  // --- finding others ---
  /// Members to join through; others than these are found by discovery. At most `membership::config::seeds_max`.
  std::vector<endpoint> seeds;
  /// Whether to announce this node by broadcast and to look for others. When `bind` is a loopback address, only on the
  /// loopback interface.
  bool discover = true;
  /// The port that discovery shares on a link: the same for all nodes.
  std::uint16_t discovery_port = discovery::config::default_port;
  /// Timings of membership.
  timing_preset timings = timing_preset::lan;

  // --- the chain ---
  /// How many nodes the chain is made of; the same number at each of them. 1 (default): this node alone, at once, and
  /// for ever. 2 to `expect_max`: once so many are known, the chain is founded with those of the lowest ids, when each
  /// of them has confirmed the very same list; they vote on its views from then on. Further nodes use it as clients,
  /// and take the place of replicas that fail. 0: never a replica, always a client of the chain that others form. See
  /// docs/node.md.
  std::size_t expect = 1;
  /// Who answers reads.
  read_routing reads = read_routing::own_replica;
  /// Largest value in bytes; the same at all nodes. 1 to 64 MiB.
  std::size_t value_size_max = std::size_t{1} << 20U;

  // --- limits ---
  /// Events kept for a consumer that is slow. Further ones are dropped and counted in one `node_overflow`. 16 to
  /// 1,000,000.
  std::size_t events_max = 4096;
  /// Reads and writes that wait for a chain to be formed; further ones fail with `errc::would_overflow`. 1 to
  /// 1,000,000.
  std::size_t waiting_calls_max = 1024;

  /// Remarks of the node and of all its parts; never two at a time.
  log_sink log;

  /// What the user's tags may take, as `membership::tags_size_max` counts.
  [[nodiscard]] static std::size_t tags_size_max(std::size_t expect) noexcept;

  /// What is wrong, naming the option, its fault and what is allowed ("expect is 9; 0 to 7 are allowed"); empty when it
  /// can be used.
  [[nodiscard]] std::string validate() const;
};

/// How one read or write is done.
class call_options {
public:
  static constexpr duration default_timeout = std::chrono::seconds{5};

  call_options() noexcept {}
  explicit call_options(duration timeout) noexcept : timeout_{timeout} {}

  /// How long to try, the wait for the chain to be formed included. Above 0.
  call_options& timeout(duration value) noexcept {
    timeout_ = value;
    return *this;
  }
  /// Of a read: its answer counts at least what this session token does (`replication::session_token`).
  call_options& after(const replication::session_token& value) noexcept {
    after_ = value;
    return *this;
  }
  [[nodiscard]] duration timeout() const noexcept { return timeout_; }
  [[nodiscard]] const replication::session_token& after() const noexcept { return after_; }

private:
  duration timeout_ = default_timeout;
  replication::session_token after_;
};

// ---- events ----

/// The node is up: its sockets are bound. The first event.
struct node_started {
  node_id id;
  endpoint membership;   ///< bound, UDP and TCP
  endpoint replication;  ///< bound, TCP
};

/// A chain is in force: reads and writes are served. `here` says what this node does in it; `role::none`: it is a
/// client.
struct chain_formed {
  replication::view view;
  replication::role here = replication::role::none;
};

/// Other nodes form the chain now, or in another order: one failed, left, came back, or took another's place. Told by
/// nodes that host a replica.
struct chain_changed {
  replication::view view;
  replication::role here = replication::role::none;
};

/// What came of `node::async_force_chain`.
struct forced_chain {
  replication::view view;  ///< with which the chain begins that takes the place of the lost one: this node alone
  /// The path of what the node had to keep as a voter of the lost chain; empty: it did not vote there.
  std::string former_vote;

  // A constructor, because g++ 12 destroys owning aggregates twice in the full expression of a `co_await`.
  forced_chain() = default;
  forced_chain(replication::view begun, std::string kept) : view{std::move(begun)}, former_vote{std::move(kept)} {}
};

/// There is no chain, or no clear one, and there will be none without help.
struct chain_conflict {
  enum class reason : std::uint8_t {
    contradiction,  ///< nodes have confirmed lists that exclude each other
    member_lost,    ///< a node that this one's list needs was started anew, before the list was in force
    two_chains,     ///< two chains were founded that have no node in common
    other_genesis   ///< nodes that were to found a chain have votes kept that belong to an earlier one
  };

  reason why{};
  /// The nodes that take part in it, ascending.
  std::vector<node_id> nodes;
  /// One sentence for people: what is the matter, and what to do.
  std::string explanation;

  friend bool operator==(const chain_conflict&, const chain_conflict&) = default;
};

[[nodiscard]] std::string_view to_string(chain_conflict::reason reason) noexcept;

/// `lost` events were dropped here, because nobody fetched them; `node::members()` and `node::chain()` tell how things
/// stand.
struct node_overflow {
  std::uint64_t lost = 0;
};

/// Whatever happens at a node, of each part in the order of its facts.
using node_event = std::variant<node_started, membership::event, discovery::event, replication::event, chain_formed,
                                chain_changed, chain_conflict, node_overflow>;

/// Where the forming of the chain stands.
enum class chain_state : std::uint8_t {
  waiting,     ///< fewer members than expected are known, or the members are still changing
  confirming,  ///< a list is out; not everybody on it has confirmed it, and voted, yet
  formed,      ///< in force
  conflict     ///< see `chain_conflict`
};

[[nodiscard]] std::string_view to_string(chain_state state) noexcept;

/// A node's state at a moment, for eyes and dashboards.
struct node_status {
  node_id id;
  std::string name;
  std::string cluster;
  bool running = false;
  endpoint membership;      ///< bound; none before the node is up
  endpoint replication;     ///< likewise
  std::size_t members = 0;  ///< alive or suspected, this node included
  std::size_t expect = 0;
  chain_state chain = chain_state::waiting;
  std::string chain_remark;  ///< what the chain waits for, or what is the matter; empty when it is formed
  replication::replica_status replica;
};

}  // namespace artillery
