// How long a chain of three takes to go on after one of its replicas ends: SIGKILL of head, middle and tail, and a
// clean leave of each, under a steady load of real processes on this machine.
//
//   ./dev bench failover -- [--times 20] [-o table|json] [--columns FILE]

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>

#include "artillery/clock.hpp"
#include "bench_row.hpp"
#include "exit_code.hpp"
#include "report.hpp"
#include "scratch.hpp"
#include "trials.hpp"

namespace {

using namespace std::chrono_literals;
using failover::ending;
using failover::place;

/// Of agents with the preset for one machine: the lease, its drift of 500 millionths twice, and a margin.
constexpr artillery::duration gate = 500ms + 5ms;

int run(int times, const std::string& format, const std::string& columns) {
  const auto interrupt = demo::interrupts();
  const demo::scratch_directory scratch;
  failover::trials trials{ARTILLERY_COMMAND, scratch.path(), interrupt.number()};
  std::vector<failover::sample> samples;
  try {
    for (const ending how : {ending::killed, ending::left}) {
      for (int i = 0; i < times; ++i) {
        for (const place where : {place::head, place::middle, place::tail}) samples.push_back(trials.run(how, where));
        std::fprintf(stderr, "%s: %d of %d rounds\n", how == ending::killed ? "kill" : "leave", i + 1, times);
      }
    }
  } catch (const tool::failure&) {
    std::fprintf(stderr, "after %zu trials\n%s", samples.size(), trials.remarks().c_str());
    throw;
  }
  const auto rows = failover::rows_of(samples, gate);
  if (!columns.empty()) std::ofstream{columns} << failover::columns_of(samples);
  if (format == "json") {
    std::printf("%s\n", bench::to_json(rows).dump(2).c_str());
  } else {
    std::printf("%s\n%s", failover::table_of(samples).c_str(), bench::to_table(rows).c_str());
    std::printf("\nfailed writes: %llu of the load's\n", static_cast<unsigned long long>(trials.failed_writes()));
  }
  const bool all_met = bench::tell_missed(rows);
  return all_met && trials.failed_writes() == 0 ? 0 : 1;
}

}  // namespace

int main(int count, char** words) {
  int times = 20;
  std::string format = "table";
  std::string columns;
  CLI::App app{"Ends replicas of a chain of three under load, and measures how long writes stand still.",
               "bench_failover"};
  app.add_option("--times", times, "How often each")->check(CLI::Range(1, 1000))->capture_default_str();
  app.add_option("-o,--format", format, "How to print")->check(CLI::IsMember({"table", "json"}))->capture_default_str();
  app.add_option("--columns", columns, "Also each trial's figures, to this file, for bench/failover/plot.gp");
  CLI11_PARSE(app, count, words);
  try {
    return run(times, format, columns);
  } catch (const std::exception& failed) {
    std::fprintf(stderr, "bench_failover: %s\n", failed.what());
    return 1;
  }
}
