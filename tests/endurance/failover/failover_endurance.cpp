// Three agents as real processes, each in a network namespace of its own, under load: one after the other is killed,
// stopped for longer than its lease, or cut off from the others, in one direction or both. What all clients saw is
// recorded and judged; no acknowledged write may be lost, and no read may be stale. Not part of the tests: it takes
// minutes, and root.
//   ./dev endurance failover [--times N] [--faults kill,stop,…] [--seconds N] [--history FILE] …
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <chrono>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "agents.hpp"
#include "exit_code.hpp"
#include "rehearsal.hpp"
#include "report.hpp"
#include "scratch.hpp"
#include "verdict.hpp"

namespace {

using namespace failover;
using tool::exit_code;
using tool::failure;

struct arguments {
  std::size_t times = 20;
  std::vector<std::string> kinds;
  std::uint64_t seconds = 0;  // 0: as long as it takes
  std::uint64_t seed = 1;
  std::string preset = "local";
  std::string history;  // empty: not kept
  std::string program = ARTILLERY_COMMAND;
};

std::vector<fault_kind> kinds_in(const arguments& given) {
  std::vector<fault_kind> kinds;
  for (const std::string& name : given.kinds) {
    const auto kind = parse_fault_kind(name);
    if (!kind)
      throw failure{exit_code::wrong_use, "--faults: '" + name + "'; kill, stop, cut, cut-in and cut-out are allowed"};
    kinds.push_back(*kind);
  }
  return kinds.empty() ? all_fault_kinds() : kinds;
}

/// Whether all faults were carried out and got over.
bool carry_out_all(rehearsal& stage, const arguments& given) {
  report told;
  const auto began = artillery::clock::now();
  bool got_over = true;
  try {
    for (const fault& what : draw_faults(kinds_in(given), given.times, given.seed)) {
      if (given.seconds > 0 && artillery::clock::now() - began > std::chrono::seconds{given.seconds}) break;
      told.add(what, stage.carry_out(what));
    }
  } catch (const std::exception& failed) {
    stage.pause({});
    std::printf("FAILED: %s\n", failed.what());
    got_over = false;
  }
  told.close();
  return got_over;
}

int run(const arguments& given) {
  (void)kinds_in(given);
  if (const std::string missing = network::missing(); !missing.empty())
    throw failure{exit_code::wrong_use, "network namespaces need " + missing};
  const auto interrupt = demo::interrupts();
  const demo::scratch_directory scratch;
  const network net{rehearsal::names(), scratch.path() + "/commands.log"};
  net.enter_as_client();
  demo::agents crowd{given.program, scratch.path(), interrupt.number()};
  try {
    rehearsal stage{net, crowd, interrupt.number(), given.preset, given.seed};
    const bool got_over = carry_out_all(stage, given);
    if (!got_over) std::printf("%s", crowd.remarks().c_str());
    const traffic::outcome came_to = stage.finish();
    const std::string file = given.history.empty() ? scratch.path() + "/history.jsonl" : given.history;
    const bool is_sound = judge(came_to, file);
    return got_over && is_sound ? 0 : 1;
  } catch (const std::exception& failed) {
    throw failure{exit_code::failed, std::string{failed.what()} + '\n' + crowd.remarks()};
  }
}

}  // namespace

int main(int count, char** words) {
  arguments given;
  CLI::App app{"Three agents in network namespaces are killed, stopped and cut off, one at a time, under load.",
               "failover_endurance"};
  app.add_option("--times", given.times, "How often each kind of fault happens")->capture_default_str();
  app.add_option("--faults", given.kinds, "Which kinds: kill,stop,cut,cut-in,cut-out,remove; by default all")
      ->delimiter(',');
  app.add_option("--seconds", given.seconds, "No further faults after this time");
  app.add_option("--seed", given.seed, "Order and length of the faults follow from it")->capture_default_str();
  app.add_option("--preset", given.preset, "Timings of the agents")
      ->check(CLI::IsMember({"local", "lan"}))
      ->capture_default_str();
  app.add_option("--history", given.history, "Keep the recorded history in this file");
  app.add_option("--artillery", given.program, "The command; by default the one that was built with this program")
      ->check(CLI::ExistingFile);
  try {
    app.parse(count, words);
    return run(given);
  } catch (const CLI::CallForHelp&) {
    return std::fputs(app.help().c_str(), stdout) < 0 ? 1 : 0;
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "failover_endurance: %s\n", error.what());
    return static_cast<int>(exit_code::wrong_use);
  } catch (const failure& failed) {
    std::fprintf(stderr, "failover_endurance: %s\n", failed.what());
    return static_cast<int>(failed.code());
  } catch (const std::exception& unforeseen) {
    std::fprintf(stderr, "failover_endurance: %s\n", unforeseen.what());
    return 1;
  }
}
