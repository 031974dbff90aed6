#include "verdict.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>

#include "exit_code.hpp"
#include "freshness.hpp"
#include "history_file.hpp"
#include "judgement.hpp"

namespace failover {
namespace {

using artillery::sim::history;
using operation = artillery::sim::history_operation;
using tool::exit_code;
using tool::failure;

histories::recording recorded(const std::string& file, const history& operations) {
  std::ofstream out{file};
  histories::write(out, {"failover_endurance", "CLOCK_BOOTTIME"}, operations);
  out.close();
  if (!out) throw failure{exit_code::failed, file + " cannot be written"};
  std::ifstream in{file};
  histories::recording taken;
  if (const auto bad = histories::read(in, taken))
    throw failure{exit_code::failed, file + ":" + std::to_string(bad->number) + ": " + bad->what};
  return taken;
}

template <class Predicate>
std::size_t count(const history& operations, Predicate is_meant) {
  return static_cast<std::size_t>(std::count_if(operations.begin(), operations.end(), is_meant));
}

void print(const histories::judgement& result, std::size_t operations) {
  std::printf(
      "\nrecorded: %zu operations (strong reads %zu, other reads %zu, puts %zu, erases %zu; void %zu, pending %zu)\n",
      operations, result.strong_reads, result.other_reads, result.puts, result.erases, result.voids, result.pending);
  std::printf("judged: %zu against a log of %zu records; an order searched for %zu of %zu objects, given up for %zu\n",
              result.judged_by_log, result.log_records, result.objects_searched, result.objects,
              result.searches_given_up);
  for (const histories::violation& each : result.violations) std::printf("  VIOLATION: %s\n", each.what.c_str());
}

}  // namespace

bool judge(const traffic::outcome& seen, const std::string& file) {
  const history operations = recorded(file, seen.operations).operations;
  const histories::judgement result = histories::judge(operations);
  const freshness known{operations};
  const auto is_answered = [](const operation& op) { return op.came_to == operation::outcome::done; };
  const auto is_stale = [&](const operation& op) {
    return op.is_strong_read() && is_answered(op) && known.is_stale(op);
  };
  const std::size_t stale = count(operations, is_stale);
  const std::size_t lost = count(seen.final_reads, is_stale);
  const std::size_t answered = count(seen.final_reads, is_answered);
  print(result, operations.size());
  std::printf("violations: %zu; stale strong reads: %zu; damaged values: %zu\n", result.violations.size(), stale,
              seen.damaged);
  std::printf(
      "acknowledged writes: %zu; last reads of each object at each replica: %zu, answered %zu, lacking one: %zu\n",
      seen.acknowledged, seen.final_reads.size(), answered, lost);
  std::printf("failed operations of the clients that go on: %zu\n", seen.failed);
  return result.violations.empty() && stale == 0 && lost == 0 && answered == seen.final_reads.size() &&
         seen.damaged == 0 && seen.failed == 0;
}

}  // namespace failover
