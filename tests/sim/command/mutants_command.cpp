#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <ostream>
#include <set>

#include "commands.hpp"
#include "exit_code.hpp"
#include "known_seeds.hpp"
#include "mutant_trials.hpp"
#include "output/table.hpp"
#include "seed_runs.hpp"
#include "totals.hpp"

namespace simulator {

namespace sim = artillery::sim;
using json = nlohmann::ordered_json;

namespace {

/// Without a mistake the first so many seeds are sound, too.
constexpr std::uint64_t clean_seeds_min = 100;

struct unclean_seed {
  std::string room;
  std::uint64_t seed = 0;
  std::string violation;
};

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Those that were named, or all but those that only tests find.
std::vector<mutant_trial> chosen_trials(const mutants_arguments& given, const std::vector<room>& rooms) {
  std::vector<mutant_trial> trials;
  std::string known;
  for (const room& one : rooms) {
    if (!given.room.empty() && given.room != one.name) continue;
    const known_seeds known_here = read_known_seeds(known_seeds_file(given.folder, one.name), one);
    for (std::size_t i = 0; i < one.mutants.size(); ++i) {
      known += ' ' + one.mutants[i];
      const std::string& name = one.mutants[i];
      if (given.mutants.empty() ? has(one.left_to_tests, name) : !has(given.mutants, name)) continue;
      trials.push_back({.where = &one, .mutant = i});
      const auto seed = known_here.find(name);
      if (seed != known_here.end()) trials.back().known = seed->second;
    }
  }
  if (known.empty()) throw tool::failure{tool::exit_code::wrong_use, "this program was built without mutants"};
  for (const std::string& name : given.mutants) {
    const auto is_it = [&](const mutant_trial& one) { return one.name() == name; };
    if (std::any_of(trials.begin(), trials.end(), is_it)) continue;
    throw tool::failure{tool::exit_code::wrong_use, "--mutant: there is no '" + name + "'; allowed are:" + known};
  }
  return trials;
}

/// Without a mistake the seeds that found one find nothing, nor do the first so many: the checkers see the mistake, not
/// the room as it is.
std::vector<unclean_seed> unclean_seeds(const std::vector<mutant_trial>& trials, const mutants_arguments& given,
                                        const std::vector<room>& rooms) {
  std::vector<unclean_seed> unclean;
  for (const room& one : rooms) {
    std::set<std::uint64_t> seeds;
    for (const mutant_trial& trial : trials) {
      if (trial.where == &one && trial.found) seeds.insert(trial.seeds);
    }
    if (seeds.empty()) continue;
    for (std::uint64_t seed = 1; seed <= std::min(clean_seeds_min, given.seeds_max); ++seed) seeds.insert(seed);
    one.plant(one.mutants.size());
    run_seeds({one, seed_list{{seeds.begin(), seeds.end()}}, {}, given.jobs, {}},
              [&](std::uint64_t seed, const sim::run_result& result) {
                if (!result.violations.empty()) unclean.push_back({one.name, seed, result.violations.front()});
              });
  }
  return unclean;
}

json json_of(const mutant_trial& one) {
  return {{"room", one.where->name},
          {"mutant", one.name()},
          {"found", one.found},
          {"seeds", one.seeds},
          {"known", one.found_by_known()},
          {"cpu_seconds", std::round(one.cpu_seconds * 100) / 100},
          {"violation", one.violation}};
}

void print_table(const std::vector<mutant_trial>& trials, const console& where) {
  tool::output::table table{{"ROOM", "MUTANT", "SEEDS", "CPU", "VIOLATED"}};
  for (const mutant_trial& one : trials) {
    table.add({one.where->name, one.name(), std::to_string(one.seeds), figure{{}, one.cpu_seconds, 1}.text() + " s",
               one.found ? one.violation : "NOT FOUND"});
  }
  where.out << table.text();
}

/// Not tried, since none was named.
std::vector<std::string> left_to_tests(const mutants_arguments& given, const std::vector<room>& rooms) {
  std::vector<std::string> left;
  for (const room& one : rooms) {
    if (!given.mutants.empty() || (!given.room.empty() && given.room != one.name)) continue;
    left.insert(left.end(), one.left_to_tests.begin(), one.left_to_tests.end());
  }
  return left;
}

/// Those that were found by others than the seeds that were noted for them, or had none: by room.
std::map<std::string, known_seeds> new_seeds(const std::vector<mutant_trial>& trials) {
  std::map<std::string, known_seeds> seeds;
  for (const mutant_trial& one : trials) {
    if (one.found && !one.found_by_known()) seeds[one.where->name].emplace(one.name(), one.seeds);
  }
  return seeds;
}

void record(const std::map<std::string, known_seeds>& found, const std::string& folder,
            const std::vector<room>& rooms) {
  for (const auto& [name, seeds] : found) {
    write_known_seeds(known_seeds_file(folder, name), *find_room(rooms, name), seeds);
  }
}

/// The lines as they are to stand in the files.
void print_new_seeds(const std::map<std::string, known_seeds>& found, const mutants_arguments& given,
                     const console& where) {
  for (const auto& [name, seeds] : found) {
    where.out << (given.record ? "noted in " : "to be noted (--record does it) in ")
              << known_seeds_file(given.folder, name) << ", so that it need not be searched again:\n";
    for (const auto& [mutant, seed] : seeds) where.out << "  " << known_seed_text(mutant, seed) << "\n";
  }
}

}  // namespace

int run(const mutants_arguments& given, const std::vector<room>& rooms, const console& where) {
  std::vector<mutant_trial> trials = chosen_trials(given, rooms);
  where.out << std::flush;  // or each process would have what is still in there, too
  {
    progress shown{where, "sim mutants"};
    std::uint64_t done = 0;
    run_mutant_trials(trials, given.seeds_max, given.jobs,
                      [&](const mutant_trial&) { shown.show(++done, trials.size(), ""); });
  }
  const std::vector<unclean_seed> unclean = unclean_seeds(trials, given, rooms);
  const auto found = std::count_if(trials.begin(), trials.end(), [](const mutant_trial& one) { return one.found; });
  const std::map<std::string, known_seeds> fresh = new_seeds(trials);
  if (given.record) record(fresh, given.folder, rooms);
  const std::vector<std::string> left = left_to_tests(given, rooms);
  std::uint64_t most = 0;
  for (const mutant_trial& one : trials) most = std::max(most, one.seeds);

  if (given.format == output_format::json) {
    json all{{"sim", "mutants"}, {"mutants", trials.size()}, {"found", found}, {"seeds_max", most}};
    all["unclean"] = json::array();
    for (const unclean_seed& one : unclean)
      all["unclean"].push_back({{"room", one.room}, {"seed", one.seed}, {"violation", one.violation}});
    all["left_to_tests"] = left;
    for (const mutant_trial& one : trials) all["trials"].push_back(json_of(one));
    where.out << all.dump(2) << "\n";
  } else if (given.format == output_format::jsonl) {
    for (const mutant_trial& one : trials) where.out << json_of(one).dump() << "\n";
  } else {
    print_table(trials, where);
    for (const unclean_seed& one : unclean) {
      where.out << "without a mutant " << one.room << "'s seed " << one.seed << " is not clean: " << one.violation
                << "\n  replay: " << replay_command(one.room, one.seed, {}, {}) << "\n";
    }
    for (const std::string& name : left) where.out << "left to a test, since hardly a seed finds it: " << name << "\n";
    print_new_seeds(fresh, given, where);
    where.out << "sim mutants: mutants=" << trials.size() << " found=" << found << " seeds_max=" << most
              << " unclean_seeds=" << unclean.size() << " left_to_tests=" << left.size() << "\n";
  }
  where.out << std::flush;
  return static_cast<std::size_t>(found) == trials.size() && unclean.empty() && where.out ? sound : unsound;
}

}  // namespace simulator
