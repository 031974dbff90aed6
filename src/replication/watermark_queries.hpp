#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "artillery/bytes.hpp"
#include "artillery/clock.hpp"
#include "artillery/replication/types.hpp"
#include "base/state_hash.hpp"
#include "replication/log.hpp"

namespace artillery::replication {

/// A read that only the tail's watermark can answer.
struct waiting_read {
  asker who;
  bytes key;
  std::optional<time_point> deadline;  // of calls of this process; clients keep their own
};

/// One question to the tail for many reads (section 2.3 of the paper). At most one is under way; reads that come
/// meanwhile share the next. A read may join only a question that is not sent yet when it arrives: the tail's answer to
/// an earlier one may be older than a write that was acknowledged before the read began (R7).
class watermark_queries {
public:
  explicit watermark_queries(std::size_t waiting_max) : waiting_max_{waiting_max} {}

  /// False: too many wait already, `others` that wait for something else among them.
  [[nodiscard]] bool join(waiting_read read, std::size_t others = 0);

  [[nodiscard]] bool due() const noexcept { return asked_.empty() && !gathering_.empty(); }
  /// The gathered reads become those of a new question, whose number this is.
  [[nodiscard]] std::uint64_t ask();
  /// The reads of that question, if it is the one under way.
  [[nodiscard]] std::vector<waiting_read> answered(std::uint64_t question);
  /// The question under way will not be answered; its reads share the next.
  void lost();

  /// Everybody who waits: of what they are to be told nothing holds any more.
  [[nodiscard]] std::vector<waiting_read> take_all();

  [[nodiscard]] std::optional<time_point> next_deadline() const noexcept { return earliest_; }
  /// Takes out the reads whose deadline has passed.
  [[nodiscard]] std::vector<waiting_read> expire(time_point now);
  void cancel(const asker& who);
  void forget(std::uint64_t stream);
  [[nodiscard]] std::size_t size() const noexcept { return gathering_.size() + asked_.size(); }

  void hash(detail::state_hash& into, time_point now) const;

private:
  std::vector<waiting_read> gathering_;
  std::vector<waiting_read> asked_;
  std::uint64_t question_ = 0;
  std::size_t waiting_max_;
  std::optional<time_point> earliest_;  // never later than the earliest deadline of all
};

}  // namespace artillery::replication
