#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "artillery/sim.hpp"
#include "sim/chain_replica.hpp"
#include "sim/history.hpp"

namespace artillery::sim {

/// What a checker knows of one life of a replica: its state now, or as it ended.
struct replica_life {
  host at = 0;
  const replication::core* running = nullptr;  // null: it is over
  std::shared_ptr<const chain_store> objects;
  replication::log log;  // once it is over
  std::uint64_t epoch = 0;
  replication::version last;
  std::uint64_t commit = 0;
  replication::version committed;  // the record at `commit`
  std::uint64_t frozen_as = 0;     // which of its freezes it was in; 0: none
  std::uint64_t answers_without_lease = 0;
  time_point lease_until = time_point::min();  // as the threads of its process see it
  bool is_over = false;
  std::uint64_t epoch_before = 0;  // of a replica that restarted: in its life before

  [[nodiscard]] const replication::log& records() const noexcept { return running != nullptr ? running->log() : log; }
};

/// Watches a chain whose view changes, in all the lives of all its replicas, and checks the invariants of
/// docs/replication.md that are about more than one view.
class view_observer {
public:
  using views = std::map<std::uint64_t, replication::view>;
  /// The disk of this replica, while it is intact and is that replica's; null: it has none.
  using disks = std::function<const replica_disk*(const replication::replica_id&)>;

  view_observer(const views& chosen, disks disk_of) : chosen_{chosen}, disk_of_{std::move(disk_of)} {}

  /// After each event, for each replica that is up. `local`: what its clock shows.
  void observe(host at, const replica_program& replica);
  /// A life is over, with what it did last.
  void ended(host at, const replica_program& replica);

  /// Everything that holds after each event; `local_time` of a host.
  [[nodiscard]] std::optional<std::string> check(const world& in) const;

  /// All that was ever committed, in order: what any life held up to its own watermark. Or what is wrong with it.
  [[nodiscard]] std::optional<std::string> committed_log(journal& into) const;
  /// What an eventual read shows may be lost; it only must have been there.
  [[nodiscard]] std::optional<std::string> check_eventual_reads(const history& seen) const;

  /// Each version, wherever it was applied, stands for one change.
  [[nodiscard]] std::optional<std::string> check_versions() const;

  /// The last life of each replica: one with a disk can have several.
  [[nodiscard]] const std::map<replication::replica_id, replica_life>& lives() const noexcept { return lives_; }

private:
  replica_life& look_at(host at, const replica_program& replica);
  template <class Function>
  void for_each_life(Function&& function) const;
  [[nodiscard]] std::optional<std::string> check_prefix_order() const;
  [[nodiscard]] std::optional<std::string> check_committed_held() const;
  [[nodiscard]] std::optional<std::string> check_disks() const;
  [[nodiscard]] std::optional<std::string> check_old_leases(const world& in) const;
  /// Whether any life ever held this version of an object with this value.
  [[nodiscard]] bool was_held(const history_operation& read) const;
  void blame(const std::string& what);

  const views& chosen_;
  disks disk_of_;
  std::map<replication::replica_id, replica_life> lives_;
  std::vector<std::pair<replication::replica_id, replica_life>> former_lives_;  // of replicas that restarted
  std::map<std::uint64_t, replication::version> commit_points_;  // by seq: what somebody had committed up to
  std::set<std::uint64_t> opened_;                               // epochs whose tails opened
  std::optional<std::string> fault_;
};

/// Whether two replicas that hold the same log know the same sessions and results.
[[nodiscard]] bool same_sessions(const replication::sessions& one, const replication::sessions& other);

}  // namespace artillery::sim
