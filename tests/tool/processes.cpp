#include "tool/processes.hpp"

#include <poll.h>

#include <fstream>
#include <iterator>
#include <stdexcept>

namespace tests {

std::string content_of(const std::string& file) {
  std::ifstream stream{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{stream}, std::istreambuf_iterator<char>{}};
}

finished run_command(const scratch_directory& scratch, const std::vector<std::string>& words,
                     const std::string& input) {
  const std::string in = scratch.file("in");
  const std::string out = scratch.file("out");
  const std::string err = scratch.file("err");
  std::ofstream{in, std::ios::binary} << input;
  std::vector<std::string> all{
      "/bin/sh",        "-c", R"(in=$1 out=$2 err=$3; shift 3; exec "$@" <"$in" >"$out" 2>"$err")", "sh", in, out, err,
      ARTILLERY_COMMAND};
  all.insert(all.end(), words.begin(), words.end());
  demo::child process{all, scratch.file("shell")};
  const int code = process.wait();
  return {code, content_of(out), content_of(err)};
}

std::string next_line(demo::child& process) {
  constexpr int patience_milliseconds = 10'000;
  while (true) {
    if (auto line = process.take_line()) return *line;
    pollfd one{process.output(), POLLIN, 0};
    if (one.fd < 0) throw std::runtime_error{"the process ended"};
    if (::poll(&one, 1, patience_milliseconds) != 1) throw std::runtime_error{"the process stays silent"};
  }
}

running_agent::running_agent(const std::vector<std::string>& words)
    : words_{ARTILLERY_COMMAND, "agent", "--no-discovery", "--socket", socket_, "-o", "jsonl"} {
  words_.insert(words_.end(), words.begin(), words.end());
  start_again();
}

void running_agent::start_again() {
  process_ = std::make_unique<demo::child>(words_, scratch_.file("remarks"));
  try {
    ready_ = next_line(*process_);
  } catch (const std::runtime_error& silent) {
    throw std::runtime_error{std::string{silent.what()} + "; it said: " + content_of(scratch_.file("remarks"))};
  }
}

finished running_agent::command(std::vector<std::string> words, const std::string& input) const {
  words.insert(words.end(), {"--socket", socket_});
  return run_command(scratch_, words, input);
}

}  // namespace tests
