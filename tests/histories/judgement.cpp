#include "judgement.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "sim/chain_checks.hpp"
#include "sim/linearizability.hpp"
#include "sim/version_witness.hpp"

namespace histories {
namespace {

using namespace artillery::sim;

constexpr std::uint64_t search_steps_max = 200'000;

void count(const history& operations, judgement& result) {
  for (const history_operation& op : operations) {
    if (op.what == history_operation::kind::put) ++result.puts;
    if (op.what == history_operation::kind::erase) ++result.erases;
    if (!op.is_write()) ++(op.is_strong_read() ? result.strong_reads : result.other_reads);
    if (op.came_to == history_operation::outcome::pending) ++result.pending;
    if (op.came_to == history_operation::outcome::void_) ++result.voids;
  }
}

void note(judgement& result, std::optional<std::string> fault) {
  if (fault) result.violations.push_back({std::move(*fault), std::nullopt});
}

void judge_by_log(const history& operations, const witnessed_log& witnessed, judgement& result) {
  note(result, witnessed.fault);
  note(result, check_applied_once(witnessed.log));
  history decided;
  for (const history_operation& op : operations) {
    if (!witnessed.undecided.contains(op.key)) decided.push_back(op);
  }
  result.log_records = witnessed.log.size();
  result.judged_by_log = decided.size();
  note(result, check_against_log(decided, witnessed.log));
}

/// The operations on one object, by their places in the whole history.
using places = std::vector<std::size_t>;

/// What was known when `last` was answered: later calls are not there yet, later answers not given.
history known_at(const history& operations, const places& of_object, const history_operation& last) {
  history known;
  for (const std::size_t place : of_object) {
    if (operations[place].invoked > last.completed) continue;
    history_operation& op = known.emplace_back(operations[place]);
    if (op.completed > last.completed && op.came_to == history_operation::outcome::done) {
      op.came_to = history_operation::outcome::pending;
    }
  }
  return known;
}

/// The first answer with which no order is left; once there is none, no later answer brings one back.
std::optional<std::size_t> first_unexplained(const history& operations, const std::string& key,
                                             const places& of_object) {
  places answered;
  for (const std::size_t place : of_object) {
    if (operations[place].came_to == history_operation::outcome::done) answered.push_back(place);
  }
  std::sort(answered.begin(), answered.end(),
            [&](std::size_t a, std::size_t b) { return operations[a].completed < operations[b].completed; });
  const auto found = std::partition_point(answered.begin(), answered.end(), [&](std::size_t place) {
    const history known = known_at(operations, of_object, operations[place]);
    return search_order(known, key, search_steps_max) != search_result::violated;
  });
  if (found == answered.end()) return std::nullopt;
  return *found;
}

void judge_by_search(const history& operations, const witnessed_log& witnessed, judgement& result) {
  std::map<std::string, places> by_object;
  for (std::size_t i = 0; i < operations.size(); ++i) by_object[operations[i].key].push_back(i);
  result.objects = by_object.size();
  for (const auto& [key, of_object] : by_object) {
    history alone;
    for (const std::size_t place : of_object) alone.push_back(operations[place]);
    const search_result found = search_order(alone, key, search_steps_max);
    ++(found == search_result::gave_up ? result.searches_given_up : result.objects_searched);
    if (found == search_result::gave_up && witnessed.undecided.contains(key)) ++result.objects_unjudged;
    if (found != search_result::violated) continue;
    result.violations.push_back(
        {"no order explains the operations on '" + key + "'", first_unexplained(operations, key, of_object)});
  }
}

}  // namespace

judgement judge(const history& operations) {
  judgement result;
  count(operations, result);
  const witnessed_log witnessed = log_of_versions(operations);
  judge_by_log(operations, witnessed, result);
  judge_by_search(operations, witnessed, result);
  note(result, check_monotone_reads(operations));
  return result;
}

}  // namespace histories
