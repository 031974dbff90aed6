// `./dev sim study`: how often members that live are reported as failed, and how soon those that died are: against
// loss, slow members, size and parameters, with SWIM alone, with Lifeguard, and with the whole protocol.
//
// Exit code 2 when the command line is wrong.
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "command_line.hpp"
#include "console.hpp"
#include "exit_code.hpp"
#include "help_format.hpp"
#include "notation.hpp"
#include "program_run.hpp"
#include "protocols.hpp"
#include "report.hpp"
#include "series.hpp"

namespace {

struct options {
  std::vector<std::string> only;
  std::uint64_t seed = 1;
  artillery::duration length = std::chrono::minutes{20};
  std::string format = "table";
  std::string columns;  ///< file for plot.gp; empty: none
};

std::vector<std::string> names() {
  std::vector<std::string> found;
  for (const study::series& one : study::all_series(options{}.length)) found.push_back(one.name);
  return found;
}

options parse(int count, char** words) {
  CLI::App app{"Counts false reports of failures and times true ones in the simulator, under loss and slowness.",
               "./dev sim study"};
  app.formatter(std::make_shared<tool::help_format>());
  app.footer(
      "--plot FILE draws it as an image (SVG), with gnuplot. FALSE/H: how often a healthy member was held for dead, "
      "in\n"
      "an hour of the whole cluster. FIRST, 90 %, LAST: seconds from a death to its first and its last report.\n"
      "docs/evidence/membership-study.md tells more.");
  options given;
  app.add_option("--only", given.only, "Which series")
      ->delimiter(',')
      ->check(CLI::IsMember(names()))
      ->type_name("SERIES");
  tool::add_parsed_option(app, "--seed", given.seed, tool::parse_number, "a number is", "The seed of every run")
      ->type_name("N")
      ->default_str("1");
  tool::add_parsed_option(app, "--length", given.length, tool::parse_duration, "0s to 24h are, such as 10m, 1h",
                          "For how long each cluster is watched; one of more than 32 members for less")
      ->type_name("DURATION")
      ->default_str("20m");
  app.add_option("-o,--format", given.format, "How to print")
      ->check(CLI::IsMember({"table", "json"}))
      ->type_name("table|json")
      ->capture_default_str();
  app.add_option("--columns", given.columns, "Also write a file of numbers, a line for each run")->type_name("FILE");
  try {
    app.parse(count, words);
  } catch (const CLI::CallForHelp&) {
    throw tool::help_requested{app.help()};
  } catch (const CLI::ParseError& error) {
    throw tool::failure{tool::exit_code::wrong_use, error.what()};
  }
  return given;
}

std::vector<study::series> wanted(const options& given) {
  std::vector<study::series> those = study::all_series(given.length);
  std::erase_if(those, [&](const study::series& one) {
    return !given.only.empty() && std::find(given.only.begin(), given.only.end(), one.name) == given.only.end();
  });
  return those;
}

int run(const options& given, const simulator::console& where) {
  std::ofstream columns;
  if (!given.columns.empty()) {
    columns.open(given.columns);
    if (!columns) throw tool::failure{tool::exit_code::failed, "--columns: cannot write to " + given.columns};
  }
  const std::vector<study::series> those = wanted(given);
  std::uint64_t total = 0;
  for (const study::series& one : those) total += one.points.size() * study::all_protocols.size();
  std::vector<study::result> results;
  {
    simulator::progress shown{where, "sim study"};
    for (const study::series& one : those) {
      for (const study::series::point& at : one.points) {
        for (const study::protocol which : study::all_protocols) {
          shown.show(results.size(), total, " runs, " + one.name);
          results.push_back({one.name, at.x, which, at.plan.members, study::run(which, given.seed, at.plan)});
        }
      }
    }
  }
  where.out << (given.format == "json" ? study::as_json(given.seed, results) : study::as_tables(those, results))
            << std::flush;
  columns << study::as_columns(results) << std::flush;
  return where.out && (given.columns.empty() || columns) ? 0 : 1;
}

}  // namespace

int main(int count, char** words) {
  return simulator::run_program("sim study",
                                [&](const simulator::console& where) { return run(parse(count, words), where); });
}
