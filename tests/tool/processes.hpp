#pragma once

#include <memory>
#include <string>
#include <vector>

#include "child.hpp"
#include "tool/scratch_directory.hpp"

namespace tests {

/// What a program that ran to its end left.
struct finished {
  int code = -1;
  std::string out;
  std::string err;
};

[[nodiscard]] std::string content_of(const std::string& file);

/// Runs the artillery command with these words, `input` on its standard input, until it ends.
[[nodiscard]] finished run_command(const scratch_directory& scratch, const std::vector<std::string>& words,
                                   const std::string& input = {});

/// The next line of a process; fails the test when it ends or stays silent for ten seconds.
[[nodiscard]] std::string next_line(demo::child& process);

/// An agent as a process, ready when this is made, with its socket in a directory of its own.
class running_agent {
public:
  /// `words` come on top of those that keep it to this machine and to itself.
  explicit running_agent(const std::vector<std::string>& words = {});

  /// `artillery <words> --socket <its socket>`
  [[nodiscard]] finished command(std::vector<std::string> words, const std::string& input = {}) const;
  [[nodiscard]] const std::string& socket() const noexcept { return socket_; }
  [[nodiscard]] const scratch_directory& scratch() const noexcept { return scratch_; }
  [[nodiscard]] demo::child& process() noexcept { return *process_; }
  /// Its first line.
  [[nodiscard]] const std::string& ready() const noexcept { return ready_; }
  /// Starts another process at the same socket in place of this one, which must have ended.
  void start_again();

private:
  scratch_directory scratch_;
  std::string socket_ = scratch_.file("a.sock");
  std::vector<std::string> words_;
  std::unique_ptr<demo::child> process_;
  std::string ready_;
};

}  // namespace tests
