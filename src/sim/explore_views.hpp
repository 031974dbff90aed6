#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "replication/core.hpp"
#include "sim/chain_store.hpp"
#include "sim/explore_answers.hpp"
#include "sim/explore_choice.hpp"
#include "sim/explore_network.hpp"

namespace artillery::sim {

/// What may still befall a small chain whose view changes. Pauses before a retry end, and leases fall, at any moment
/// and as often as they may.
struct views_budget {
  std::uint8_t doubts = 0;    ///< times that a replica is told that another has failed, true or not
  std::uint8_t crashes = 0;   ///< of replicas, for good
  std::uint8_t resends = 0;   ///< writes that are sent once more, to whoever takes itself for the head then
  std::uint8_t give_ups = 0;  ///< proposals of which nobody is told what became of them
  std::uint8_t thaws = 0;     ///< times that a tail has been frozen for as long as it may be
};

/// How large it is.
struct views_scope {
  std::size_t replicas = 2;  ///< of the first view
  std::size_t spares = 0;
  std::uint8_t writes = 1;
  std::uint8_t reads = 1;  ///< strong, by the process of any replica
  replication::lease_mode leases = replication::lease_mode::none;
  bool renews = true;           ///< who lost its lease may get another in the same epoch
  bool fences = true;           ///< a read of the register ends what its asker proposed before
  bool comes_back = true;       ///< who was dropped asks to be fed
  std::uint64_t begins_in = 1;  ///< the epoch that was just chosen when the exploration begins; 2: it admits a spare
  views_budget budget = {};
};

/// A chain of real cores whose view changes, for the explorer: a register that answers each question in two steps, with
/// anything in between. A lease is a flag that may fall at any time, and the time of a node passes only then; a gate
/// ends once those whom it is for have none.
///
/// Checked after each step: only chosen views are in force (I1), prefix order (I3), all that was ever committed is held
/// by every replica of the newest chosen view (I4), nobody who is left out holds a lease once a later tail has opened
/// (I6), a frozen tail commits nothing (I9); and of each answer, that it fits those before it (I5).
class views_setup {
public:
  struct actor {
    replication::core core;
    chain_store objects;
    time_point now;
    bool has_client = false;  // the stream of the client that writes is open here
    std::uint64_t hash = 0;
  };
  struct question {
    std::uint8_t node = 0;
    replication::authority_question asked;
    std::optional<replication::authority_answer> answer;  // once the register decided
    bool is_void = false;                                 // of a proposal: a later read fences it
    bool is_given_up = false;                             // of a proposal: its answer goes to nobody
  };
  struct state {
    std::vector<std::shared_ptr<const actor>> nodes;  // null: crashed
    explore_network network{true};
    std::vector<question> questions;
    std::vector<replication::view> chosen;                      // by epoch, from 1
    std::map<replication::replica_id, replication::log> ended;  // of the newest view's: lives that are over
    std::vector<std::uint64_t> committed;  // by place, from 1: the epoch of the record; 0: not seen
    explore_answers answers{0, 0};
    std::uint64_t session = 0;
    std::uint8_t writes_asked = 0;
    std::uint8_t reads_left = 0;
    views_budget left;
  };

  explicit views_setup(views_scope scope) : scope_{scope} {}

  [[nodiscard]] state initial() const;
  void choices(const state& at, std::vector<explore_choice>& out) const;
  [[nodiscard]] std::optional<std::string> apply(state& at, const explore_choice& choice) const;
  [[nodiscard]] std::optional<std::string> check_end(const state& at) const;
  [[nodiscard]] std::uint64_t hash(const state& at) const;
  [[nodiscard]] std::string describe(const state& at, const explore_choice& choice) const;

private:
  using kind = explore_choice::kind;
  struct outcome;
  class sink;

  static constexpr std::uint8_t step_decide = 0;
  static constexpr std::uint8_t step_tell = 1;
  static constexpr std::uint8_t expire_retry = 0;
  static constexpr std::uint8_t expire_lease = 1;
  static constexpr std::uint8_t expire_freeze = 2;

  [[nodiscard]] std::size_t nodes() const noexcept { return scope_.replicas + scope_.spares; }

  // explore_views_nodes.cpp: how the cores are driven
  [[nodiscard]] std::shared_ptr<actor> make(std::size_t node) const;
  template <class Call>
  void run(state& at, std::size_t node, outcome& came_to, Call call) const;
  void start(state& at, std::size_t node) const;
  void deliver(state& at, std::size_t stream, std::size_t end, outcome& came_to) const;
  void bring_up(state& at, outcome& came_to) const;
  void drop_renewals(state& at, std::size_t node) const;
  void expire(state& at, const explore_choice& choice, outcome& came_to) const;
  void ask_session(state& at) const;
  void write(state& at, std::size_t number, std::size_t node, outcome& came_to) const;
  void read(state& at, std::size_t node, outcome& came_to) const;
  void crash(state& at, std::size_t node) const;
  void make_happen(state& at, const explore_choice& choice, outcome& came_to) const;

  // explore_views_checks.cpp: the authority, and what may be left of leases
  [[nodiscard]] bool may_decide(const state& at, const question& one) const;
  void decide(state& at, std::size_t which) const;
  void tell(state& at, std::size_t which, outcome& came_to) const;
  void give_up(state& at, std::size_t which, outcome& came_to) const;
  [[nodiscard]] static bool holds_lease(const actor& one) noexcept;
  [[nodiscard]] static bool are_without_lease(const state& at, const std::vector<replication::replica_id>& whom,
                                              std::uint64_t before);
  [[nodiscard]] static bool lease_may_fall(const state& at, std::size_t node);
  [[nodiscard]] static bool time_may_pass(const state& at, std::size_t node);

  // what must hold, and the state
  [[nodiscard]] std::optional<std::string> judge(state& at, outcome& came_to) const;
  [[nodiscard]] static std::optional<std::string> note_commits(state& at, const actor& before, const actor& after);
  [[nodiscard]] static std::optional<std::string> check_logs(const state& at);
  [[nodiscard]] static std::optional<std::string> check_leases(const state& at);
  static void hash_view(const replication::view& one, detail::state_hash& into);
  [[nodiscard]] static std::uint64_t hash_of(const state& at, const question& one);

  // explore_views.cpp
  void settle(state& at, std::uint64_t until_epoch) const;
  void add_arrivals(const state& at, std::vector<explore_choice>& out) const;
  void add_requests(const state& at, std::vector<explore_choice>& out) const;
  void add_faults(const state& at, std::vector<explore_choice>& out) const;
  [[nodiscard]] static bool retries(const state& at, std::size_t node);

  views_scope scope_;
};

}  // namespace artillery::sim
