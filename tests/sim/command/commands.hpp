#pragma once

#include <string>
#include <vector>

#include "arguments.hpp"
#include "console.hpp"
#include "room.hpp"

namespace simulator {

/// Exit codes: all is well; a violation, or less work than stated; wrong use.
constexpr int sound = 0;
constexpr int unsound = 1;

/// Runs the command that `words` are, and returns its exit code.
[[nodiscard]] int run_command(const std::vector<std::string>& words, const std::vector<room>& rooms,
                              const console& where);

[[nodiscard]] int run(const seeds_arguments& given, const std::vector<room>& rooms, const console& where);
[[nodiscard]] int run(const shrink_arguments& given, const std::vector<room>& rooms, const console& where);
[[nodiscard]] int run(const corpus_arguments& given, const std::vector<room>& rooms, const console& where);
[[nodiscard]] int run(const mutants_arguments& given, const std::vector<room>& rooms, const console& where);

/// The command that runs this seed again.
[[nodiscard]] std::string replay_command(const std::string& room, std::uint64_t seed,
                                         const artillery::sim::run_options& fixed, const std::string& mutant);

/// Plants a mistake for the rest of the process; none when `mutant` is empty.
void plant(const room& where, const std::string& mutant);

}  // namespace simulator
