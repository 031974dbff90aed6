#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "artillery/clock.hpp"
#include "artillery/replication/store.hpp"
#include "base/state_hash.hpp"
#include "replication/log.hpp"
#include "replication/mutant.hpp"
#include "replication/view_authority.hpp"

namespace artillery::replication {

/// A read whose answer is found, and holds if the epoch in which it was found is still in force.
struct found_read {
  asker who;
  stored found;
  version counted;
  bool local = false;
};

/// R12: without clocks that can be trusted there are no leases. "Is this epoch still in force?" is asked of the
/// authority after the last thing that an answer depends on, for many reads at a time; a read joins only a question
/// that is not sent yet when its answer is found.
class still_questions {
public:
  [[nodiscard]] bool due() const noexcept { return asked_.empty() && !gathering_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return gathering_.size() + asked_.size(); }
  void join(found_read read) {
    const bool joins_sent = mutant(mutation::asks_before_reading) && !asked_.empty();
    (joins_sent ? asked_ : gathering_).push_back(std::move(read));
  }
  void asked(question_id id, time_point at) {
    asked_ = std::exchange(gathering_, {});
    id_ = id;
    asked_at_ = at;
  }
  /// When the question under way was asked; nothing while there is none.
  [[nodiscard]] std::optional<time_point> asked_at() const noexcept {
    return asked_.empty() ? std::nullopt : std::optional{asked_at_};
  }
  [[nodiscard]] bool awaits(question_id id) const noexcept { return id == id_ && !asked_.empty(); }
  /// The reads of that question, if it is the one under way.
  [[nodiscard]] std::vector<found_read> answered(question_id id) {
    if (id != id_) return {};
    return std::exchange(asked_, {});
  }
  /// No answer came, and the question may be asked again for the same reads: it is a later one.
  void lost() {
    gathering_.insert(gathering_.begin(), std::make_move_iterator(asked_.begin()),
                      std::make_move_iterator(asked_.end()));
    asked_.clear();
  }
  /// Everybody who waits.
  [[nodiscard]] std::vector<found_read> take_all() {
    lost();
    return std::exchange(gathering_, {});
  }
  void cancel(const asker& who) {
    for (auto* reads : {&gathering_, &asked_}) {
      std::erase_if(*reads, [&](const found_read& read) { return read.who == who; });
    }
  }
  void forget(std::uint64_t stream) {
    for (auto* reads : {&gathering_, &asked_}) {
      std::erase_if(*reads, [&](const found_read& read) { return read.who.stream == stream; });
    }
  }
  void hash(detail::state_hash& into, time_point now) const {
    into.add(gathering_.size()).add(asked_.size()).add(asked_at(), now);
    for (const auto* reads : {&gathering_, &asked_}) {
      for (const found_read& read : *reads) {
        into.add(read.who.stream).add(read.who.request).add(read.found.version.epoch).add(read.found.version.seq);
      }
    }
  }

private:
  std::vector<found_read> gathering_;
  std::vector<found_read> asked_;
  question_id id_ = 0;
  time_point asked_at_{};
};

}  // namespace artillery::replication
