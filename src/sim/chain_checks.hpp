#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sim/chain_replica.hpp"
#include "sim/history.hpp"

namespace artillery::sim {

/// What a checker knows of a member of a chain: its state now, or, if it is down, when it went down. A member is a
/// replica's first life; later ones are strangers.
struct chain_member {
  std::shared_ptr<const chain_store> objects;
  std::uint64_t epoch = 0;
  std::uint64_t epoch_before = 0;
  std::uint64_t last = 0;
  std::uint64_t commit = 0;
  std::uint64_t commit_before = 0;
  std::uint64_t sessions_hash = 0;
  bool is_contiguous = true;  ///< the log, from what was dropped of it to its end

  // What takes memory.
  std::size_t log_size = 0;
  std::size_t log_weight = 0;
  std::size_t sessions = 0;
  std::size_t results_max = 0;  ///< that a session keeps
  std::size_t waiting_reads = 0;
  std::size_t client_links = 0;
  std::size_t member_links = 0;

  std::uint64_t answers_without_lease = 0;
};
using chain_members = std::vector<chain_member>;

/// Takes down what the core of a member says now; whether it holds new records.
bool look_at(const replication::core& core, chain_member& seen);

/// Watches the members of a chain.
class chain_observer {
public:
  explicit chain_observer(std::size_t size) : members_(size) {}

  void observe(std::size_t position, const replica_program& replica);
  [[nodiscard]] const chain_members& members() const noexcept { return members_; }
  /// Of the requests that the head put in its log, those that were there already.
  [[nodiscard]] std::uint64_t repeated_requests() const noexcept { return repeated_; }

private:
  void observe_requests(const replication::log& log);

  chain_members members_;
  std::uint64_t requests_seen_to_ = 0;
  std::set<std::pair<std::uint64_t, std::uint64_t>> requests_;  // (session, number)
  std::uint64_t repeated_ = 0;
};

// One function for each invariant of docs/replication.md: nothing when it holds, else what is wrong.

/// I2: a replica's epoch never falls.
[[nodiscard]] std::optional<std::string> check_epochs(const chain_members& members);
/// I3: what a replica holds is a prefix of what its predecessor holds. In numbers after each step, in full at the end.
[[nodiscard]] std::optional<std::string> check_prefix_order(const chain_members& members);
[[nodiscard]] std::optional<std::string> check_equal_prefixes(const chain_members& members);
/// The watermark never falls, and is nowhere ahead of those who must know it first.
[[nodiscard]] std::optional<std::string> check_commit_order(const chain_members& members);
/// I4: what is committed anywhere is held by every member.
[[nodiscard]] std::optional<std::string> check_committed_held_by_all(const chain_members& members);
/// I6: nobody gives a strong answer, or a watermark for one, after its lease has ended.
[[nodiscard]] std::optional<std::string> check_leases(const chain_members& members);
/// I7: each request is in the log at most once; seen in the head's log, and at the end in what was applied.
[[nodiscard]] std::optional<std::string> check_exactly_once(const chain_observer& seen);
[[nodiscard]] std::optional<std::string> check_applied_once(const journal& applied);
/// I8: no hole between what was dropped and what is held.
[[nodiscard]] std::optional<std::string> check_no_hole(const chain_members& members);
/// R11, and every other limit with a name: nothing grows beyond it.
[[nodiscard]] std::optional<std::string> check_memory_bounds(const chain_members& members,
                                                             const replication::replica_config& limits);
/// Reads of one client or thread at one replica, one after the other, never go back: in what they count, and in the
/// versions of each object.
[[nodiscard]] std::optional<std::string> check_monotone_reads(const history& operations);
/// After a quiet while: everything is committed, clean and the same everywhere.
[[nodiscard]] std::optional<std::string> check_converged(const chain_members& members);

/// All that are cheap enough for every step.
[[nodiscard]] std::optional<std::string> check_step(const chain_observer& seen,
                                                    const replication::replica_config& limits);

}  // namespace artillery::sim
