// Judges recorded histories of real processes with the simulator's checkers: docs/history-format.md.
//   ./dev sim judge <file>…
#include <algorithm>
#include <cstdio>
#include <fstream>

#include "history_file.hpp"
#include "judgement.hpp"

namespace {

/// The first operation, at place 0, is in line 2, behind the header.
constexpr std::size_t first_line = 2;

void print(const char* file, const histories::recording& recorded, const histories::judgement& result) {
  std::printf("%s: recorded by %s with %s\n", file, recorded.about.recorder.c_str(), recorded.about.clock.c_str());
  std::printf("  operations: %zu (strong reads %zu, other reads %zu, puts %zu, erases %zu; void %zu, pending %zu)\n",
              recorded.operations.size(), result.strong_reads, result.other_reads, result.puts, result.erases,
              result.voids, result.pending);
  std::printf(
      "  checked: %zu operations against a log of %zu records; an order of its own searched for %zu of %zu "
      "objects, given up for %zu; monotone reads; applied once\n",
      result.judged_by_log, result.log_records, result.objects_searched, result.objects, result.searches_given_up);
  if (result.objects_unjudged > 0) std::printf("  not judged: %zu objects\n", result.objects_unjudged);
  for (const histories::violation& violation : result.violations) {
    std::printf("  VIOLATION: %s", violation.what.c_str());
    if (violation.operation) std::printf(", first with the answer in line %zu", *violation.operation + first_line);
    std::printf("\n");
  }
  std::printf("judge: operations=%zu violations=%zu\n", recorded.operations.size(), result.violations.size());
}

/// The exit code for one file: 0 sound, 1 a violation, 2 not a history.
int judge_file(const char* file) {
  std::ifstream in{file};
  if (!in) {
    std::fprintf(stderr, "%s: cannot be opened\n", file);
    return 2;
  }
  histories::recording recorded;
  if (const auto bad = histories::read(in, recorded)) {
    std::fprintf(stderr, "%s:%zu: %s\n", file, bad->number, bad->what.c_str());
    return 2;
  }
  const histories::judgement result = histories::judge(recorded.operations);
  print(file, recorded, result);
  return result.violations.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: artillery_judge <history>...\n");
    return 2;
  }
  int code = 0;
  for (int i = 1; i < argc; ++i) code = std::max(code, judge_file(argv[i]));
  return code;
}
