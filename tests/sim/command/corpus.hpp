#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "arguments.hpp"

/// The runs that failed once: a file for each room, a line for each run. A line is the words that select the run, and
/// behind `#` what it found: `--seed 17 --faults loss  # a dirty read overtook its commit`. `--draws` notes what the
/// seed drew then: after a change of the draws it is another run, which the line does not keep any more.
namespace simulator {

struct corpus_line {
  seed_and_options run;
  std::string found;
  std::size_t number = 0;  ///< in the file
};

/// `<folder>/<room>.txt`
[[nodiscard]] std::string corpus_file(const std::string& folder, const std::string& room);
/// Throws `tool::failure` when there is no such file or a line is none.
[[nodiscard]] std::vector<corpus_line> read_corpus(const std::string& file);
[[nodiscard]] std::string corpus_text(const seed_and_options& run, const std::string& found);
void append_to_corpus(const std::string& file, const std::string& line);

}  // namespace simulator
