// Runs seeds of the simulator and reports what they came to: `./dev sim chain --seeds 2000`.
//
// A violation ends the run with exit code 1 and the command that replays its seed. `--hashes` prints one trace hash a
// seed, so that two builds can be compared.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <exception>
#include <functional>
#include <iostream>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "base/assert.hpp"
#include "sim/chain_world.hpp"
#include "sim/discovery_world.hpp"
#include "sim/membership_run.hpp"
#include "sim/run_result.hpp"

namespace sim = artillery::sim;

namespace {

using run_seed = std::function<sim::run_result(std::uint64_t)>;

struct options {
  std::uint64_t seeds = 200;
  std::uint64_t first = 1;
  std::vector<std::uint64_t> named;
  bool fresh = false;
  bool hashes = false;
  unsigned jobs = std::max(1U, std::thread::hardware_concurrency());
};

struct totals {
  std::vector<std::pair<std::string, std::uint64_t>> counters;
  std::map<std::uint64_t, std::vector<std::string>> violations;
  std::map<std::uint64_t, std::uint64_t> hashes;
  std::uint64_t seeds = 0;

  void add(std::uint64_t seed, sim::run_result result) {
    ++seeds;
    if (!result.violations.empty()) violations[seed] = std::move(result.violations);
    hashes[seed] = result.trace_hash;
    if (counters.empty()) {
      counters = std::move(result.counters);
      return;
    }
    for (std::size_t i = 0; i < counters.size(); ++i) counters[i].second += result.counters.at(i).second;
  }
};

/// What a seed came to; a broken invariant or an exception is a violation like any other.
sim::run_result guarded(const run_seed& run, std::uint64_t seed) {
  sim::run_result failed;
  try {
    return run(seed);
  } catch (const artillery::detail::broken_invariant& broken) {
    failed.violations = {"invariant " + std::string{broken.what()} + " broken at " + broken.file() + ":" +
                         std::to_string(broken.line())};
  } catch (const std::exception& error) {
    failed.violations = {std::string{"exception: "} + error.what()};
  }
  return failed;
}

std::vector<std::uint64_t> chosen_seeds(const options& chosen) {
  if (!chosen.named.empty()) return chosen.named;
  std::vector<std::uint64_t> seeds;
  const std::uint64_t first = chosen.fresh ? std::uint64_t{std::random_device{}()} << 20U : chosen.first;
  for (std::uint64_t i = 0; i < chosen.seeds; ++i) seeds.push_back(first + i);
  return seeds;
}

totals run_all(const std::string& room, const run_seed& run, const options& chosen) {
  const std::vector<std::uint64_t> seeds = chosen_seeds(chosen);
  const bool show_progress = ::isatty(STDERR_FILENO) == 1;
  totals sum;
  std::mutex guard;
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t at = next++; at < seeds.size(); at = next++) {
      sim::run_result result = guarded(run, seeds[at]);
      const std::lock_guard lock{guard};
      sum.add(seeds[at], std::move(result));
      if (show_progress && (sum.seeds % 50 == 0 || sum.seeds == seeds.size())) {
        std::fprintf(stderr, "\rsim %s: %llu of %zu seeds, %zu violated ", room.c_str(),
                     static_cast<unsigned long long>(sum.seeds), seeds.size(), sum.violations.size());
      }
    }
  };
  std::vector<std::thread> others;
  for (unsigned i = 1; i < chosen.jobs; ++i) others.emplace_back(work);
  work();
  for (std::thread& other : others) other.join();
  if (show_progress) std::fprintf(stderr, "\r\033[K");
  return sum;
}

int report(const std::string& room, const totals& sum, const options& chosen, double cpu_seconds) {
  if (chosen.hashes) {
    for (const auto& [seed, hash] : sum.hashes)
      std::printf("seed %llu trace %016llx\n", static_cast<unsigned long long>(seed),
                  static_cast<unsigned long long>(hash));
  }
  constexpr std::size_t shown_max = 10;
  std::size_t shown = 0;
  for (const auto& [seed, lines] : sum.violations) {
    if (++shown > shown_max) break;
    std::printf("seed %llu:\n", static_cast<unsigned long long>(seed));
    for (const std::string& line : lines) std::printf("  %s\n", line.c_str());
    std::printf("  replay: ./dev sim %s --seed %llu\n", room.c_str(), static_cast<unsigned long long>(seed));
  }
  std::printf("sim %s: seeds=%llu violations=%zu", room.c_str(), static_cast<unsigned long long>(sum.seeds),
              sum.violations.size());
  std::uint64_t events = 0;
  for (auto [name, value] : sum.counters) {
    if (name == "events") events = value;
    std::replace(name.begin(), name.end(), ' ', '_');
    std::printf(" %s=%llu", name.c_str(), static_cast<unsigned long long>(value));
  }
  if (events > 0 && cpu_seconds > 0)
    std::printf(" events_per_cpu_second=%.0f", static_cast<double>(events) / cpu_seconds);
  std::printf(" first_seed=%llu\n",
              sum.hashes.empty() ? 0ULL : static_cast<unsigned long long>(sum.hashes.begin()->first));
  return sum.violations.empty() ? 0 : 1;
}

double cpu_seconds_used() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Runs artillery's protocols in the simulator, seed after seed, and checks what they did."};
  app.require_subcommand(1);
  options chosen;
  const std::map<std::string, run_seed> rooms{
      {"chain", [](std::uint64_t seed) { return sim::run_chain_seed(seed, {}); }},
      {"membership", [](std::uint64_t seed) { return sim::run_membership_seed(seed, {}); }},
      {"discovery", [](std::uint64_t seed) { return sim::run_discovery_seed(seed, {}); }},
  };
  for (const auto& [name, run] : rooms) {
    CLI::App* room = app.add_subcommand(name, "seeds of " + name);
    room->add_option("--seeds", chosen.seeds, "how many seeds, one after another")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    room->add_option("--first", chosen.first, "the first of them")->capture_default_str();
    room->add_option("--seed", chosen.named, "just this seed (may be given several times)");
    room->add_flag("--fresh", chosen.fresh, "seeds that nobody has run yet; the first is in the summary");
    room->add_flag("--hashes", chosen.hashes, "print the trace hash of every seed");
    room->add_option("--jobs", chosen.jobs, "threads, each with worlds of its own")
        ->check(CLI::Range(1, 64))
        ->capture_default_str();
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : 2;
  }
  const std::string room = app.get_subcommands().front()->get_name();
  const totals sum = run_all(room, rooms.at(room), chosen);
  return report(room, sum, chosen, cpu_seconds_used());
}
