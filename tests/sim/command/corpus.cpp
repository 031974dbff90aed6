#include "corpus.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>

#include "exit_code.hpp"
#include "run_words.hpp"

namespace simulator {

namespace {

std::string trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(' ');
  return begin == std::string::npos ? std::string{} : text.substr(begin, text.find_last_not_of(' ') + 1 - begin);
}

std::vector<std::string> words_in(const std::string& text) {
  std::istringstream stream{text};
  return {std::istream_iterator<std::string>{stream}, {}};
}

}  // namespace

std::string corpus_file(const std::string& folder, const std::string& room) {
  return folder + "/" + room + ".txt";
}

std::vector<corpus_line> read_corpus(const std::string& file) {
  std::ifstream stream{file};
  if (!stream) throw tool::failure{tool::exit_code::wrong_use, "there is no corpus " + file};
  std::vector<corpus_line> lines;
  std::size_t number = 0;
  for (std::string text; std::getline(stream, text);) {
    ++number;
    const std::size_t sign = text.find('#');
    const std::vector<std::string> words = words_in(text.substr(0, sign));
    if (words.empty()) continue;
    const std::string found = sign == std::string::npos ? std::string{} : trimmed(text.substr(sign + 1));
    try {
      lines.push_back({parse_corpus_words(words), found, number});
    } catch (const tool::failure& wrong) {
      throw tool::failure{wrong.code(), file + ":" + std::to_string(number) + ": " + wrong.what()};
    }
  }
  return lines;
}

std::string corpus_text(const seed_and_options& run, const std::string& found) {
  std::string comment = found;
  std::replace(comment.begin(), comment.end(), '\n', ' ');
  const std::string draws = run.draws ? " --draws " + hash_text(*run.draws) : "";
  return "--seed " + std::to_string(run.seed) + words_of(run.fixed) + draws + "  # " + comment;
}

void append_to_corpus(const std::string& file, const std::string& line) {
  std::ofstream stream{file, std::ios::app};
  stream << line << "\n" << std::flush;
  if (!stream) throw tool::failure{tool::exit_code::failed, "cannot write to " + file};
}

}  // namespace simulator
