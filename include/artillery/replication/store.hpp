#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "artillery/bytes.hpp"
#include "artillery/replication/types.hpp"

namespace artillery::replication {

/// One version of an object, as a store keeps it.
struct stored {
  replication::version version;  ///< none: there is no such version
  std::optional<bytes> value;    ///< nothing: absent (never written, or erased by `version`)
  std::uint32_t checksum = 0;    ///< CRC-32C of the value, made where it entered the system
};

/// An object as a copy of a store has it.
struct object {
  bytes key;
  stored newest;
};

/// Where a replica keeps its objects. A user may supply one; `memory_store` is ours.
///
/// The replica calls the members of the second group from one thread at a time (its strand); those of the first group
/// are called from any thread at any time, also during the others, and must see each change of one object as a whole.
/// An object has versions: at most one that is committed, and above it those that are not yet ("dirty"). Versions of an
/// object are applied in ascending `seq` order.
class store {
public:
  virtual ~store() = default;

  // --- from any thread ---
  /// The newest version of `key`, committed or not. Should cost one look-up.
  [[nodiscard]] virtual stored fetch(std::string_view key) const = 0;
  /// The same for many keys; `into` is as long as `keys`. Each object by itself is seen as a whole, not all at one
  /// moment. Override it where memory can be prefetched.
  virtual void fetch(std::span<const std::string_view> keys, std::span<stored> into) const {
    for (std::size_t i = 0; i < keys.size(); ++i) into[i] = fetch(keys[i]);
  }
  /// The newest version of `key` whose seq is at most `watermark` (never below what was committed); absent with no
  /// version when there is none.
  [[nodiscard]] virtual stored fetch_at(std::string_view key, std::uint64_t watermark) const = 0;

  // --- from the replica's strand ---
  /// Adds a version on top of all others. `written.value` shares no memory that is much larger than itself.
  virtual void apply(std::string_view key, const stored& written) = 0;
  /// The version of `key` with this seq is committed now: older ones are never asked for again. If it is the newest,
  /// and an erase, the object is gone.
  virtual void commit(std::string_view key, std::uint64_t seq) = 0;
  /// `apply` and `commit` in one, for a replica that commits what it is handed (the tail): one look-up.
  virtual void apply_committed(std::string_view key, const stored& written) {
    apply(key, written);
    commit(key, written.version.seq);
  }

  /// A store is copied in this many parts, one after the other, while writes go on between them.
  [[nodiscard]] virtual std::size_t parts() const { return 1; }
  /// The objects of one part: of each the newest version whose seq is at most `watermark`, if there is one with a
  /// value. An object that is there from the first part's copy to the last's is in one of them.
  [[nodiscard]] virtual std::vector<object> copy_part(std::size_t part, std::uint64_t watermark) const = 0;
  /// Forgets everything. Readers on other threads may still see it for a while; nobody answers by it.
  virtual void clear() = 0;

  /// Objects that are there, committed or not (an estimate while writes go on).
  [[nodiscard]] virtual std::size_t size() const = 0;

protected:
  store() = default;
  store(const store&) = default;
  store& operator=(const store&) = default;
};

}  // namespace artillery::replication
