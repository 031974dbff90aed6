#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "artillery/bytes.hpp"
#include "artillery/replication/types.hpp"

namespace artillery::replication {

/// A plain change of one object: what is left of a write once the head has evaluated it.
struct object_effect {
  enum class kind : std::uint8_t { put = 0, erase = 1 };

  kind what = kind::put;
  bytes key;
  bytes value;                 // of a put
  std::uint32_t checksum = 0;  // of the value, made where it entered

  friend bool operator==(const object_effect&, const object_effect&) = default;
};

/// One place in the chain's log.
struct record {
  enum class kind : std::uint8_t {
    write = 0,          // also one whose condition failed: no effects, a result
    open_session = 1,   // session: the new one; number: the session that ends to make room, or 0
    close_session = 2,  // session: the one that ends
  };

  kind what = kind::write;
  std::uint64_t seq = 0;    // contiguous from 1
  std::uint64_t epoch = 0;  // in which it was given its seq
  std::uint64_t session = 0;
  std::uint64_t number = 0;  // of the request within its session
  std::uint64_t lowest = 0;  // lowest number that its client still waits for
  write_result result;
  std::vector<object_effect> effects;

  [[nodiscard]] replication::version version() const noexcept { return {epoch, seq}; }

  /// What it counts in the window: its bytes and what it takes to keep them.
  [[nodiscard]] std::size_t weight() const noexcept {
    constexpr std::size_t overhead = 128;
    std::size_t sum = overhead;
    for (const object_effect& effect : effects) sum += effect.key.size() + effect.value.size();
    return sum;
  }

  friend bool operator==(const record&, const record&) = default;
};

}  // namespace artillery::replication
