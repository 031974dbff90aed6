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
  replication::member self;  ///< this life of this node; its endpoint is what others can reach
  std::size_t expect = 1;    ///< as in `node_config`
  /// How long the known members must have stayed the same before somebody proposes, and a conflict before it is said to
  /// be one: news needs about two rounds of gossip.
  duration settle = std::chrono::milliseconds{400};
  std::uint64_t chain = 1;
};

/// How nodes that know nothing but each other's tags agree on the first view of a chain, without a vote. A pure value:
/// members and the time go in; what to publish and what came of it can be asked for.
///
/// 1. Everybody publishes its replica: where it is, which life of the node this is, how many nodes are expected.
/// 2. When that many are known, and have been the same for `settle`, the one with the lowest id confirms the list of
/// the
///    lowest ids, ascending: its proposal. Not while anybody present has confirmed anything.
/// 3. Who sees a list with itself on it, to which nobody on it has confirmed another, confirms it as well.
/// 4. A life confirms one list, ever. The list is in force for whoever knows that everybody on it has confirmed it:
/// having
///    seen that, or having been told so by one of them (its mark "formed").
///
/// So two lists with a life in common can never both be in force: that life would have confirmed both. Lists with no
/// life in common can, when more nodes than expected start in two halves of a network that do not see each other; that
/// is found out, and said, when they do.
class chain_bootstrap {
public:
  explicit chain_bootstrap(bootstrap_config config);

  /// All other members that are known, the dead ones too, at the time `now`.
  void observe(const std::vector<membership::member>& others, time_point now);
  /// Call at or after `next_deadline()`; early calls do nothing.
  void expire(time_point now);
  [[nodiscard]] std::optional<time_point> next_deadline() const noexcept { return deadline_; }

  /// A replica of the view has answered. Until then a chain that others formed is hearsay: its nodes may have died
  /// together, and this node been told before that was noticed. If so it is forgotten; once reached, it is kept
  /// until another list is the only one in force.
  void reached(time_point now);

  /// What to publish beside the user's tags.
  [[nodiscard]] membership::tag_map tags() const;

  /// The view in force, as far as it is known; of a replica that is gone, and was never met, only the incarnation. Of a
  /// node that is on its list it never changes.
  [[nodiscard]] const std::optional<replication::view>& view() const noexcept { return view_; }
  /// A view that others formed, and of which no replica has answered yet.
  [[nodiscard]] bool hearsay() const noexcept { return view_ && !reached_ && here() == replication::role::none; }
  [[nodiscard]] replication::role here() const noexcept;
  /// Where the replicas of the view listen that are present, head first.
  [[nodiscard]] const std::vector<endpoint>& reachable() const noexcept { return reachable_; }

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
    std::size_t expect = 0;
    chain_list confirmed;  ///< empty: nothing yet
    bool formed = false;   ///< it says that what it confirmed is in force
    bool present = false;  ///< alive, or only suspected

    [[nodiscard]] std::uint64_t incarnation() const noexcept { return who.id.incarnation; }
  };

  void learn(const std::vector<membership::member>& others);
  void learn_one(const membership::member& other);
  void drop_ambiguous_lives();
  void refresh_self();
  void decide(time_point now);
  void confirm(const chain_list& list);
  void adopt();
  void use(const chain_list& list);
  void consider_proposals();
  void consider_proposing(time_point now);
  void judge(time_point now);
  void wake_at(time_point when);

  [[nodiscard]] const life* find(std::uint64_t incarnation) const noexcept;
  [[nodiscard]] bool relevant(const life& one) const noexcept;
  [[nodiscard]] std::vector<chain_list> lists() const;
  [[nodiscard]] bool in_force(const chain_list& list) const;
  [[nodiscard]] bool held_by_present(const chain_list& list) const;
  [[nodiscard]] bool can_confirm(const chain_list& list) const;
  [[nodiscard]] std::vector<chain_list> usable() const;
  [[nodiscard]] std::vector<const life*> candidates() const;
  [[nodiscard]] replication::view make_view(const chain_list& list) const;
  [[nodiscard]] std::vector<node_id> holders(const std::vector<chain_list>& of) const;
  [[nodiscard]] std::optional<chain_conflict> find_conflict() const;
  [[nodiscard]] std::optional<chain_conflict::reason> why_dead(const chain_list& list) const;
  [[nodiscard]] std::string missing_confirmations() const;

  bootstrap_config config_;
  std::vector<life> lives_;  ///< ascending by id; this node's own among them, if it may be a replica
  chain_list confirmed_;     ///< by this node: sticky
  std::vector<replication::member> confirmed_who_;  ///< who is meant by it
  chain_list current_;                              ///< the list in force here
  std::optional<replication::view> view_;
  std::vector<endpoint> reachable_;
  bool reached_ = false;

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
