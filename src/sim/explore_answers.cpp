#include "sim/explore_answers.hpp"

#include <algorithm>

namespace artillery::sim {

void explore_answers::write_asked(std::size_t which) {
  writes_[which].asked = true;
  writes_[which].known = known_;
}

std::uint64_t explore_answers::read_asked(std::size_t node) {
  std::uint64_t number = 0;
  while (reads_[node].contains(number)) ++number;
  reads_[node].emplace(number, known_);
  return number;
}

/// The place of a write, which is the same whoever tells of it.
std::optional<std::string> explore_answers::found_at(std::size_t which, const replication::version& at) {
  watched_write& write = writes_[which];
  if (!write.asked) return "I5: a value is read that nobody wrote";
  if (write.told && *write.told != at) return "I5: a write happened twice";
  for (const watched_write& other : writes_) {
    if (&other != &write && other.told && other.told->seq == at.seq) return "I5: two writes have one place";
  }
  if (!write.told && at.seq <= write.known) return "I5: a write has a place before what was told when it was asked for";
  write.told = at;
  return std::nullopt;
}

std::optional<std::string> explore_answers::write_answered(std::size_t which, const replication::write_result& result) {
  watched_write& write = writes_[which];
  if (!write.is_open()) return std::nullopt;  // an answer to a retry
  if (!result.applied) return "I5: a write without a condition was not applied";
  if (auto fault = found_at(which, result.version)) return fault;
  write.answered = true;
  known_ = std::max(known_, result.version.seq);
  return std::nullopt;
}

std::optional<std::string> explore_answers::read_answered(std::size_t node, std::uint64_t number,
                                                          const replication::read_result& result) {
  const std::uint64_t known = reads_[node].extract(number).mapped();
  if (!result.found())
    return known == 0 ? std::nullopt : std::optional<std::string>{"I5: a read finds nothing any more"};
  const auto which = static_cast<std::size_t>(result.value->text().front() - 'a');
  if (auto fault = found_at(which, result.version)) return fault;
  if (result.version.seq < known) return "I5: a read finds what is older than an answer from before it was asked for";
  known_ = std::max(known_, result.version.seq);
  return std::nullopt;
}

void explore_answers::hash(detail::state_hash& into) const {
  into.add(known_);
  for (const watched_write& write : writes_) {
    into.add(write.asked).add(write.answered).add(write.told.has_value());
    if (!write.told) into.add(write.known);
    if (write.told) into.add(write.told->epoch).add(write.told->seq);
  }
  for (const auto& here : reads_) {
    into.add(here.size());
    for (const auto& [number, known] : here) into.add(number).add(known);
  }
}

}  // namespace artillery::sim
