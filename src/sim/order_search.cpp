// The search for an order of the operations on one object, without the log: see search_order in linearizability.hpp.
#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "sim/linearizability.hpp"

namespace artillery::sim {
namespace {

constexpr std::uint64_t end_of_time = std::numeric_limits<std::uint64_t>::max();
/// The state of an object is the put that made it; this one is "absent".
constexpr std::size_t absent = static_cast<std::size_t>(-1);

/// Which operations have been given their places. Those that were answered are told apart from writes of unknown
/// outcome, which may stay without a place for ever.
class placed {
public:
  placed(std::size_t answered, std::size_t unknown) : answered_(answered, false), unknown_(unknown, false) {}

  [[nodiscard]] bool answered(std::size_t i) const { return answered_[i]; }
  [[nodiscard]] bool unknown(std::size_t i) const { return unknown_[i]; }
  void set_unknown(std::size_t i, bool to) { unknown_[i] = to; }
  void set_answered(std::size_t i, bool to) {
    answered_[i] = to;
    if (!to) first_ = std::min(first_, i);
    while (to && first_ < answered_.size() && answered_[first_]) ++first_;
    if (to) end_ = std::max(end_, i + 1);
    while (end_ > first_ && !answered_[end_ - 1]) --end_;
  }
  /// The first that has no place; all answered ones have one when it is their number.
  [[nodiscard]] std::size_t first() const noexcept { return first_; }

  /// This and the state of the object in one: what the search remembers. All before `first_` are placed.
  [[nodiscard]] std::vector<std::uint64_t> key(std::size_t state) const {
    std::vector<std::uint64_t> words{state, first_};
    const auto pack = [&words](const std::vector<bool>& bits, std::size_t from, std::size_t to) {
      for (std::size_t i = from; i < to; ++i) {
        if ((i - from) % word_bits == 0) words.push_back(0);
        words.back() |= std::uint64_t{bits[i]} << ((i - from) % word_bits);
      }
    };
    pack(unknown_, 0, unknown_.size());
    pack(answered_, first_, std::max(first_, end_));
    return words;
  }

private:
  static constexpr std::size_t word_bits = 64;

  std::vector<bool> answered_;
  std::vector<bool> unknown_;
  std::size_t first_ = 0;
  std::size_t end_ = 0;  // one past the last answered one that is placed
};

class order_search {
public:
  order_search(const history& operations, const std::string& key, std::uint64_t steps_max) : steps_left_{steps_max} {
    for (const history_operation& op : operations) {
      const bool is_answered = op.came_to == history_operation::outcome::done;
      if (op.key != key || (!op.is_write() && !(is_answered && op.is_strong_read()))) continue;
      if (op.came_to == history_operation::outcome::void_) continue;
      (is_answered ? answered_ : unknown_).push_back(&op);
    }
    std::sort(answered_.begin(), answered_.end(),
              [](const history_operation* a, const history_operation* b) { return a->invoked < b->invoked; });
    learn_values();
    drop_unseen();
    done_ = placed{answered_.size(), unknown_.size()};
  }

  search_result run() {
    const bool found = search(absent);
    if (found) return search_result::ok;
    return steps_left_ == 0 ? search_result::gave_up : search_result::violated;
  }

private:
  /// What answers tell of puts: which of them values and versions belong to.
  void learn_values() {
    for (const auto* operations : {&answered_, &unknown_}) {
      for (const history_operation* op : *operations) {
        if (op->what != history_operation::kind::put) continue;
        by_value_[op->value] = puts_.size();
        puts_.push_back(op);
      }
    }
    versioned_.assign(puts_.size(), false);
    for (const history_operation* op : answered_) {
      const bool tells = op->is_write() ? op->applied && op->what == history_operation::kind::put : op->found;
      const auto put = tells ? by_value_.find(op->value) : by_value_.end();
      if (put == by_value_.end()) continue;
      by_version_[op->version] = put->second;
      versioned_[put->second] = true;
    }
  }

  /// A put of unknown outcome that no answer can be about, and no condition, may as well never have happened.
  void drop_unseen() {
    const auto versions_known = [this](const history_operation* op) {
      const bool tells = op->is_write() && !op->applied && !op->version.none();
      const bool asks = op->when.what() == replication::condition::kind::if_version;
      return (!tells || by_version_.contains(op->version)) && (!asks || by_version_.contains(op->when.expected()));
    };
    if (!std::all_of(answered_.begin(), answered_.end(), versions_known)) return;
    // One of unknown outcome may ask for the version of another, which a weak read told its user.
    if (!std::all_of(unknown_.begin(), unknown_.end(), versions_known)) return;
    std::erase_if(unknown_, [this](const history_operation* op) {
      return op->what == history_operation::kind::put && !versioned_[by_value_.at(op->value)];
    });
  }

