#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "artillery/replication/types.hpp"
#include "base/state_hash.hpp"

namespace artillery::sim {

/// What the checks of a small chain whose view changes must remember of its answers, and no more, so that runs that
/// differ in nothing that matters come to the same state. One object; puts of values of their own, which are numbered.
///
/// Linearizability, step by step: an answer names the version it is about, and the place of that in the log is its own.
/// It must lie at or after every place that an answer had told of when the operation was asked for, a write's after it;
/// and no write has two places. Whoever orders the operations by their places, each write before the reads of it, has
/// an order that fits real time, in which each read sees the newest write before it.
class explore_answers {
public:
  explore_answers(std::size_t writes, std::size_t nodes) : writes_(writes), reads_(nodes) {}

  void write_asked(std::size_t which);
  [[nodiscard]] bool waits_for_write(std::size_t which) const noexcept { return writes_[which].is_open(); }
  /// The number of a read at this node: the lowest that none has there that still waits.
  [[nodiscard]] std::uint64_t read_asked(std::size_t node);
  /// It came to nothing.
  void read_over(std::size_t node, std::uint64_t number) { reads_[node].erase(number); }

  [[nodiscard]] std::optional<std::string> write_answered(std::size_t which, const replication::write_result& result);
  [[nodiscard]] std::optional<std::string> read_answered(std::size_t node, std::uint64_t number,
                                                         const replication::read_result& result);

  [[nodiscard]] static std::string value_of(std::size_t write) {
    return std::string(1, static_cast<char>('a' + write));
  }
  void hash(detail::state_hash& into) const;

private:
  struct watched_write {
    bool asked = false;
    bool answered = false;
    std::uint64_t known = 0;                   // the place that some answer had told of when it was asked for
    std::optional<replication::version> told;  // by an answer to it, or to a read that found it

    [[nodiscard]] bool is_open() const noexcept { return asked && !answered; }
  };

  [[nodiscard]] std::optional<std::string> found_at(std::size_t which, const replication::version& at);

  std::vector<watched_write> writes_;
  std::vector<std::map<std::uint64_t, std::uint64_t>> reads_;  // by node: number, and the place known when it was asked
  std::uint64_t known_ = 0;
};

}  // namespace artillery::sim
