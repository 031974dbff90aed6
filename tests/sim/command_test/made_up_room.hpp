#pragma once

#include <algorithm>
#include <chrono>
#include <sstream>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "commands.hpp"
#include "room.hpp"

/// A room in which nothing is simulated: what a seed comes to follows from its number and the options, so that tests
/// know what the command has to say of it.
namespace made_up {

namespace sim = artillery::sim;

constexpr std::uint64_t choices = 16;

/// Seeds that end in 7 lose a write, for which it takes two of the choices, a crash, two nodes and three operations.
/// Those, and others that end in 5, read something stale as well.
inline sim::run_result run(std::uint64_t seed, const sim::run_options& options) {
  const auto has = [&](std::uint64_t choice) {
    return std::find(options.without.begin(), options.without.end(), choice) == options.without.end();
  };
  const std::uint64_t nodes = options.nodes.value_or(5);
  const std::uint64_t operations = options.operations.value_or(20);
  const auto time =
      std::chrono::duration_cast<std::chrono::milliseconds>(options.time.value_or(std::chrono::seconds{1}));
  sim::run_result result;
  if (seed % 10 == 7 && has(5) && has(11) && options.has(sim::fault_family::crash) && nodes >= 2 && operations >= 3)
    result.violations.push_back("12 us: a write is lost: that of client " + std::to_string(seed));
  if (seed % 10 == 7 || seed % 10 == 5) result.violations.push_back("13 us: a read is stale: version 3");
  std::uint64_t kept = 0;
  for (std::uint64_t choice = 0; choice < choices; ++choice) kept += has(choice) ? 1U : 0U;
  result.counters = {{"events", nodes * operations + static_cast<std::uint64_t>(time.count()) + kept},
                     {"writes", operations},
                     {"reads", 2 * operations},
                     {"crashes", options.has(sim::fault_family::crash) ? 1U : 0U},
                     {"slowest ms", seed}};
  result.trace_hash = artillery::detail::random{seed}.next() + result.counters.front().second;
  result.choices = choices;
  return result;
}

inline simulator::room room() {
  return {.name = "made-up",
          .run = run,
          .operations = {"operations", {"writes", "reads"}},
          .head = {{"crashes"}},
          .floors = {{"crashes", 900}}};
}

/// What a command printed, and its exit code.
struct outcome {
  int code = 0;
  std::string out;
  std::string err;
};

inline outcome command(const std::vector<std::string>& words, const std::vector<simulator::room>& rooms = {room()}) {
  std::ostringstream out;
  std::ostringstream err;
  const int code = simulator::run_command(words, rooms, {out, err, false});
  return {code, out.str(), err.str()};
}

/// The words of a command as a shell would split it, behind `./dev sim`.
inline std::vector<std::string> words_behind_dev_sim(const std::string& line) {
  std::istringstream stream{line};
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  if (words.size() >= 2 && words[0] == "./dev" && words[1] == "sim") words.erase(words.begin(), words.begin() + 2);
  return words;
}

/// What is behind `label` up to the end of its line.
inline std::string line_behind(const std::string& text, const std::string& label) {
  const std::size_t at = text.find(label);
  if (at == std::string::npos) return {};
  const std::size_t begin = at + label.size();
  return text.substr(begin, text.find('\n', begin) - begin);
}

}  // namespace made_up
