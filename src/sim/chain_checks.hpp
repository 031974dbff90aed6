#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sim/chain_actors.hpp"
#include "sim/history.hpp"

namespace artillery::sim {

/// What a checker knows of the members of a chain: their state now, or, of one that is down, when it went down. A
/// member is a replica's first life; later ones are strangers.
class chain_members {
public:
  explicit chain_members(std::size_t size) : members_(size) {}

  struct member {
    std::shared_ptr<const chain_store> objects;
    std::uint64_t last = 0;
    std::uint64_t commit = 0;
    std::uint64_t commit_before = 0;
    std::size_t log_size = 0;
    const replication::core* core = nullptr;  // while it runs
    bool contiguous = true;
  };

  void observe(std::size_t position, const replica_program& replica);
  [[nodiscard]] const std::vector<member>& all() const noexcept { return members_; }
  /// (session, number) of every write that the head put in its log, with repetitions.
  [[nodiscard]] std::uint64_t repeated_requests() const noexcept { return repeated_; }

private:
  void observe_requests(const replication::log& log);

  std::vector<member> members_;
  std::uint64_t requests_seen_to_ = 0;
  std::set<std::pair<std::uint64_t, std::uint64_t>> requests_;
  std::uint64_t repeated_ = 0;
};

// One function for each invariant of docs/replication.md: nothing when it holds, else what is wrong.

/// I3: what a replica holds is a prefix of what its predecessor holds. In numbers after each step, in full at the end.
[[nodiscard]] std::optional<std::string> check_prefix_order(const chain_members& members);
[[nodiscard]] std::optional<std::string> check_equal_prefixes(const chain_members& members);
/// The watermark never falls, and is nowhere ahead of those who must know it first.
[[nodiscard]] std::optional<std::string> check_commit_order(const chain_members& members);
/// I4: what is committed anywhere is held by every member.
[[nodiscard]] std::optional<std::string> check_committed_held_by_all(const chain_members& members);
/// I7: each request is in the log at most once.
[[nodiscard]] std::optional<std::string> check_exactly_once(const chain_members& members);
/// I8: no hole between what was dropped and what is held.
[[nodiscard]] std::optional<std::string> check_no_hole(const chain_members& members);
/// Reads of one client at one replica, one after the other, never go back: bounded ones in what they count, eventual
/// ones in the object's version.
[[nodiscard]] std::optional<std::string> check_monotone_reads(const history& operations);
/// After a quiet while: everything is committed, clean and the same everywhere.
[[nodiscard]] std::optional<std::string> check_converged(const chain_members& members);

/// All that are cheap enough for every step.
[[nodiscard]] std::optional<std::string> check_step(const chain_members& members);

}  // namespace artillery::sim
