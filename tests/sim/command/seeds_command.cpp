#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <memory>
#include <ostream>
#include <random>

#include "commands.hpp"
#include "exit_code.hpp"
#include "interruption.hpp"
#include "run_words.hpp"
#include "seed_runs.hpp"
#include "seeds_report.hpp"
#include "totals.hpp"

namespace simulator {

namespace sim = artillery::sim;

namespace {

/// With fewer seeds chance decides what is reached.
constexpr std::uint64_t floors_from_seeds = 1000;

seed_list chosen_seeds(const seeds_arguments& given) {
  if (!given.named.empty()) return seed_list{given.named};
  if (!given.fresh) return {given.first, given.seeds};
  std::random_device entropy;
  return {std::uint64_t{entropy()} << 20U, given.seeds};
}

/// The floors of a run: those given, and, when the mix is the seeds' own, those of the room.
std::vector<std::pair<std::string, double>> stated_work(const seeds_arguments& given, const room& where,
                                                        std::uint64_t seeds) {
  std::vector<std::pair<std::string, double>> stated = given.at_least;
  const bool own_mix = given.named.empty() && given.mutant.empty() && is_unrestricted(given.fixed);
  if (!own_mix || seeds < floors_from_seeds) return stated;
  for (const floor& one : where.floors) {
    const double least = static_cast<double>(one.per_thousand_seeds) * static_cast<double>(seeds) / 1000;
    stated.emplace_back(one.figure, std::ceil(least));
  }
  return stated;
}

/// Before the run, so that nobody waits minutes to hear of a typing mistake. The names are those of any seed.
void refuse_unknown_figures(const seeds_arguments& given, const room& where) {
  if (given.at_least.empty()) return;
  totals any;
  any.add(1, run_guarded(where, 1, given.fixed));
  const std::vector<figure> known = any.figures(where);
  for (const auto& [name, least] : given.at_least) {
    const auto is_it = [&wanted = name](const figure& one) { return one.name == wanted; };
    if (std::any_of(known.begin(), known.end(), is_it)) continue;
    std::string text = "--at-least: there is no figure '" + name + "'; allowed are:";
    for (const figure& one : known) text += ' ' + one.name;
    throw tool::failure{tool::exit_code::wrong_use, text};
  }
}

/// Where the trace of the only seed goes, if anywhere.
class trace_file {
public:
  trace_file(const seeds_arguments& given, const room& of, const console& where) {
    if (!given.trace) return;
    if (!of.words) throw tool::failure{tool::exit_code::wrong_use, of.name + " has no words for a trace"};
    is_file_ = !given.trace->empty() && *given.trace != "-";
    name_ = *given.trace;
    if (is_file_) file_.open(name_);
    if (is_file_ && !file_) throw tool::failure{tool::exit_code::failed, "cannot write to " + name_};
    std::ostream& out = is_file_ ? file_ : where.out;
    trace_ = std::make_shared<run_trace>(of.words(given.named.front(), given.fixed), out);
  }

  [[nodiscard]] sim::watcher watcher() const {
    if (!trace_) return {};
    return [trace = trace_](const sim::happening& what) { trace->show(what); };
  }
  void end() {
    if (is_file_ && !file_.flush()) throw tool::failure{tool::exit_code::failed, "cannot write to " + name_};
  }

private:
  bool is_file_ = false;
  std::string name_;
  std::ofstream file_;
  std::shared_ptr<run_trace> trace_;
};

}  // namespace

int run(const seeds_arguments& given, const std::vector<room>& rooms, const console& where) {
  const room& of = *find_room(rooms, given.room);
  plant(of, given.mutant);
  refuse_unknown_figures(given, of);
  const interruption ctrl_c;
  run_plan plan{of, chosen_seeds(given), given.fixed, given.jobs, given.within, [&] { return ctrl_c.has_come(); }};
  const seeds_report report{given, where};
  if (given.named.size() == 1) report.draws(of, given.named.front());
  trace_file trace{given, of, where};
  plan.fixed.watch = trace.watcher();
  totals sum;
  const double cpu_before = cpu_seconds_used();
  const auto start = std::chrono::steady_clock::now();
  {
    progress shown{where, "sim " + of.name};
    run_seeds(plan, [&](std::uint64_t seed, const sim::run_result& result) {
      report.seed(seed, result);
      sum.add(seed, result);
      const std::size_t violated = sum.violations().size();
      shown.show(sum.seeds(), plan.seeds.size(), violated == 0 ? "" : ", " + std::to_string(violated) + " violated");
    });
  }
  sum.spent(cpu_seconds_used() - cpu_before,
            std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  std::vector<std::pair<std::string, double>> stated = stated_work(given, of, sum.seeds());
  if (ctrl_c.has_come()) stated.emplace_back("seeds", static_cast<double>(plan.seeds.size()));
  const std::vector<shortfall> missing = less_than(stated, sum.figures(of));
  report.end(of, sum, missing);
  trace.end();
  where.out << std::flush;
  return sum.violations().empty() && missing.empty() && where.out ? sound : unsound;
}

}  // namespace simulator
