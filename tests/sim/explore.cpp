// Tries every run of small set-ups of the real cores: `./dev sim explore --scope chain-2-cut`.
//
// Exit code 1 when a violation was found, with the shortest run that leads to it, or when a scope was not explored to
// its end; 2 when the command line is wrong.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sim/explore_scopes.hpp"

namespace sim = artillery::sim;

namespace {

double cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

std::uint64_t memory_mib() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  return static_cast<std::uint64_t>(used.ru_maxrss) / 1024;
}

struct explored {
  std::string scope;
  std::string description;
  sim::explore_report report;
  double seconds = 0;

  [[nodiscard]] std::uint64_t states_per_second() const {
    return static_cast<std::uint64_t>(static_cast<double>(report.states) / std::max(seconds, 1e-3));
  }
  [[nodiscard]] std::uint64_t transitions_per_second() const {
    return static_cast<std::uint64_t>(static_cast<double>(report.transitions) / std::max(seconds, 1e-3));
  }
};

/// How likely it is at most that two different states had the same hash, in parts of a billion.
std::uint64_t collision_per_billion(std::uint64_t states) {
  const double pairs = static_cast<double>(states) * static_cast<double>(states) / 2;
  return static_cast<std::uint64_t>(pairs / 18'446'744'073'709'551'616.0 * 1e9) + 1;
}

void print_text(const explored& one) {
  const sim::explore_report& report = one.report;
  std::cout << "sim explore: scope=" << one.scope << " states=" << report.states
            << " transitions=" << report.transitions << " ends=" << report.ends << " depth=" << report.depth
            << " complete=" << (report.complete ? "yes" : "no") << " violations=" << (report.found ? 1 : 0)
            << " states_per_cpu_second=" << one.states_per_second() << "\n"
            << "  bound: " << one.description << "\n  choices:";
  for (std::size_t i = 0; i < sim::explore_kinds; ++i) {
    if (report.choices[i] > 0) std::cout << " " << sim::explore_kind_names[i] << "=" << report.choices[i];
  }
  std::cout << "\n  " << one.transitions_per_second() << " transitions/CPU s, "
            << static_cast<std::uint64_t>(one.seconds) << " CPU s, " << memory_mib()
            << " MiB; two states with one hash: at most " << collision_per_billion(report.states) << " in 10^9\n";
  if (!report.found) return;
  std::cout << "  violation: " << report.found->what << "\n";
  for (std::size_t i = 0; i < report.found->trace.size(); ++i) {
    std::cout << "  " << i + 1 << ". " << report.found->trace[i] << "\n";
  }
}

nlohmann::json to_json(const explored& one) {
  const sim::explore_report& report = one.report;
  nlohmann::json choices;
  for (std::size_t i = 0; i < sim::explore_kinds; ++i) {
    choices[std::string{sim::explore_kind_names[i]}] = report.choices[i];
  }
  nlohmann::json out{{"scope", one.scope},          {"bound", one.description},
                     {"states", report.states},     {"transitions", report.transitions},
                     {"ends", report.ends},         {"depth", report.depth},
                     {"complete", report.complete}, {"choices", choices},
                     {"cpu_seconds", one.seconds},  {"states_per_cpu_second", one.states_per_second()},
                     {"violation", nullptr}};
  if (report.found) out["violation"] = {{"what", report.found->what}, {"trace", report.found->trace}};
  return out;
}

/// Nothing named: the quick ones.
std::vector<sim::explore_scope> chosen_scopes(const std::vector<std::string>& names, bool all) {
  std::vector<sim::explore_scope> chosen;
  for (sim::explore_scope& each : sim::explore_scopes()) {
    const bool named = std::find(names.begin(), names.end(), each.name) != names.end();
    if (named || all || (names.empty() && each.quick)) chosen.push_back(std::move(each));
  }
  return chosen;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Tries every run of small set-ups of the real protocol cores."};
  std::vector<std::string> names;
  bool list = false;
  bool all = false;
  std::uint64_t states_max = 0;
  std::string format = "text";
  app.add_option("--scope", names, "set-ups to explore; the quick ones unless told");
  app.add_flag("--all", all, "every set-up");
  app.add_flag("--list", list, "say which set-ups there are, and end");
  app.add_option("--states-max", states_max,
                 "give up a set-up beyond so many states (20 bytes of memory each, at worst)");
  app.add_option("-o,--output", format, "text or json")->check(CLI::IsMember({"text", "json"}));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (list) {
    for (const sim::explore_scope& each : sim::explore_scopes()) {
      std::cout << each.name << (each.quick ? " (quick): " : ": ") << each.description << "\n";
    }
    return 0;
  }
  const std::vector<sim::explore_scope> chosen = chosen_scopes(names, all);
  if (chosen.size() < names.size() || chosen.empty()) {
    std::cerr << "explore: no such scope; --list says which there are\n";
    return 2;
  }
  bool sound = true;
  nlohmann::json results = nlohmann::json::array();
  for (const sim::explore_scope& each : chosen) {
    const double before = cpu_seconds();
    explored one{each.name, each.description, each.run(states_max), 0};
    one.seconds = cpu_seconds() - before;
    sound = sound && one.report.complete;
    if (format == "json") {
      results.push_back(to_json(one));
    } else {
      print_text(one);
      std::cout << std::flush;  // the next one may take long
    }
  }
  if (format == "json") std::cout << results.dump(2) << "\n";
  return sound ? 0 : 1;
}
