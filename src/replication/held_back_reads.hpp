#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "artillery/replication/session_token.hpp"
#include "replication/watermark_queries.hpp"

namespace artillery::replication {

/// A read whose session token counts more than is here yet.
struct held_back_read {
  waiting_read read;
  consistency level;
  session_token after;
};

/// Reads that wait until this replica has come as far as their tokens.
class held_back_reads {
public:
  void hold(held_back_read next) {
    consider(next.read.deadline);
    reads_.push_back(std::move(next));
  }
  /// All of them, to be looked at again.
  [[nodiscard]] std::vector<held_back_read> take_all() {
    earliest_.reset();
    return std::exchange(reads_, {});
  }

  [[nodiscard]] std::optional<time_point> next_deadline() const noexcept { return earliest_; }
  /// Takes out the reads whose deadline has passed.
  [[nodiscard]] std::vector<waiting_read> expire(time_point now) {
    std::vector<waiting_read> expired;
    if (!earliest_ || now < *earliest_) return expired;
    for (held_back_read& held : take_all()) {
      if (held.read.deadline && *held.read.deadline <= now) {
        expired.push_back(std::move(held.read));
      } else {
        hold(std::move(held));
      }
    }
    return expired;
  }
  void cancel(const asker& who) {
    std::erase_if(reads_, [&](const held_back_read& held) { return held.read.who == who; });
  }
  void forget(std::uint64_t stream) {
    std::erase_if(reads_, [&](const held_back_read& held) { return held.read.who.stream == stream; });
  }
  [[nodiscard]] std::size_t size() const noexcept { return reads_.size(); }
  [[nodiscard]] bool empty() const noexcept { return reads_.empty(); }

  void hash(detail::state_hash& into, time_point now) const {
    into.add(reads_.size());
    for (const held_back_read& held : reads_) {
      into.add(held.read.who.stream).add(held.read.who.request).add(held.read.key.view()).add(held.read.deadline, now);
      for (const version& part : {held.after.committed(), held.after.seen()}) into.add(part.epoch).add(part.seq);
    }
  }

private:
  void consider(std::optional<time_point> deadline) {
    if (deadline) earliest_ = earliest_ ? std::min(*earliest_, *deadline) : *deadline;
  }

  std::vector<held_back_read> reads_;
  std::optional<time_point> earliest_;  // never later than the earliest deadline of all
};

}  // namespace artillery::replication
