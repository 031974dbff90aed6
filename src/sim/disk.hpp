#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <system_error>
#include <vector>

#include "artillery/bytes.hpp"
#include "artillery/sim/faults.hpp"
#include "base/random.hpp"

namespace artillery::sim {

enum class disk_error : std::uint8_t { none, io, no_space };
[[nodiscard]] std::error_code to_error_code(disk_error error) noexcept;

/// A host's disk: one file, to which each persist appends a record and then syncs it. What was not synced when the host
/// dies is at the mercy of a draw, sector by sector. Syncs end in the order in which they were asked for, as those of
/// one log do.
class disk {
public:
  static constexpr std::size_t sector = 512;

  explicit disk(std::uint64_t seed);

  /// Starts to persist a record; returns when it is going to end. `finish` is to be called then.
  time_point persist(bytes contents, time_point now, const disk_faults& faults);
  /// The oldest persist under way has ended, like this.
  disk_error finish();
  /// The host dies: persists under way end in nobody's sight.
  void crash(world_counters& counters);

  /// What a program finds, after `bit_rot` did its work on it.
  [[nodiscard]] std::vector<bytes> read_back(const disk_faults& faults, world_counters& counters);
  /// Cuts off what comes after the first `records`.
  void truncate(std::size_t records);
  /// What is there for certain after a crash now.
  [[nodiscard]] std::vector<bytes> durable() const;
  void replace(const std::vector<bytes>& records);

private:
  struct record {
    bytes contents;
    bool is_durable = false;
    std::size_t intact_end = 0;  // after a crash: end of the last sector that survived
  };
  struct under_way {
    disk_error error = disk_error::none;
    bool is_written = true;  // it has a record, the oldest that is not finished
  };

  void append(bytes contents, disk_error error);
  void tear(record& torn, std::uint64_t offset);

  std::vector<record> records_;
  std::deque<under_way> under_way_;
  std::size_t finished_ = 0;  // records whose persist has ended, with an error or without
  std::uint64_t size_ = 0;
  time_point last_end_{};
  detail::random delays_;
  detail::random failures_;
  detail::random crashes_;
  detail::random rot_;
};

}  // namespace artillery::sim
