#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "artillery/replication/store.hpp"

namespace artillery::replication {

/// The store that a replica has unless its user supplies another: objects in memory, and gone with the process.
///
/// An object takes its key, its value and about 75 bytes more. Small values are copied next to their key, so that a
/// fetch touches one run of memory and a value keeps nothing else alive; larger ones are shared. Versions that are not
/// the newest hang behind it and cost nothing when there are none.
///
/// Thread safety: as `store` says. Readers and the writer meet in one of many short spin locks, never in a system call
/// unless a holder was put off its processor.
class memory_store final : public store {
public:
  /// Values up to this size are copied next to their key; a copy of this size costs less than an allocation.
  static constexpr std::size_t inline_value_size_max = 1024;

  /// Keys are hashed under a key of the operating system's making: who chooses keys cannot choose collisions.
  memory_store();
  /// The same under a key that is given, for runs that must repeat exactly.
  explicit memory_store(std::uint64_t hash_key);
  memory_store(const memory_store&) = delete;
  memory_store& operator=(const memory_store&) = delete;
  ~memory_store() override;

  [[nodiscard]] stored fetch(std::string_view key) const override;
  /// Overlaps the memory accesses of up to 16 keys at a time. `into` must be as long as `keys`.
  void fetch(std::span<const std::string_view> keys, std::span<stored> into) const override;
  [[nodiscard]] stored fetch_at(std::string_view key, std::uint64_t watermark) const override;

  [[nodiscard]] std::size_t parts() const override;
  [[nodiscard]] std::vector<object> copy_part(std::size_t part, std::uint64_t watermark) const override;
  void clear() override;

  void apply(std::string_view key, const stored& written) override;
  void commit(std::string_view key, std::uint64_t seq) override;
  void apply_committed(std::string_view key, const stored& written) override;

  [[nodiscard]] std::size_t size() const noexcept override;

private:
  struct table;
  std::unique_ptr<table> table_;
};

}  // namespace artillery::replication
