#include "sim/disk.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "sim/network.hpp"

namespace artillery::sim {
namespace {

constexpr std::uint64_t per_mille = 1000;

bytes zeros(std::size_t size) {
  bytes_buffer blank{size};
  if (size != 0) std::memset(blank.data(), 0, size);
  return std::move(blank).freeze(size);
}

}  // namespace

std::error_code to_error_code(disk_error error) noexcept {
  switch (error) {
    case disk_error::none: return {};
    case disk_error::io: return std::make_error_code(std::errc::io_error);
    case disk_error::no_space: return std::make_error_code(std::errc::no_space_on_device);
  }
  return {};
}

disk::disk(std::uint64_t seed)
    : delays_{detail::random{seed}.fork("disk.delay")},
      failures_{detail::random{seed}.fork("disk.failure")},
      crashes_{detail::random{seed}.fork("disk.crash")},
      rot_{detail::random{seed}.fork("disk.rot")} {}

time_point disk::persist(bytes contents, time_point now, const disk_faults& faults) {
  const bool fails = faults.sync_failure != 0 && failures_.chance(faults.sync_failure, per_mille);
  const bool falls_short = faults.short_write != 0 && failures_.chance(faults.short_write, per_mille);
  if (contents.size() > faults.capacity - std::min(faults.capacity, size_)) {
    const std::uint64_t room = faults.capacity - std::min(faults.capacity, size_);
    const bool fills_up = room != 0 && failures_.chance(1, 2);
    if (fills_up) {
      append(contents.slice(0, static_cast<std::size_t>(room)), disk_error::no_space);
    } else {
      under_way_.push_back({disk_error::no_space, false});
    }
  } else if (falls_short) {
    const auto written = static_cast<std::size_t>(failures_.below(contents.size()));
    append(contents.slice(0, written), disk_error::io);
  } else {
    append(std::move(contents), fails ? disk_error::io : disk_error::none);
  }
  const bool at_once = delays_.chance(1, 8);
  const duration takes = at_once ? duration::zero() : exponential(delays_, faults.delay_mean);
  last_end_ = std::max(last_end_, now + takes);
  return last_end_;
}

void disk::append(bytes contents, disk_error error) {
  size_ += contents.size();
  records_.push_back({.contents = std::move(contents)});
  under_way_.push_back({error, true});
}

disk_error disk::finish() {
  const under_way ended = under_way_.front();
  under_way_.pop_front();
  if (!ended.is_written) return ended.error;
  // One that failed stays as it is for good: later syncs take its pages for clean.
  records_[finished_].is_durable = ended.error == disk_error::none;
  ++finished_;
  return ended.error;
}

void disk::crash(world_counters& counters) {
  under_way_.clear();
  last_end_ = {};
  std::uint64_t offset = 0;
  for (record& each : records_) {
    const std::size_t size = each.contents.size();
    each.intact_end = size;
    if (!each.is_durable) {
      const std::uint64_t fate = crashes_.below(3);
      if (fate == 1) {
        each.contents = zeros(size);
        each.intact_end = 0;
      }
      if (fate == 2) tear(each, offset);
      if (fate != 0) ++counters.records_torn;
      each.is_durable = true;
    }
    offset += size;
  }
  // The length of the file is written apart from what is in it: it may cover what was lost at the end, or not.
  if (crashes_.chance(3, 4)) {
    while (!records_.empty() && records_.back().intact_end == 0 && !records_.back().contents.empty()) {
      records_.pop_back();
    }
    if (!records_.empty()) {
      record& last = records_.back();
      last.contents = last.contents.slice(0, last.intact_end);
    }
  }
  truncate(records_.size());
}

/// Each sector that the record lies in is there or not: later ones without earlier ones, too.
void disk::tear(record& torn, std::uint64_t offset) {
  const std::size_t size = torn.contents.size();
  bytes_buffer left{size};
  if (size != 0) std::memcpy(left.data(), torn.contents.data(), size);
  torn.intact_end = 0;
  for (std::size_t at = 0; at < size;) {
    const std::size_t end = std::min(size, at + sector - static_cast<std::size_t>((offset + at) % sector));
    if (crashes_.chance(1, 2)) {
      torn.intact_end = end;
    } else {
      std::memset(left.data() + at, 0, end - at);
    }
    at = end;
  }
  torn.contents = std::move(left).freeze(size);
}

std::vector<bytes> disk::read_back(const disk_faults& faults, world_counters& counters) {
  std::vector<bytes> found;
  found.reserve(records_.size());
  for (record& each : records_) {
    if (faults.bit_rot != 0 && !each.contents.empty() && rot_.chance(faults.bit_rot, per_mille)) {
      each.contents = flip_bit(each.contents, rot_);
      ++counters.bits_rotten;
    }
    found.push_back(each.contents);
  }
  return found;
}

void disk::truncate(std::size_t records) {
  records_.resize(std::min(records, records_.size()));
  finished_ = records_.size();
  size_ = 0;
  for (const record& each : records_) size_ += each.contents.size();
}

std::vector<bytes> disk::durable() const {
  std::vector<bytes> certain;
  std::size_t last = 0;
  for (std::size_t i = 0; i < records_.size(); ++i) {
    certain.push_back(records_[i].is_durable ? records_[i].contents : zeros(records_[i].contents.size()));
    if (records_[i].is_durable) last = i + 1;
  }
  certain.resize(last);
  return certain;
}

void disk::replace(const std::vector<bytes>& records) {
  records_.clear();
  for (const bytes& each : records) records_.push_back({.contents = each, .is_durable = true});
  truncate(records_.size());
}

}  // namespace artillery::sim
