#include "commands.hpp"

#include <algorithm>
#include <exception>
#include <ostream>
#include <variant>

#include "command_line.hpp"
#include "exit_code.hpp"
#include "run_words.hpp"

namespace simulator {

int run_command(const std::vector<std::string>& words, const std::vector<room>& rooms, const console& where) {
  try {
    const arguments given = parse_arguments(words, rooms);
    return std::visit([&](const auto& command) { return run(command, rooms, where); }, given);
  } catch (const tool::help_requested& help) {
    where.out << help.text << std::flush;
    return where.out ? sound : unsound;
  } catch (const tool::failure& failed) {
    where.err << "sim: " << failed.what() << "\n";
    return static_cast<int>(failed.code());
  } catch (const std::exception& unforeseen) {
    where.err << "sim: " << unforeseen.what() << "\n";
    return unsound;
  }
}

std::string replay_command(const std::string& room, std::uint64_t seed, const artillery::sim::run_options& fixed,
                           const std::string& mutant) {
  std::string command = "./dev sim " + room + " --seed " + std::to_string(seed) + words_of(fixed);
  if (!mutant.empty()) command += " --mutant " + mutant;
  return command;
}

void plant(const room& where, const std::string& mutant) {
  if (where.mutants.empty()) return;
  const auto found = std::find(where.mutants.begin(), where.mutants.end(), mutant);
  if (!mutant.empty() && found == where.mutants.end()) {
    throw tool::failure{tool::exit_code::wrong_use, where.name + " has no mutant '" + mutant + "'"};
  }
  where.plant(static_cast<std::size_t>(found - where.mutants.begin()));
}

}  // namespace simulator
