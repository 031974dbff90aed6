#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "artillery/replication/types.hpp"
#include "base/state_hash.hpp"
#include "replication/log.hpp"

namespace artillery::sim {

/// The object that the operations of a small chain are about.
inline constexpr std::string_view explore_object = "k";

/// What the checks of a small chain must remember of its history, and no more, so that runs that differ in nothing that
/// matters come to the same state. One object, and every put of a value of its own.
///
/// Linearizability, step by step: the log gives the writes their order. An operation must come at or after whatever
/// was known of that order (an answer had told of it) when it was asked for, a write after it. With one object and
/// unique values that is as much as to search for an order of the finished history, and says where it went wrong.
class explore_chain_monitor {
public:
  explicit explore_chain_monitor(std::size_t operations) : operations_(operations) {}

  void asked(std::size_t operation);
  /// Nobody waits for it any more; it may still happen.
  void abandoned(std::size_t operation);

  /// Reads what the head put in its log since the last call.
  [[nodiscard]] std::optional<std::string> observe(const replication::log& head);
  /// An answer. `held_by_all`: every member of the chain holds the log up to here.
  [[nodiscard]] std::optional<std::string> read_answered(std::size_t operation, const replication::read_result& result,
                                                         std::uint64_t held_by_all);
  [[nodiscard]] std::optional<std::string> write_answered(std::size_t operation, const replication::write& what,
                                                          const replication::write_result& result,
                                                          std::uint64_t held_by_all);

  [[nodiscard]] bool waits_for(std::size_t operation) const noexcept {
    return operations_[operation].state == phase::asked;
  }
  [[nodiscard]] bool waits() const noexcept;
  void hash(detail::state_hash& into) const;

private:
  enum class phase : std::uint8_t { unasked, asked, over };
  struct watched_operation {
    phase state = phase::unasked;
    std::uint64_t known = 0;  // the place in the log that some answer had told of when it was asked for
  };
  /// A write that the head gave a place.
  struct placed_write {
    std::uint64_t seq = 0;
    std::uint64_t session = 0;
    std::uint64_t number = 0;
    bool changes = false;
    std::optional<bytes> value;  // nothing: erased
  };

  [[nodiscard]] const placed_write* change_at(std::uint64_t seq) const noexcept;
  [[nodiscard]] std::optional<std::string> told(watched_operation& by, std::uint64_t place, std::uint64_t held_by_all);

  std::vector<watched_operation> operations_;
  std::vector<placed_write> log_;
  std::uint64_t seen_to_ = 0;
  std::uint64_t known_ = 0;
};

}  // namespace artillery::sim
