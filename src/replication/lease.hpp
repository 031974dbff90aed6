#pragma once

#include <cstddef>
#include <vector>

#include "artillery/clock.hpp"
#include "base/state_hash.hpp"
#include "replication/view_authority.hpp"

namespace artillery::replication {

/// The right to answer strong reads in one epoch until an instant (R6). It counts from the moment at which the very
/// question was sent that a yes answers: whatever a majority of voters did, it did after that moment.
class lease {
public:
  /// Questions that may still be answered; the oldest is given up for a further one.
  static constexpr std::size_t questions_max = 4;

  [[nodiscard]] time_point until() const noexcept { return until_; }
  /// Since when it has been held without a gap; means something only while it is.
  [[nodiscard]] time_point held_since() const noexcept { return held_since_; }
  /// When it is to be asked for next.
  [[nodiscard]] time_point next_question() const noexcept { return next_question_; }

  /// Nothing is held any more, and no question that was asked counts: another epoch begins.
  void drop() noexcept { *this = {}; }
  /// What an authority gave together with the view; `duration::max()` is endless.
  void hold(time_point asked_at, duration length) noexcept;

  void asked(question_id id, time_point at, duration length);
  /// A yes to a question. Nothing changes when it was not asked in this epoch, or so long ago that it was given up.
  void granted(question_id id, duration length, time_point now);

  /// Whether a yes to this question would still count.
  [[nodiscard]] bool awaits(question_id id) const noexcept;

  void hash(detail::state_hash& into, time_point now) const;

private:
  struct question {
    question_id id = 0;
    time_point at;
  };

  time_point until_ = time_point::min();
  time_point held_since_ = time_point::min();
  time_point next_question_ = time_point::min();
  std::vector<question> open_;
};

}  // namespace artillery::replication
