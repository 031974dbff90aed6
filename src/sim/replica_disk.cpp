#include "sim/replica_disk.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace artillery::sim {

using namespace replication;

replica_disk::replica_disk(std::uint64_t incarnation, std::uint64_t seed, duration sync_takes_max)
    : random_{seed}, sync_takes_max_{sync_takes_max}, certain_name_{incarnation} {}

void replica_disk::write(const kept_item& what, time_point now) {
  const auto takes = static_cast<duration::rep>(random_.below(static_cast<std::uint64_t>(sync_takes_max_.count()) + 1));
  last_end_ = std::max(last_end_, now + duration{takes});
  items_.push_back({what, last_end_});
}

std::optional<time_point> replica_disk::next_end() const {
  const std::size_t next = std::max(certain_, of_process_);
  return next < items_.size() && !holds_back_ ? std::optional{items_[next].ends} : std::nullopt;
}

std::uint64_t replica_disk::synced(time_point now) {
  std::size_t ended = std::max(certain_, of_process_);
  while (ended < items_.size() && items_[ended].ends <= now) ++ended;
  if (ended == of_process_) return 0;  // what was found here is certain once something behind it is
  while (certain_ < ended) settle(items_[certain_++].what);
  return ended - of_process_;
}

void replica_disk::crash() {
  const std::size_t survive = certain_ + static_cast<std::size_t>(random_.below(items_.size() - certain_ + 1));
  items_.resize(survive);
  of_process_ = survive;
}

std::uint64_t replica_disk::incarnation() const {
  std::uint64_t newest = certain_name_;
  for (const kept& each : items_) {
    if (const auto* name = std::get_if<kept_name>(&each.what)) newest = name->incarnation;
  }
  return newest;
}

restored replica_disk::read_back(store& into) const {
  restored found;
  bool is_whole = true;
  const auto begin = [&](const version& base) {
    found.base = base;
    found.sessions.clear();
    found.records.clear();
    into.clear();
  };
  for (const kept& each : items_) {
    if (const auto* in_force = std::get_if<kept_epoch>(&each.what))
      found.epoch = std::max(found.epoch, in_force->epoch);
    if (std::holds_alternative<kept_nothing>(each.what)) begin({});
    if (const auto* checkpoint = std::get_if<kept_checkpoint>(&each.what)) begin(checkpoint->base);
    if (std::holds_alternative<kept_nothing>(each.what) || std::holds_alternative<kept_whole>(each.what))
      is_whole = true;
    if (std::holds_alternative<kept_checkpoint>(each.what)) is_whole = false;
    if (const auto* part = std::get_if<kept_part>(&each.what)) {
      found.sessions.insert(found.sessions.end(), part->sessions.begin(), part->sessions.end());
      for (const object& object : part->objects) into.apply_committed(object.key.text(), object.newest);
    }
    if (const auto* next = std::get_if<kept_record>(&each.what)) found.records.push_back(next->record);
  }
  if (!is_whole) begin({});
  return found;
}

void replica_disk::settle(const kept_item& what) {
  if (const auto* name = std::get_if<kept_name>(&what)) certain_name_ = name->incarnation;
  if (const auto* next = std::get_if<kept_record>(&what)) records_.push_back(next->record.version());
  if (std::holds_alternative<kept_whole>(what)) is_whole_ = true;
  if (std::holds_alternative<kept_nothing>(what)) {
    is_whole_ = true;
    base_ = {};
    records_.clear();
  }
  if (const auto* checkpoint = std::get_if<kept_checkpoint>(&what)) {
    is_whole_ = false;
    base_ = checkpoint->base;
    records_.clear();
  }
}

bool replica_disk::knows(const version& which) const {
  if (!is_whole_) return false;
  if (which.seq <= base_.seq) return which.seq < base_.seq || which == base_;
  const std::size_t place = static_cast<std::size_t>(which.seq - base_.seq - 1);
  return place < records_.size() && records_[place] == which;
}

}  // namespace artillery::sim
