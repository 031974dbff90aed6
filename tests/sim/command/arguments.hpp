#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "artillery/clock.hpp"
#include "room.hpp"
#include "sim/run_options.hpp"

/// The command line of the simulator, checked.
namespace simulator {

enum class output_format : std::uint8_t { table, json, jsonl };

/// `chain`, `membership`, `discovery`: seed after seed.
struct seeds_arguments {
  std::string room;
  std::uint64_t seeds = 200;
  std::uint64_t first = 1;
  std::vector<std::uint64_t> named = {};  ///< just these
  bool fresh = false;
  artillery::sim::run_options fixed;
  std::vector<std::pair<std::string, double>> at_least = {};  ///< figures, and what they have to reach
  std::optional<artillery::duration> within;                  ///< no new seed after this
  std::string mutant;
  unsigned jobs = 1;
  bool hashes = false;
  std::optional<std::string> trace;  ///< a file, or - for the output
  output_format format = output_format::table;
};

/// `shrink <room> --seed S`: a failing seed made small.
struct shrink_arguments {
  std::string room;
  std::uint64_t seed = 0;
  artillery::sim::run_options fixed;
  std::string mutant;
  artillery::duration within{};
  bool keep = false;
  std::string folder;
};

/// `corpus [room]`: every seed that failed once.
struct corpus_arguments {
  std::string room;  ///< empty: all
  std::string folder;
};

/// `mutants [room]`: each planted mistake is found.
struct mutants_arguments {
  std::string room;                       ///< empty: all
  std::vector<std::string> mutants = {};  ///< empty: all
  std::uint64_t seeds_max = 10'000;
  bool record = false;  ///< the seeds that found them
  std::string folder;
  unsigned jobs = 1;
  output_format format = output_format::table;
};

using arguments = std::variant<seeds_arguments, shrink_arguments, corpus_arguments, mutants_arguments>;

/// Throws `tool::help_requested`, or `tool::failure` that names the option, what is wrong with it and what is allowed.
[[nodiscard]] arguments parse_arguments(std::vector<std::string> words, const std::vector<room>& rooms);

/// A line of the corpus: which seed, what is fixed of its run, and what it drew when it was kept (`hash_of_draws`).
struct seed_and_options {
  std::uint64_t seed = 0;
  artillery::sim::run_options fixed;
  std::optional<std::uint64_t> draws = {};
};
/// Throws `tool::failure`.
[[nodiscard]] seed_and_options parse_corpus_words(std::vector<std::string> words);

}  // namespace simulator
