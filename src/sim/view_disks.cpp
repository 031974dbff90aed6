#include "sim/view_disks.hpp"

namespace artillery::sim {

std::optional<std::uint64_t> view_disks::restarts_as(std::size_t index) {
  const auto& disk = disks_.at(index);
  if (disk == nullptr || !disk->was_used()) return std::nullopt;
  ++restarts_;
  return disk->incarnation();
}

void view_disks::begin_anew(std::size_t index, std::uint64_t incarnation) {
  if (!sync_takes_max_) return;
  disks_.at(index) = std::make_shared<replica_disk>(incarnation, seeds_.next(), *sync_takes_max_);
}

void view_disks::crash(std::size_t index, bool is_lost) {
  auto& disk = disks_.at(index);
  if (disk != nullptr) disk->crash();
  if (is_lost) disk.reset();
}

replication::replica_id view_disks::name_at(std::size_t index) const {
  const auto& disk = disks_.at(index);
  return disk == nullptr ? replication::replica_id{} : replication::replica_id{{1, index + 1}, disk->incarnation()};
}

const replica_disk* view_disks::of(const replication::replica_id& who) const {
  const auto index = static_cast<std::size_t>(who.node.low - 1);
  const replica_disk* const disk = index < disks_.size() ? disks_[index].get() : nullptr;
  return disk != nullptr && disk->certain_incarnation() == who.incarnation ? disk : nullptr;
}

}  // namespace artillery::sim
