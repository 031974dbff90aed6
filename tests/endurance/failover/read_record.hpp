#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "artillery/replication/types.hpp"
#include "sim/history.hpp"

namespace failover {

/// Strong reads of which it matters where they were asked, as a history.
class read_record {
public:
  using slot = std::size_t;

  /// A read begins, at the agent with that number. `is_named`: no other may answer.
  slot begin(std::uint32_t client, std::size_t agent, std::string key, bool is_named);
  void answered(slot at, const artillery::replication::read_result& result);
  /// It came to nothing: no answer, or none in time.
  void failed(slot at);

  [[nodiscard]] const artillery::sim::history& operations() const noexcept { return operations_; }
  /// Values that did not come back as they were written.
  [[nodiscard]] std::size_t damaged() const noexcept { return damaged_; }
  /// Answers to reads at that agent that began in this time, and were given after it.
  [[nodiscard]] std::size_t answers_after(std::size_t agent, artillery::time_point from,
                                          artillery::time_point to) const;
  /// Whether a read was answered that began at that agent after `moment`.
  [[nodiscard]] bool has_answer_since(std::size_t agent, artillery::time_point moment) const;

private:
  artillery::sim::history operations_;
  std::vector<std::size_t> agents_;  ///< of each
  std::size_t damaged_ = 0;
};

}  // namespace failover
