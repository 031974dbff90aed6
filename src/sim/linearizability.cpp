#include "sim/linearizability.hpp"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

namespace artillery::sim {
namespace {

constexpr std::uint64_t forever = std::numeric_limits<std::uint64_t>::max();

std::string describe(const history_operation& op) {
  const char* what = op.what == history_operation::kind::read  ? "read"
                     : op.what == history_operation::kind::put ? "put"
                                                               : "erase";
  return std::string{what} + " of '" + op.key + "' by client " + std::to_string(op.client) + " (calls " +
         std::to_string(op.invoked) + ".." + (op.completed == forever ? "" : std::to_string(op.completed)) +
         ", version " + std::to_string(op.version.epoch) + "." + std::to_string(op.version.seq) + ", as of " +
         std::to_string(op.as_of.seq) + ")";
}

/// One state of one object: from the write that made it until the next one.
struct state {
  std::uint64_t from = 0;         // seq
  std::uint64_t until = forever;  // seq of the next one, exclusive
  bool absent = true;
  replication::version version;
  std::string value;
};

/// All the states of one object, in order; the first is "never written".
class object_states {
public:
  void add(const applied_effect& effect) {
    if (!effect.erased) by_value_.emplace(effect.value, states_.size());
    states_.back().until = effect.version.seq;
    states_.push_back({effect.version.seq, forever, effect.erased, effect.version, effect.value});
  }
  [[nodiscard]] const state& at(std::uint64_t seq) const { return *std::prev(after(seq)); }
  [[nodiscard]] const state* of_version(const replication::version& v) const {
    const state& found = at(v.seq);
    return found.version == v ? &found : nullptr;
  }
  [[nodiscard]] const state* of_value(const std::string& value) const {
    const auto found = by_value_.find(value);
    return found == by_value_.end() ? nullptr : &states_[found->second];
  }
  /// The first place at or after `from` where the object is absent.
  [[nodiscard]] std::optional<std::uint64_t> absent_from(std::uint64_t from) const {
    const auto found = std::find_if(std::prev(after(from)), states_.end(), [](const state& s) { return s.absent; });
    if (found == states_.end()) return std::nullopt;
    return std::max(found->from, from);
  }
  /// States after `from` and up to `to`.
  [[nodiscard]] std::size_t between(std::uint64_t from, std::uint64_t to) const {
    return to <= from ? 0 : static_cast<std::size_t>(after(to) - after(from));
  }

private:
  /// The first state that begins after `seq`.
  [[nodiscard]] std::vector<state>::const_iterator after(std::uint64_t seq) const {
    return std::upper_bound(states_.begin(), states_.end(), seq,
                            [](std::uint64_t wanted, const state& s) { return wanted < s.from; });
  }

  std::vector<state> states_{state{}};
  std::map<std::string, std::size_t> by_value_;
};

/// The highest place that was surely reached by each moment: what completed operations have seen.
class reached_places {
public:
  void raise(std::uint64_t order, time_point when, std::uint64_t place) {
    const std::uint64_t so_far = steps_.empty() ? 0 : steps_.back().place;
    steps_.push_back({order, when, std::max(so_far, place)});
  }
  [[nodiscard]] std::uint64_t before(std::uint64_t order) const {
    const auto next = std::lower_bound(steps_.begin(), steps_.end(), order,
                                       [](const step& s, std::uint64_t wanted) { return s.order < wanted; });
    return next == steps_.begin() ? 0 : std::prev(next)->place;
  }
  [[nodiscard]] std::uint64_t by(time_point when) const {
    const auto next = std::upper_bound(steps_.begin(), steps_.end(), when,
                                       [](time_point wanted, const step& s) { return wanted < s.when; });
    return next == steps_.begin() ? 0 : std::prev(next)->place;
  }

private:
  struct step {
    std::uint64_t order;
    time_point when;
    std::uint64_t place;
  };
  std::vector<step> steps_;
};

/// The checks of one object. Operations are gone through in the order of their answers; each takes the lowest place
/// that fits, which leaves the most room to all later ones, so that a failure is one of every possible choice.
class object_check {
public:
  object_check(const object_states& states, std::vector<const history_operation*> operations)
      : states_{states}, operations_{std::move(operations)} {
    std::sort(operations_.begin(), operations_.end(),
              [](const history_operation* a, const history_operation* b) { return a->completed < b->completed; });
  }

  std::optional<std::string> run() {
    for (const history_operation* op : operations_) {
      if (auto fault = place(*op)) return *fault + ": " + describe(*op);
    }
    for (const auto& [seq, op] : placed_writes_) {
      if (reached_.before(op->invoked) >= seq) return "seen before it was asked for: " + describe(*op);
    }
    return check_weak_reads();
  }

private:
  std::optional<std::string> place(const history_operation& op) {
    if (op.is_write()) return place_write(op);
    if (op.came_to != history_operation::outcome::done || !op.is_strong_read()) return std::nullopt;
    const std::uint64_t reached = std::max(reached_.before(op.invoked), op.as_of.seq);
    const state* seen = seen_by(op, reached);
    if (seen == nullptr) return "answers what was not there, or is older than what was known before it began";
    reached_.raise(op.completed, op.completed_at, std::max(seen->from, reached));
    return std::nullopt;
  }

  /// The state that a read saw, if that was the object's state at `reached` or later.
  [[nodiscard]] const state* seen_by(const history_operation& op, std::uint64_t reached) const {
    if (!op.found) {
      const auto absent = states_.absent_from(reached);
      return absent ? &states_.at(*absent) : nullptr;
    }
    const state* seen = states_.of_version(op.version);
    return seen != nullptr && !seen->absent && seen->value == op.value && seen->until > reached ? seen : nullptr;
  }

