// Nodes of ours as processes on this machine, beside nodes of memberlist and Serf: how soon they know of each other,
// what they cost idle, how events, deaths and leaves are told, and whether anybody is reported falsely.
//
//   ./dev bench membership --peers [--nodes 8,32,64] [--only views,idle,…] [-o table|json] [--columns FILE]

#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>
#include <fstream>
#include <string>

#include "bench_row.hpp"
#include "exit_code.hpp"
#include "library.hpp"
#include "own_network.hpp"
#include "samples.hpp"
#include "scratch.hpp"
#include "trials.hpp"

namespace {

int run(const peers::settings& wanted, const std::string& format, const std::string& columns) {
  if (const std::string missing = peers::own_network::missing(); !missing.empty()) {
    std::fprintf(stderr, "bench_membership: skipped: it needs %s\n", missing.c_str());
    return 0;
  }
  for (const peers::library of : wanted.libraries) {
    if (::access(peers::program_of(of).c_str(), X_OK) == 0) continue;
    std::fprintf(stderr, "bench_membership: %s was not built; Debian: apt-get install %s, and configure again\n",
                 peers::program_of(of).c_str(),
                 "golang-go golang-github-hashicorp-memberlist-dev golang-github-hashicorp-serf-dev");
    return 1;
  }
  const auto interrupt = demo::interrupts();
  const demo::scratch_directory scratch;
  peers::trials trials{wanted, scratch.path(), interrupt.number()};
  trials.run();
  const auto rows = peers::rows_of(trials.samples());
  if (!columns.empty()) std::ofstream{columns} << peers::columns_of(trials.samples());
  if (format == "json") {
    std::printf("%s\n", bench::to_json(rows).dump(2).c_str());
  } else {
    std::printf("%s", bench::to_table(rows).c_str());
  }
  return bench::tell_missed(rows) ? 0 : 1;
}

}  // namespace

int main(int count, char** words) {
  peers::settings wanted;
  bool with_peers = false;
  int quiet = static_cast<int>(wanted.quiet.count());
  std::string format = "table";
  std::string columns;
  CLI::App app{"Measures nodes of a cluster as processes, each cluster in a network of its own. Needs root.",
               "bench_membership"};
  app.add_flag("--peers", with_peers, "Also nodes of memberlist and Serf");
  app.add_option("--nodes", wanted.sizes, "How many in a cluster")
      ->delimiter(',')
      ->check(CLI::Range(4, 200))
      ->capture_default_str();
  app.add_option("--rounds", wanted.rounds, "How often all start at once")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--events", wanted.events, "How many events, for each size")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  app.add_option("--kills", wanted.kills, "How many are killed, and how many leave")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--seconds", quiet, "How long an idle cluster is watched, and one that loses datagrams")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  app.add_option("--only", wanted.only, "Only these measures")
      ->delimiter(',')
      ->check(CLI::IsMember(peers::trials::groups()));
  app.add_option("-o,--format", format, "How to print")->check(CLI::IsMember({"table", "json"}))->capture_default_str();
  app.add_option("--columns", columns, "Also each figure, to this file, for bench/peers/membership/plot.gp");
  CLI11_PARSE(app, count, words);
  wanted.quiet = std::chrono::seconds{quiet};
  wanted.libraries = {peers::library::ours};
  if (with_peers) wanted.libraries.assign(peers::all_libraries.begin(), peers::all_libraries.end());
  try {
    return run(wanted, format, columns);
  } catch (const std::exception& failed) {
    std::fprintf(stderr, "bench_membership: %s\n", failed.what());
    return 1;
  }
}
