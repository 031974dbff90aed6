#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/random.hpp"
#include "sim/replica_disk.hpp"

namespace artillery::sim {

/// The disks of the replicas of one run, if they have any, by host.
class view_disks {
public:
  /// `sync_takes_max`: nothing: replicas have none.
  view_disks(std::optional<duration> sync_takes_max, std::uint64_t seed)
      : sync_takes_max_{sync_takes_max}, seeds_{seed} {}

  void resize(std::size_t hosts) { disks_.resize(hosts); }
  [[nodiscard]] bool there_are() const noexcept { return sync_takes_max_.has_value(); }
  [[nodiscard]] const std::shared_ptr<replica_disk>& at(std::size_t index) const { return disks_.at(index); }

  /// Who starts there: what the disk holds goes by its name; nothing: a stranger does, under a name of its own.
  [[nodiscard]] std::optional<std::uint64_t> restarts_as(std::size_t index);
  /// A stranger starts there.
  void begin_anew(std::size_t index, std::uint64_t incarnation);
  /// Its process is gone, and perhaps its disk is.
  void crash(std::size_t index, bool is_lost);
  /// The name of the replica that is on the disk of a host that is down.
  [[nodiscard]] replication::replica_id name_at(std::size_t index) const;
  /// The disk of this very replica; null: it has none, or lost it.
  [[nodiscard]] const replica_disk* of(const replication::replica_id& who) const;

  [[nodiscard]] std::uint64_t restarts() const noexcept { return restarts_; }

private:
  std::optional<duration> sync_takes_max_;
  detail::random seeds_;
  std::vector<std::shared_ptr<replica_disk>> disks_;  // none: it was lost, with what was on it
  std::uint64_t restarts_ = 0;
};

}  // namespace artillery::sim
