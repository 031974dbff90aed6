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
#include "sim/explore_choice.hpp"
#include "sim/explore_network.hpp"
#include "sim/history.hpp"

namespace artillery::sim {

/// What may still befall a small chain whose view changes.
struct views_budget {
  std::uint8_t doubts = 0;   ///< times that a replica is told that another has failed, true or not
  std::uint8_t crashes = 0;  ///< of replicas, for good
  std::uint8_t idle = 4;     ///< deadlines that pass while nothing is under way
  std::uint8_t retries = 2;  ///< pauses before a retry that end
  std::uint8_t resends = 0;  ///< writes that are sent once more, to whoever takes itself for the head then
};

/// How large it is.
struct views_scope {
  std::size_t replicas = 2;  ///< of the first view
  std::size_t spares = 0;
  std::uint8_t writes = 1;
  std::uint8_t reads = 1;  ///< strong, by the process of any replica
  bool fences = true;      ///< a read of the register ends what its asker proposed before
  views_budget budget = {};
};

/// A chain of real cores whose view changes, for the explorer: a register that answers each question in two steps, with
/// anything in between; leases are none, so that clocks, which stand still here but for deadlines, do not matter (R12).
///
/// Checked after each step: only chosen views are in force (I1), prefix order (I3), all that was ever committed is held
/// by every replica of the newest chosen view (I4), a frozen tail commits nothing (I9); and whenever something is
/// answered, that all answers have an order (I5).
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
  };
  struct state {
    std::vector<std::shared_ptr<const actor>> nodes;  // null: crashed
    explore_network network;
    std::vector<question> questions;
    std::vector<replication::view> chosen;  // by epoch, from 1
    std::vector<replication::question_id> fenced;
    std::map<replication::replica_id, replication::log> ended;    // lives that are over, as they were last
    std::map<std::uint64_t, replication::version> commit_points;  // by seq: what somebody had committed up to
    history operations;                                           // the writes, then the reads that were asked for
    std::uint64_t moments = 0;
    std::uint64_t session = 0;
    std::uint8_t writes_asked = 0;
    std::uint8_t reads_asked = 0;
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
  static constexpr std::uint8_t expire_idle = 1;

  [[nodiscard]] std::size_t nodes() const noexcept { return scope_.replicas + scope_.spares; }
  [[nodiscard]] std::shared_ptr<actor> make(std::size_t node) const;
  template <class Call>
  void run(state& at, std::size_t node, outcome& came_to, Call call) const;
  void decide(state& at, std::size_t which) const;
  void expire(state& at, std::size_t node, outcome& came_to) const;
  void write(state& at, std::size_t number, std::size_t node, outcome& came_to) const;
  void read(state& at, std::size_t node, outcome& came_to) const;
  void open_session(state& at) const;
  void settle(state& at) const;

  void add_arrivals(const state& at, std::vector<explore_choice>& out) const;
  void add_requests(const state& at, std::vector<explore_choice>& out) const;
  void add_faults(const state& at, std::vector<explore_choice>& out) const;
  [[nodiscard]] bool retries(const state& at, std::size_t node) const;

  [[nodiscard]] static std::uint64_t hash_of(const question& one);
  [[nodiscard]] std::optional<std::string> judge(state& at, outcome& came_to) const;
  [[nodiscard]] std::optional<std::string> check_logs(const state& at) const;

  views_scope scope_;
};

}  // namespace artillery::sim
