#include "replication/watermark_queries.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "replication/mutant.hpp"

namespace artillery::replication {

bool watermark_queries::join(waiting_read read, std::size_t others) {
  if (size() + others >= waiting_max_ && !mutant(mutation::no_waiting_limit)) return false;
  if (read.deadline) earliest_ = earliest_ ? std::min(*earliest_, *read.deadline) : *read.deadline;
  const bool joins_sent = mutant(mutation::joins_sent_query) && !asked_.empty();
  (joins_sent ? asked_ : gathering_).push_back(std::move(read));
  return true;
}

std::uint64_t watermark_queries::ask() {
  asked_ = std::exchange(gathering_, {});
  return ++question_;
}

std::vector<waiting_read> watermark_queries::answered(std::uint64_t question) {
  if (question != question_) return {};
  return std::exchange(asked_, {});
}

void watermark_queries::lost() {
  gathering_.insert(gathering_.begin(), std::make_move_iterator(asked_.begin()), std::make_move_iterator(asked_.end()));
  asked_.clear();  // a late answer counts for nobody, and the next question has another number
}

std::vector<waiting_read> watermark_queries::take_all() {
  lost();
  earliest_.reset();
  return std::exchange(gathering_, {});
}

std::vector<waiting_read> watermark_queries::expire(time_point now) {
  std::vector<waiting_read> expired;
  if (!earliest_ || now < *earliest_) return expired;
  earliest_.reset();
  for (std::vector<waiting_read>* reads : {&asked_, &gathering_}) {
    std::vector<waiting_read> kept;
    for (waiting_read& read : *reads) {
      const bool late = read.deadline && *read.deadline <= now;
      if (!late && read.deadline) earliest_ = earliest_ ? std::min(*earliest_, *read.deadline) : *read.deadline;
      (late ? expired : kept).push_back(std::move(read));
    }
    *reads = std::move(kept);
  }
  return expired;
}

void watermark_queries::cancel(const asker& who) {
  for (std::vector<waiting_read>* reads : {&asked_, &gathering_}) {
    std::erase_if(*reads, [&](const waiting_read& read) { return read.who == who; });
  }
}

void watermark_queries::forget(std::uint64_t stream) {
  for (std::vector<waiting_read>* reads : {&asked_, &gathering_}) {
    std::erase_if(*reads, [&](const waiting_read& read) { return read.who.stream == stream; });
  }
}

void watermark_queries::hash(detail::state_hash& into, time_point now) const {
  into.add(question_).add(gathering_.size()).add(asked_.size()).add(earliest_, now);
  for (const std::vector<waiting_read>* reads : {&gathering_, &asked_}) {
    for (const waiting_read& read : *reads) {
      into.add(read.who.stream).add(read.who.request).add(read.key.view()).add(read.deadline, now);
    }
  }
}

}  // namespace artillery::replication
