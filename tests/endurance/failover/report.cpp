#include "report.hpp"

#include <algorithm>
#include <cstdio>
#include <string>

#include "notation.hpp"

namespace failover {
namespace {

std::string dropped_text(const fault& what, const fault_account& came_to) {
  if (what.is_short) return came_to.was_dropped ? "short, yes" : "short, no";
  return came_to.was_dropped ? tool::to_milliseconds(came_to.dropped) : "no";
}

}  // namespace

report::report() {
  std::printf("%4s  %-7s  %-6s  %-6s  %10s  %11s  %11s  %8s  %8s\n", "", "FAULT", "ROLE", "VICTIM", "DROPPED",
              "LONGEST GAP", "WHOLE AFTER", "SHORTEST", "ANSWERED");
}

void report::add(const fault& what, const fault_account& came_to) {
  std::printf("%4zu  %-7s  %-6s  %-6s  %10s  %11s  %11s  %8zu  %8zu\n", ++faults_,
              std::string{to_string(what.kind)}.c_str(), std::string{to_string(what.role)}.c_str(),
              came_to.victim.c_str(), dropped_text(what, came_to).c_str(), tool::to_milliseconds(came_to.gap).c_str(),
              tool::to_milliseconds(came_to.whole).c_str(), came_to.shortest, came_to.answered_after);
  std::fflush(stdout);
  tally& of = by_kind_[what.kind];
  if (came_to.was_dropped) ++of.dropped;
  if (came_to.shortest == 1) ++of.alone;
  of.answered_after += came_to.answered_after;
  of.gaps.push_back(came_to.gap);
}

void report::close() {
  std::printf("\n%-7s  %5s  %7s  %5s  %10s  %11s  %8s\n", "FAULT", "TIMES", "DROPPED", "ALONE", "MEDIAN GAP",
              "LONGEST GAP", "ANSWERED");
  for (auto& [kind, of] : by_kind_) {
    std::sort(of.gaps.begin(), of.gaps.end());
    std::printf("%-7s  %5zu  %7zu  %5zu  %10s  %11s  %8zu\n", std::string{to_string(kind)}.c_str(), of.gaps.size(),
                of.dropped, of.alone, tool::to_milliseconds(of.gaps[of.gaps.size() / 2]).c_str(),
                tool::to_milliseconds(of.gaps.back()).c_str(), of.answered_after);
  }
}

}  // namespace failover
