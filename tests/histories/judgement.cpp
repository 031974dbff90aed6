#include "judgement.hpp"

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
  if (fault) result.violations.push_back(std::move(*fault));
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

void judge_by_search(const history& operations, const witnessed_log& witnessed, judgement& result) {
  std::map<std::string, history> by_object;
  for (const history_operation& op : operations) by_object[op.key].push_back(op);
  result.objects = by_object.size();
  for (const auto& [key, of_object] : by_object) {
    const search_result found = search_order(of_object, key, search_steps_max);
    ++(found == search_result::gave_up ? result.searches_given_up : result.objects_searched);
    if (found == search_result::violated)
      result.violations.push_back("no order explains the operations on '" + key + "'");
    if (found == search_result::gave_up && witnessed.undecided.contains(key)) ++result.objects_unjudged;
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
