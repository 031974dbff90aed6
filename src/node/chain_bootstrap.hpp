#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "artillery/clock.hpp"
#include "artillery/membership/types.hpp"
#include "artillery/node/types.hpp"
#include "artillery/replication/types.hpp"
#include "node/chain_tags.hpp"

namespace artillery::detail {

struct bootstrap_config {
  /// This life of this node, and where others reach its replica (TCP) and its part in the register (UDP).
  replication::member self;
  std::uint16_t voter_port = 0;  ///< UDP, at the address of `self`; 0 when nobody is expected
  std::size_t expect = 1;        ///< as in `node_config`
  /// How long the known members must have stayed the same before somebody proposes, and a conflict before it is said to
  /// be one: news needs about two rounds of gossip.
  duration settle = std::chrono::milliseconds{400};
};

/// A node with which a chain is founded.
struct founder {
  replication::member replica;
  endpoint voter;  ///< where its part in the register listens

  friend bool operator==(const founder&, const founder&) = default;
};

/// How nodes that know nothing but each other's tags agree on whom a chain is founded with, and how later ones find it.
/// A pure value: members and the time go in; what to publish and what came of it can be asked for.
///
/// 1. Everybody publishes its replica: where it is, which life of the node this is, how many nodes are expected.
/// 2. When that many are known, and have been the same for `settle`, the one with the lowest id confirms the list of
///    the lowest ids, ascending: its proposal. Not while anybody present has confirmed anything, or is of a chain.
/// 3. Who sees a list with itself on it, to which nobody on it has confirmed another, confirms it as well.
/// 4. A life confirms one list, ever. Who knows that everybody on it has confirmed it may found the chain with it.
/// 5. What counts from then on is the register (docs/register.md): whoever votes on the chain, or is a replica of it,
///    publishes its genesis, and everybody else finds the chain by that.
///
/// So two lists with a life in common are never both founded with: that life would have confirmed both, and voted for
/// both. Lists with no life in common can be, when more nodes than expected start in two halves of a network that do
/// not see each other; that is found out, and said, when they do.
class chain_bootstrap {
public:
  explicit chain_bootstrap(bootstrap_config config);

  /// All other members that are known, the dead ones too, at the time `now`.
  void observe(const std::vector<membership::member>& others, time_point now);
  /// Call at or after `next_deadline()`; early calls do nothing.
  void expire(time_point now);
  [[nodiscard]] std::optional<time_point> next_deadline() const noexcept { return deadline_; }

  /// This node votes on the chain of this genesis, or became a replica of it: for ever.
  void belong(std::uint64_t genesis, time_point now);
  /// This node has founded another chain, of this genesis, in the place of the one that it belongs to.
  void replace(std::uint64_t genesis, time_point now);
  /// A replica of the chain that was found has answered. Until then it is hearsay: its nodes may have died together,
  /// and this node been told before that was noticed. If so it is forgotten; once reached, it is kept until another
  /// chain is the only one there is.
  void reached(time_point now);

  /// What to publish beside the user's tags.
  [[nodiscard]] membership::tag_map tags() const;

  /// With whom to found the chain, head first: everybody on the list of this node has confirmed it. Empty before that,
  /// and when the node belongs to a chain.
  [[nodiscard]] const std::vector<founder>& founders() const noexcept { return founders_; }
  /// The genesis of the chain to use: the node's own, or the one that was found. Nothing before there is one, and for
  /// a node that expects nobody else.
  [[nodiscard]] std::optional<std::uint64_t> chain() const noexcept;
  [[nodiscard]] bool belongs() const noexcept { return own_ != 0; }
  /// A chain was found, and none of its replicas has answered yet.
  [[nodiscard]] bool hearsay() const noexcept { return found_ != 0 && !reached_; }
  /// The nodes of that chain that are present, by id.
  [[nodiscard]] const std::vector<replication::member>& reachable() const noexcept { return reachable_; }

  /// Why there is no (clear) chain, once that has lasted for `settle`.
  [[nodiscard]] const std::optional<chain_conflict>& conflict() const noexcept { return conflict_; }
  [[nodiscard]] chain_state state() const noexcept;
  /// What is waited for, in words; empty when the chain is formed.
  [[nodiscard]] const std::string& remark() const noexcept { return remark_; }
  /// Members whose tags could not be read.
  [[nodiscard]] std::size_t malformed() const noexcept { return malformed_; }

private:
  /// One life of a node, as its tags show it.
  struct life {
    replication::member who;
    std::uint16_t voter_port = 0;
    std::size_t expect = 0;
    chain_list confirmed;       ///< empty: nothing, or the chain has been founded
    std::uint64_t genesis = 0;  ///< of the chain that it belongs to; 0: none
    bool present = false;       ///< alive, or only suspected

    [[nodiscard]] std::uint64_t incarnation() const noexcept { return who.id.incarnation; }
  };

  void learn(const std::vector<membership::member>& others);
  void learn_one(const membership::member& other);
  void drop_ambiguous_lives();
  void refresh_self();
  void decide(time_point now);
  void find_chain();
  void find_founders();
  void confirm(const chain_list& list);
  void consider_proposals();
  void consider_proposing(time_point now);
  void judge(time_point now);
  void wake_at(time_point when);

  [[nodiscard]] const life* find(std::uint64_t incarnation) const noexcept;
  [[nodiscard]] bool relevant(const life& one) const noexcept;
  [[nodiscard]] std::vector<std::uint64_t> chains() const;
  [[nodiscard]] std::vector<chain_list> lists() const;
  [[nodiscard]] bool held_by_present(const chain_list& list) const;
  [[nodiscard]] bool can_confirm(const chain_list& list) const;
  [[nodiscard]] std::vector<const life*> candidates() const;
  [[nodiscard]] std::optional<chain_conflict> find_conflict() const;
  [[nodiscard]] std::optional<chain_conflict> find_conflict_of_lists() const;
  [[nodiscard]] std::optional<chain_conflict::reason> why_dead(const chain_list& list) const;
  template <class Predicate>
  [[nodiscard]] std::vector<node_id> present_nodes(Predicate of) const;
  [[nodiscard]] std::string missing_confirmations() const;

  bootstrap_config config_;
  std::vector<life> lives_;             ///< ascending by id; this node's own among them, if it may be a replica
  chain_list confirmed_;                ///< by this node: sticky
  std::vector<founder> confirmed_who_;  ///< who is meant by it
  std::vector<founder> founders_;
  std::uint64_t own_ = 0;    ///< genesis of the chain that this node belongs to
  std::uint64_t found_ = 0;  ///< genesis of the chain that others have
  bool reached_ = false;
  std::vector<replication::member> reachable_;

  std::vector<replication::replica_id> last_candidates_;
  time_point stable_since_{};
  std::optional<chain_conflict> supposed_conflict_;
  time_point supposed_since_{};
  std::optional<chain_conflict> conflict_;
  std::optional<time_point> deadline_;
  std::string remark_;
  std::size_t malformed_ = 0;
};

}  // namespace artillery::detail
