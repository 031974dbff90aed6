#include <ostream>

#include "commands.hpp"
#include "corpus.hpp"
#include "run_words.hpp"

namespace simulator {

int run(const corpus_arguments& given, const std::vector<room>& rooms, const console& where) {
  std::uint64_t runs = 0;
  std::uint64_t violated = 0;
  std::uint64_t changed = 0;
  for (const room& one : rooms) {
    if (!given.room.empty() && given.room != one.name) continue;
    const std::string file = corpus_file(given.folder, one.name);
    const std::vector<corpus_line> lines = read_corpus(file);
    progress shown{where, "sim corpus: " + one.name};
    std::uint64_t done = 0;
    for (const corpus_line& line : lines) {
      const auto draws = hash_of_draws(one, line.run.seed, line.run.fixed);
      if (line.run.draws && draws && *line.run.draws != *draws) {
        ++changed;
        where.out << file << ":" << line.number << ": draws another run than the one that was kept (--draws "
                  << hash_text(*draws) << " now): " << line.found << "\n";
      }
      const auto result = run_guarded(one, line.run.seed, line.run.fixed);
      shown.show(++done, lines.size(), "");
      ++runs;
      if (result.violations.empty()) continue;
      ++violated;
      where.out << file << ":" << line.number << ": " << line.found << "\n";
      for (const std::string& violation : result.violations) where.out << "  " << violation << "\n";
      where.out << "  replay: " << replay_command(one.name, line.run.seed, line.run.fixed, {}) << "\n";
    }
  }
  where.out << "sim corpus: seeds=" << runs << " violations=" << violated << " changed=" << changed << "\n"
            << std::flush;
  return violated == 0 && where.out ? sound : unsound;
}

}  // namespace simulator
