#include <chrono>
#include <ostream>

#include "commands.hpp"
#include "corpus.hpp"
#include "interruption.hpp"
#include "run_words.hpp"
#include "shrink.hpp"
#include "totals.hpp"

namespace simulator {

namespace sim = artillery::sim;

namespace {

run_size size_of(const sim::run_result& result) {
  run_size size{0, result.choices};
  for (const auto& [name, value] : result.counters) {
    if (name == "events") size.events = value;
  }
  return size;
}

/// The first violation about `invariant`; null when there is none.
const std::string* violation_of(const sim::run_result& result, const std::string& invariant) {
  for (const std::string& one : result.violations) {
    if (invariant_of(one) == invariant) return &one;
  }
  return nullptr;
}

}  // namespace

int run(const shrink_arguments& given, const std::vector<room>& rooms, const console& where) {
  const room& of = *find_room(rooms, given.room);
  plant(of, given.mutant);
  const auto start = std::chrono::steady_clock::now();
  const interruption ctrl_c;
  const auto is_over = [&] { return ctrl_c.has_come() || std::chrono::steady_clock::now() - start >= given.within; };
  const sim::run_result first = run_guarded(of, given.seed, given.fixed);
  if (first.violations.empty()) {
    where.err << "sim: nothing to shrink, this run is sound: "
              << replay_command(of.name, given.seed, given.fixed, given.mutant) << "\n";
    return unsound;
  }
  const std::string invariant = invariant_of(first.violations.front());
  std::string violation = first.violations.front();
  const run_size size = size_of(first);
  where.out << "seed " << given.seed << ": " << violation << "\n" << std::flush;

  std::uint64_t tried = 0;
  progress shown{where, "sim shrink " + of.name};
  shrinker smaller{given.fixed, size,
                   [&](const sim::run_options& candidate) -> std::optional<run_size> {
                     shown.show(++tried, 0, " attempts," + words_of(candidate).substr(0, 80));
                     const sim::run_result result = run_guarded(of, given.seed, candidate);
                     const std::string* same = violation_of(result, invariant);
                     return same == nullptr ? std::nullopt : std::optional{size_of(result)};
                   },
                   is_over};
  smaller.shrink();

  const sim::run_result last = run_guarded(of, given.seed, smaller.smallest());
  if (const std::string* same = violation_of(last, invariant)) violation = *same;
  const seed_and_options result{given.seed, smaller.smallest(), hash_of_draws(of, given.seed, smaller.smallest())};
  const std::string line = corpus_text(result, violation);
  where.out << "sim shrink " << of.name << ": attempts=" << smaller.attempts() << " events=" << size.events << " -> "
            << smaller.size().events << " choices=" << size.choices << " -> "
            << smaller.size().choices - smaller.smallest().without.size()
            << (is_over() ? " (the time was up; --within takes longer)" : "") << "\n"
            << "  violates: " << violation << "\n"
            << "  replay: " << replay_command(of.name, given.seed, smaller.smallest(), given.mutant) << "\n"
            << "  corpus: " << line << "\n"
            << std::flush;
  if (given.keep) append_to_corpus(corpus_file(given.folder, of.name), line);
  return where.out ? sound : unsound;
}

}  // namespace simulator
