#include "seeds_report.hpp"

#include <nlohmann/json.hpp>
#include <ostream>

#include "commands.hpp"
#include "output/table.hpp"
#include "run_words.hpp"

namespace simulator {

namespace sim = artillery::sim;
using json = nlohmann::ordered_json;

namespace {

/// Who has ten failed seeds has enough to do.
constexpr std::size_t failures_shown_max = 10;

json number(const figure& one) {
  if (one.decimals == 0) return static_cast<std::uint64_t>(one.value);
  return json::parse(one.text());  // as many digits as the table has
}

}  // namespace

std::string seeds_report::replay(std::uint64_t seed) const {
  return replay_command(given_.room, seed, given_.fixed, given_.mutant);
}

void seeds_report::draws(const room& of, std::uint64_t seed) const {
  if (given_.format != output_format::table || !of.describe) return;
  tool::output::listing list;
  for (const auto& [name, value] : of.describe(seed, given_.fixed)) list.add("  " + name, value);
  where_.out << "seed " << seed << " draws (" << hash_text(hash_of_draws(of, seed, given_.fixed).value_or(0)) << "):\n"
             << list.text() << std::flush;
}

void seeds_report::seed(std::uint64_t seed, const sim::run_result& result) const {
  if (given_.format == output_format::jsonl) {
    json line{{"sim", given_.room},
              {"seed", seed},
              {"trace", hash_text(result.trace_hash)},
              {"violations", result.violations}};
    for (const auto& [name, value] : result.counters) line["counters"][as_word(name)] = value;
    if (!result.violations.empty()) line["replay"] = replay(seed);
    where_.out << line.dump() << "\n";
    return;
  }
  if (given_.format != output_format::table) return;
  if (given_.hashes) where_.out << "seed " << seed << " trace " << hash_text(result.trace_hash) << "\n";
  if (given_.named.size() == 1) {
    where_.out << "seed " << seed << ": " << (result.violations.empty() ? "sound" : "violated") << ", trace "
               << hash_text(result.trace_hash) << ", " << result.choices << " choices that --without can leave out\n";
  }
}

void seeds_report::end(const room& of, const totals& sum, const std::vector<shortfall>& missing) const {
  switch (given_.format) {
    case output_format::table: return as_text(of, sum, missing);
    case output_format::json: return as_json(of, sum, missing);
    case output_format::jsonl:
      for (const shortfall& one : missing)
        where_.err << "sim " << of.name << ": less than stated: " << one.text() << "\n";
      return;
  }
}

void seeds_report::failures_as_text(const totals& sum) const {
  std::size_t shown = 0;
  for (const auto& [seed, lines] : sum.violations()) {
    if (++shown > failures_shown_max) {
      where_.out << "and " << sum.violations().size() - failures_shown_max << " seeds more\n";
      return;
    }
    where_.out << "seed " << seed << ":\n";
    for (const std::string& line : lines) where_.out << "  " << line << "\n";
    where_.out << "  replay: " << replay(seed) << "\n";
  }
}

void seeds_report::as_text(const room& of, const totals& sum, const std::vector<shortfall>& missing) const {
  failures_as_text(sum);
  for (const shortfall& one : missing) where_.out << "less than stated: " << one.text() << "\n";
  where_.out << "sim " << of.name << ":";
  for (const figure& one : sum.figures(of)) where_.out << ' ' << one.name << '=' << one.text();
  where_.out << "\n";
}

void seeds_report::as_json(const room& of, const totals& sum, const std::vector<shortfall>& missing) const {
  json all{{"sim", of.name}};
  for (const figure& one : sum.figures(of)) all[one.name] = number(one);
  all["failures"] = json::array();
  for (const auto& [seed, lines] : sum.violations()) {
    all["failures"].push_back({{"seed", seed}, {"violations", lines}, {"replay", replay(seed)}});
  }
  all["less_than_stated"] = json::array();
  for (const shortfall& one : missing) {
    all["less_than_stated"].push_back({{"figure", one.name}, {"reached", one.reached}, {"stated", one.stated}});
  }
  where_.out << all.dump(2) << "\n";
}

}  // namespace simulator
