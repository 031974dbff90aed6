#include "known_seeds.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <vector>

#include "exit_code.hpp"
#include "notation.hpp"

namespace simulator {

namespace {

struct known_line {
  std::string text;
  std::string mutant = {};  ///< empty: a comment or nothing
  std::uint64_t seed = 0;
};

/// Throws what is wrong with it, for whoever knows where it stands.
known_line parse_known_line(const std::string& text, const room& where) {
  std::istringstream words{text.substr(0, text.find('#'))};
  known_line line{.text = text};
  if (!(words >> line.mutant)) return line;
  std::string number;
  std::string more;
  words >> number >> more;
  const auto seed = tool::parse_number(number);
  if (!seed || !more.empty()) {
    throw tool::failure{tool::exit_code::wrong_use, "'" + text + "' is not a mistake and its seed, such as: name 17"};
  }
  line.seed = *seed;
  if (std::find(where.mutants.begin(), where.mutants.end(), line.mutant) != where.mutants.end()) return line;
  std::string known;
  for (const std::string& name : where.mutants) known += ' ' + name;
  throw tool::failure{tool::exit_code::wrong_use,
                      where.name + " has no mistake '" + line.mutant + "'; it has:" + known};
}

std::vector<known_line> read_known_lines(const std::string& file, const room& where) {
  std::vector<known_line> lines;
  std::ifstream stream{file};
  if (!stream && std::filesystem::exists(file)) {
    throw tool::failure{tool::exit_code::failed, "cannot read " + file};
  }
  for (std::string text; std::getline(stream, text);) {
    const std::string place = file + ":" + std::to_string(lines.size() + 1) + ": ";
    try {
      lines.push_back(parse_known_line(text, where));
    } catch (const tool::failure& wrong) {
      throw tool::failure{wrong.code(), place + wrong.what()};
    }
    const std::string& added = lines.back().mutant;
    const auto same = [&](const known_line& line) { return !added.empty() && line.mutant == added; };
    const auto first = std::find_if(lines.begin(), lines.end() - 1, same);
    if (first == lines.end() - 1) continue;
    throw tool::failure{tool::exit_code::wrong_use, place + "'" + added + "' has a seed already, in line " +
                                                        std::to_string(first - lines.begin() + 1)};
  }
  return lines;
}

}  // namespace

std::string known_seeds_file(const std::string& folder, const std::string& room) {
  return folder + "/" + room + ".mutants.txt";
}

known_seeds read_known_seeds(const std::string& file, const room& where) {
  known_seeds seeds;
  for (const known_line& line : read_known_lines(file, where)) {
    if (!line.mutant.empty()) seeds.emplace(line.mutant, line.seed);
  }
  return seeds;
}

std::string known_seed_text(const std::string& mutant, std::uint64_t seed) {
  return mutant + " " + std::to_string(seed);
}

void write_known_seeds(const std::string& file, const room& where, const known_seeds& found) {
  std::vector<known_line> lines = read_known_lines(file, where);
  if (lines.empty()) {
    lines.push_back(
        {.text = "# Seeds of " + where.name + " that find its planted mistakes; docs/simulating.md tells more."});
  }
  for (const auto& [mutant, seed] : found) {
    const auto own = std::find_if(lines.begin(), lines.end(), [&](const auto& line) { return line.mutant == mutant; });
    known_line& line = own == lines.end() ? lines.emplace_back() : *own;
    line.text = known_seed_text(mutant, seed);
  }
  std::ofstream stream{file};
  for (const known_line& line : lines) stream << line.text << "\n";
  stream.flush();
  if (!stream) throw tool::failure{tool::exit_code::failed, "cannot write to " + file};
}

}  // namespace simulator
