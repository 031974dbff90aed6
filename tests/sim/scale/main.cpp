// `./dev sim scale`: membership in clusters of growing size: how soon a death is known, what a member sends, and how
// fast and in how much memory the simulator runs them.
//
// Exit code 1 when views did not become complete, a death was missed or a living member was reported as failed; 2 when
// the command line is wrong.
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
#include "report.hpp"
#include "run_words.hpp"

namespace sim = artillery::sim;

namespace {

constexpr std::size_t members_least = 8;
constexpr std::size_t members_most = 10'000;

struct options {
  std::vector<std::uint64_t> sizes = {8, 16, 32, 64, 128, 256, 512, 1'000};
  std::uint64_t seed = 1;
  artillery::duration idle = sim::scale_plan{}.idle;
  std::uint64_t deaths = sim::scale_plan{}.single_deaths;
  bool json = false;
  std::string columns;  ///< file for plot.gp; empty: none
};

std::optional<std::vector<std::uint64_t>> parse_sizes(const std::string& text) {
  auto sizes = simulator::parse_numbers(text);
  if (!sizes || sizes->empty() || sizes->front() < members_least || sizes->back() > members_most) return std::nullopt;
  return sizes;
}

options parse(int count, char** words) {
  CLI::App app{"Runs clusters of growing size in the simulator: how soon a death is known, what a member sends.",
               "./dev sim scale"};
  app.formatter(std::make_shared<tool::help_format>());
  app.footer(
      "--plot FILE draws it as an image (SVG), with gnuplot. Times are in seconds, medians and the longest; rates are\n"
      "per member and second of the idle time. Memory: about 300 bytes for each pair of members; 5000 take 8 GiB.\n"
      "docs/simulating.md tells more.");
  options given;
  tool::add_parsed_option(app, "--sizes", given.sizes, parse_sizes,
                          "numbers from 8 to 10000 with commas between them are, such as 8,64,1000", "How many members")
      ->type_name("NUMBERS")
      ->default_str("8,16,…,512,1000");
  tool::add_parsed_option(app, "--seed", given.seed, tool::parse_number, "a number is", "The seed of every size's run")
      ->type_name("N")
      ->default_str("1");
  tool::add_parsed_option(app, "--idle", given.idle, tool::parse_duration, "0s to 24h are, such as 60s, 2m",
                          "For how long the load of a cluster with nothing to say is measured")
      ->type_name("DURATION")
      ->default_str("1m");
  tool::add_parsed_option(app, "--deaths", given.deaths, tool::parse_number, "a number is",
                          "How many members are killed, one after another")
      ->type_name("N")
      ->default_str("10");
  const auto parse_format = [](const std::string& text) -> std::optional<bool> {
    if (text != "table" && text != "json") return std::nullopt;
    return text == "json";
  };
  tool::add_parsed_option(app, "-o,--format", given.json, parse_format, "table and json are", "How to print")
      ->type_name("table|json")
      ->default_str("table");
  app.add_option("--columns", given.columns, "Also write a file of numbers, a line for each size")->type_name("FILE");
  try {
    app.parse(count, words);
  } catch (const CLI::CallForHelp&) {
    throw tool::help_requested{app.help()};
  } catch (const CLI::ParseError& error) {
    throw tool::failure{tool::exit_code::wrong_use, error.what()};
  }
  return given;
}

scale::measured run(const options& given, std::uint64_t members, const simulator::console& where) {
  simulator::progress shown{where, "sim scale, " + std::to_string(members) + " members"};
  return scale::measure([&] {
    sim::scale_plan plan{.members = members, .idle = given.idle, .single_deaths = given.deaths};
    sim::membership_scale study{given.seed, std::move(plan)};
    return study.run([&](artillery::duration simulated, const char* what) {
      const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(simulated).count();
      shown.show(static_cast<std::uint64_t>(seconds), 0, std::string{" s simulated, "} + what);
    });
  });
}

int run(const options& given, const simulator::console& where) {
  std::ofstream columns;
  if (!given.columns.empty()) {
    columns.open(given.columns);
    if (!columns) throw tool::failure{tool::exit_code::failed, "--columns: cannot write to " + given.columns};
  }
  std::vector<scale::measured> all;
  for (const std::uint64_t members : given.sizes) all.push_back(run(given, members, where));
  where.out << (given.json ? scale::as_json(given.seed, all) : scale::as_tables(all)) << std::flush;
  columns << scale::as_columns(all) << std::flush;
  const std::vector<std::string> found = scale::complaints(all);
  for (const std::string& one : found) where.err << "sim scale: " << one << "\n";
  const bool written = where.out && (given.columns.empty() || columns);
  return found.empty() && written ? 0 : 1;
}

}  // namespace

int main(int count, char** words) {
  return simulator::run_program("sim scale",
                                [&](const simulator::console& where) { return run(parse(count, words), where); });
}
