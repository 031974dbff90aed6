#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "artillery/effects.hpp"
#include "base/state_hash.hpp"
#include "discovery/message.hpp"

namespace artillery::discovery {

/// A question that will be answered, after a delay that keeps the link's hosts from answering all at once.
struct pending_answer {
  time_point due;
  connection to;
  std::uint64_t query = 0;
  question what;
  /// Bytes that may still be sent in answer: an answer is never larger than its question, or a forged question would
  /// make of every node an amplifier.
  std::size_t budget = 0;
};

class answers {
public:
  static constexpr std::size_t pending_max = 256;
  static constexpr std::size_t recent_max = 64;

  /// True when that question was not seen lately. The same one comes by each link that both hosts share.
  [[nodiscard]] bool is_new(const node_id& asker, std::uint64_t query);
  /// False: too many wait already.
  bool add(pending_answer answer);
  /// The next that is due, taken out; to be asked until there is none.
  [[nodiscard]] std::optional<pending_answer> due(time_point now);
  [[nodiscard]] std::optional<time_point> next_deadline() const noexcept;

  void add_to(detail::state_hash& hash, time_point now) const;

private:
  struct asked {
    node_id asker;
    std::uint64_t query;
  };
  std::vector<pending_answer> pending_;
  std::deque<asked> recent_;
};

}  // namespace artillery::discovery