  std::optional<std::string> place_write(const history_operation& op) {
    const state* own = op.what == history_operation::kind::put ? states_.of_value(op.value) : nullptr;
    if (op.came_to != history_operation::outcome::done) {
      if (own != nullptr && op.came_to == history_operation::outcome::void_)
        return "happened, and was said not to have";
      if (own != nullptr) placed_writes_.emplace_back(own->from, &op);
      return std::nullopt;
    }
    if (!op.applied) {
      if (own != nullptr) return "a write whose condition failed was applied";
      return place_failed_condition(op);
    }
    if (op.what == history_operation::kind::put && (own == nullptr || own->version != op.version)) {
      return "acknowledged, and not in the log under its version";
    }
    const std::uint64_t seq = op.version.seq;
    const state& made = states_.at(seq);
    if (op.what == history_operation::kind::erase && !made.absent) return "erased, and there";
    if (made.from == seq && made.version != op.version) return "acknowledged under another version than the log's";
    if (op.when.what() != replication::condition::kind::always) {
      const state& found = states_.at(seq - 1);
      const bool held = op.when.what() == replication::condition::kind::if_absent
                            ? found.absent
                            : !found.absent && found.version == op.when.expected();
      if (!held) return "its condition did not hold where it was applied";
    }
    placed_writes_.emplace_back(seq, &op);
    reached_.raise(op.completed, op.completed_at, seq);
    return std::nullopt;
  }

  std::optional<std::string> place_failed_condition(const history_operation& op) {
    using kind = replication::condition::kind;
    if (op.when.what() == kind::always) return "failed without a condition";
    if (op.when.what() == kind::if_absent && op.version.none()) return "failed although its condition held";
    if (!op.version.none()) {
      const state* seen = states_.of_version(op.version);
      if (seen == nullptr || seen->absent) return "failed on a version that never was";
      if (op.when == replication::condition::is(op.version)) return "failed although its condition held";
      return place_between(op, seen->from, seen->until);
    }
    const auto absent = states_.absent_from(reached_.before(op.invoked));
    if (!absent) return "failed on an absent object that was there";
    reached_.raise(op.completed, op.completed_at, *absent);
    return std::nullopt;
  }

  std::optional<std::string> place_between(const history_operation& op, std::uint64_t from, std::uint64_t until) {
    const std::uint64_t place = std::max(from, reached_.before(op.invoked));
    if (place >= until) return "older than what was known before it began";
    reached_.raise(op.completed, op.completed_at, place);
    return std::nullopt;
  }

  std::optional<std::string> check_weak_reads() const {
    for (const history_operation* op : operations_) {
      if (op->is_write() || op->is_strong_read() || op->came_to != history_operation::outcome::done) continue;
      if (auto fault = weak_read(*op)) return *fault + ": " + describe(*op);
    }
    return std::nullopt;
  }

  [[nodiscard]] std::optional<std::string> weak_read(const history_operation& op) const {
    using kind = replication::consistency::kind;
    if (op.level.what() == kind::eventual) {
      const state* seen = op.found ? states_.of_version(op.version) : nullptr;
      if (op.found && (seen == nullptr || seen->value != op.value)) return "found what never was";
      return std::nullopt;
    }
    const bool in_time = op.level.what() == kind::bounded_time;
    const std::uint64_t reached = in_time ? reached_.by(op.invoked_at - op.level.staleness()) : 0;
    const state* seen = seen_by(op, std::max(reached, op.as_of.seq));
    if (seen == nullptr) return "answers what was not there, or is older than its bound";
    if (!in_time && lacks_at_least(op, *seen) > op.level.records()) return "lacks more records than its bound";
    return std::nullopt;
  }

  /// Records of the object that were known before the read and that its answer lacks, in the reading that is best for
  /// it: "absent" does not say which of several absences it is, so it may be the last that existed when the answer
  /// came.
  [[nodiscard]] std::size_t lacks_at_least(const history_operation& op, const state& seen) const {
    const std::uint64_t known = reached_.before(op.invoked);
    std::uint64_t from = std::max(seen.from, op.as_of.seq);
    for (auto absent = states_.absent_from(from); !op.found && absent && from < known;
         absent = states_.absent_from(*absent + 1)) {
      const auto write = std::find_if(placed_writes_.begin(), placed_writes_.end(),
                                      [&](const auto& placed) { return placed.first == *absent; });
      if (write != placed_writes_.end() && write->second->invoked > op.completed) break;
      from = *absent;
    }
    return states_.between(from, known);
  }

  const object_states& states_;
  std::vector<const history_operation*> operations_;
  reached_places reached_;
  std::vector<std::pair<std::uint64_t, const history_operation*>> placed_writes_;
};

/// A place in the log is one write's.
std::optional<std::string> check_versions_once(const history& operations) {
  std::map<replication::version, const history_operation*> writes;
  for (const history_operation& op : operations) {
    if (!op.is_write() || !op.applied || op.came_to != history_operation::outcome::done) continue;
    if (!writes.emplace(op.version, &op).second) return "two writes under one version: " + describe(op);
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> check_against_log(const history& operations, const journal& log) {
  std::map<std::string, object_states> objects;
  for (const applied_effect& effect : log) objects[effect.key].add(effect);
  std::map<std::string, std::vector<const history_operation*>> by_key;
  for (const history_operation& op : operations) by_key[op.key].push_back(&op);
  if (auto fault = check_versions_once(operations)) return fault;
  for (auto& [key, of_key] : by_key) {
    if (auto fault = object_check{objects[key], std::move(of_key)}.run()) return fault;
  }
  return std::nullopt;
}

}  // namespace artillery::sim
