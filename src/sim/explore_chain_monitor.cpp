#include "sim/explore_chain_monitor.hpp"

#include <algorithm>

namespace artillery::sim {

using replication::record;

void explore_chain_monitor::asked(std::size_t operation) {
  operations_[operation] = {phase::asked, known_};
}

void explore_chain_monitor::abandoned(std::size_t operation) {
  if (waits_for(operation)) operations_[operation] = {phase::over, 0};
}

bool explore_chain_monitor::waits() const noexcept {
  return std::any_of(operations_.begin(), operations_.end(),
                     [](const watched_operation& op) { return op.state == phase::asked; });
}

std::optional<std::string> explore_chain_monitor::observe(const replication::log& head) {
  // What a log of one replica commits at once is never held in it: it has no requests to see.
  for (std::uint64_t seq = std::max(seen_to_, head.dropped().seq) + 1; seq <= head.last_seq(); ++seq) {
    const record& next = head.at(seq).record;
    if (next.what != record::kind::write) continue;
    placed_write placed{.seq = seq, .session = next.session, .number = next.number, .changes = false, .value = {}};
    if (!next.effects.empty() && next.effects.front().key.text() == explore_object) {
      placed.changes = true;
      if (next.effects.front().what == replication::object_effect::kind::put) placed.value = next.effects.front().value;
    }
    const bool again = std::any_of(log_.begin(), log_.end(), [&](const placed_write& before) {
      return before.session == placed.session && before.number == placed.number;
    });
    if (again) return "I7: a request is in the log twice, now at " + std::to_string(seq);
    log_.push_back(std::move(placed));
  }
  seen_to_ = std::max(seen_to_, head.last_seq());
  return std::nullopt;
}

const explore_chain_monitor::placed_write* explore_chain_monitor::change_at(std::uint64_t seq) const noexcept {
  const auto found =
      std::find_if(log_.begin(), log_.end(), [&](const placed_write& w) { return w.changes && w.seq == seq; });
  return found == log_.end() ? nullptr : &*found;
}

std::optional<std::string> explore_chain_monitor::told(watched_operation& by, std::uint64_t place,
                                                       std::uint64_t held_by_all) {
  by = {phase::over, 0};
  if (place > held_by_all) {
    return "I4: an answer tells of " + std::to_string(place) + ", and only up to " + std::to_string(held_by_all) +
           " is held by every member";
  }
  known_ = std::max(known_, place);
  return std::nullopt;
}

std::optional<std::string> explore_chain_monitor::read_answered(std::size_t operation,
                                                                const replication::read_result& result,
                                                                std::uint64_t held_by_all) {
  watched_operation& op = operations_[operation];
  if (op.state != phase::asked) return "an answer to a read that nobody waits for";
  const std::string which = "a read answers the version of " + std::to_string(result.version.seq);
  std::uint64_t last_change = 0;  // of those that had to be seen
  for (const placed_write& write : log_) {
    if (write.changes && write.seq <= op.known) last_change = write.seq;
  }
  if (!result.found()) {
    // Absent: before the first change, or after an erase.
    const bool before_all = last_change == 0;
    const bool erased = std::any_of(
        log_.begin(), log_.end(), [&](const placed_write& w) { return w.changes && !w.value && w.seq >= last_change; });
    if (!before_all && !erased) return "a read answers that nothing is there, which was long over when it began";
    return told(op, 0, held_by_all);
  }
  const placed_write* made = change_at(result.version.seq);
  if (made == nullptr || made->value != result.value) return which + ", and another value than that write's";
  if (made->seq < last_change) return which + ", and " + std::to_string(last_change) + " was known when it began";
  if (result.as_of.seq < made->seq) return which + ", and claims to count less";
  return told(op, made->seq, held_by_all);
}

std::optional<std::string> explore_chain_monitor::write_answered(std::size_t operation, const replication::write& what,
                                                                 const replication::write_result& result,
                                                                 std::uint64_t held_by_all) {
  watched_operation& op = operations_[operation];
  if (op.state != phase::asked) return "an answer to a write that nobody waits for";
  const std::string which = "a write is answered with the version of " + std::to_string(result.version.seq);
  const placed_write* made = change_at(result.version.seq);
  if (!result.applied) {
    if (what.when.what() != replication::condition::kind::if_absent) return "a write without a condition failed";
    if (made == nullptr || !made->value) return which + " that stood in its way, which is none";
    const bool current = std::none_of(log_.begin(), log_.end(), [&](const placed_write& w) {
      return w.changes && w.seq > made->seq && w.seq <= op.known;
    });
    if (!current) return which + " that stood in its way, which was over when it began";
    return told(op, made->seq, held_by_all);
  }
  const bool is_put = what.what == replication::write::kind::put;
  const std::optional<bytes> wanted = is_put ? std::optional{what.value} : std::nullopt;
  if (made == nullptr || made->value != wanted) return which + ", and another value was written there";
  if (made->seq <= op.known) return which + ", and " + std::to_string(op.known) + " was known when it began";
  if (what.when.what() == replication::condition::kind::if_absent) {
    const placed_write* before = nullptr;
    for (const placed_write& write : log_) {
      if (write.changes && write.seq < made->seq) before = &write;
    }
    if (before != nullptr && before->value) return which + " though the object was there";
  }
  return told(op, made->seq, held_by_all);
}

void explore_chain_monitor::hash(detail::state_hash& into) const {
  into.add(seen_to_).add(known_).add(log_.size());
  for (const placed_write& write : log_) {
    into.add(write.seq).add(write.session).add(write.number).add(write.changes).add(write.value.has_value());
    if (write.value) into.add(write.value->view());
  }
  for (const watched_operation& op : operations_) into.add(op.state).add(op.known);
}

}  // namespace artillery::sim