  /// The first answer among the operations without a place: whoever was called after it cannot be next.
  [[nodiscard]] std::uint64_t first_answer() const {
    std::uint64_t first = end_of_time;
    for (std::size_t i = done_.first(); i < answered_.size() && answered_[i]->invoked < first; ++i) {
      if (!done_.answered(i)) first = std::min(first, answered_[i]->completed);
    }
    return first;
  }

  /// Places all that can be next and change nothing: wherever else they might go, here is as good.
  void place_onlookers(std::size_t state, std::vector<std::size_t>& onlookers) {
    for (bool again = true; again;) {
      again = false;
      const std::uint64_t until = first_answer();
      for (std::size_t i = done_.first(); i < answered_.size() && answered_[i]->invoked < until; ++i) {
        if (done_.answered(i) || answered_[i]->applied || after(*answered_[i], state) != state) continue;
        done_.set_answered(i, true);
        onlookers.push_back(i);
        again = true;
      }
    }
  }

  bool search(std::size_t state) {
    if (steps_left_ == 0) return false;
    --steps_left_;
    std::vector<std::size_t> onlookers;
    place_onlookers(state, onlookers);
    if (done_.first() == answered_.size()) return true;
    if (seen_.insert(done_.key(state)).second && search_changes(state)) return true;
    for (const std::size_t i : onlookers) done_.set_answered(i, false);
    return false;
  }

  bool search_changes(std::size_t state) {
    const std::uint64_t until = first_answer();
    for (std::size_t i = done_.first(); i < answered_.size() && answered_[i]->invoked < until; ++i) {
      const auto next = done_.answered(i) ? std::nullopt : after(*answered_[i], state);
      if (!next) continue;
      done_.set_answered(i, true);
      if (search(*next)) return true;
      done_.set_answered(i, false);
    }
    for (std::size_t i = 0; i < unknown_.size(); ++i) {
      const bool can_be_next = !done_.unknown(i) && unknown_[i]->invoked < until;
      const auto next = can_be_next ? after(*unknown_[i], state) : std::nullopt;
      if (!next || *next == state) continue;
      done_.set_unknown(i, true);
      if (search(*next)) return true;
      done_.set_unknown(i, false);
    }
    return false;
  }

  /// The state after `op` in `state`; nothing if its answer does not fit.
  [[nodiscard]] std::optional<std::size_t> after(const history_operation& op, std::size_t state) const {
    if (!op.is_write()) {
      const bool fits = op.found ? state != absent && puts_[state]->value == op.value : state == absent;
      return fits ? std::optional{state} : std::nullopt;
    }
    const bool known = op.came_to == history_operation::outcome::done;
    const fit condition = fits(op.when, state);
    if (known && ((condition == fit::yes && !op.applied) || (condition == fit::no && op.applied))) return std::nullopt;
    // A write of unknown outcome that could take effect either does, or is as good as left out.
    const bool applies = known ? op.applied : condition != fit::no;
    if (applies) return op.what == history_operation::kind::put ? by_value_.at(op.value) : absent;
    if (known && op.version.none() != (state == absent)) return std::nullopt;
    if (known && state != absent && is_version(op.version, state) == fit::no) return std::nullopt;
    return state;
  }

  /// `perhaps`: a version of which no answer told the value, and a value of which none told the version.
  enum class fit : std::uint8_t { no, yes, perhaps };

  [[nodiscard]] fit fits(const replication::condition& when, std::size_t state) const {
    switch (when.what()) {
      case replication::condition::kind::always: return fit::yes;
      case replication::condition::kind::if_absent: return state == absent ? fit::yes : fit::no;
      case replication::condition::kind::if_version:
        return state == absent ? fit::no : is_version(when.expected(), state);
    }
    return fit::no;
  }
  [[nodiscard]] fit is_version(const replication::version& v, std::size_t put) const {
    const auto known = by_version_.find(v);
    if (known != by_version_.end()) return known->second == put ? fit::yes : fit::no;
    return versioned_[put] ? fit::no : fit::perhaps;
  }

  std::vector<const history_operation*> answered_;  // by the time of their calls
  std::vector<const history_operation*> unknown_;   // writes that may or may not have happened
  std::vector<const history_operation*> puts_;
  std::map<std::string_view, std::size_t> by_value_;  // into puts_
  std::map<replication::version, std::size_t> by_version_;
  std::vector<bool> versioned_;  // puts whose version is known
  placed done_{0, 0};
  std::set<std::vector<std::uint64_t>> seen_;
  std::uint64_t steps_left_;
};

}  // namespace

search_result search_order(const history& operations, const std::string& key, std::uint64_t steps_max) {
  return order_search{operations, key, steps_max}.run();
}

}  // namespace artillery::sim
