#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/file_descriptor.hpp"

namespace demo {

/// A process of our own: its output comes through a pipe, its remarks go to a file. It does not outlive us, however we
/// end: the kernel kills it with us, and so does the destructor.
class child {
public:
  /// What it reads from its standard input.
  enum class input : std::uint8_t {
    nothing,
    lines  ///< what `tell` says
  };

  child(const std::vector<std::string>& words, const std::string& remarks_file, input reads = input::nothing);
  child(const child&) = delete;
  child& operator=(const child&) = delete;
  ~child();

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  [[nodiscard]] bool running();
  void signal(int number) const;
  /// Waits for its end, which must be near. What it returned, or 128 and the signal that ended it.
  int wait();

  /// Of one that reads lines: gives it one. Not when it does not take them in: lines must be few and short.
  void tell(const std::string& line) const;
  /// Ends what it reads.
  void end_input() noexcept { input_.reset(); }
  /// Readable when there is output; none (-1) once its end was read.
  [[nodiscard]] int output() const noexcept { return output_.number(); }
  /// Readable for ever once the process has ended.
  [[nodiscard]] int end() const noexcept { return end_.number(); }
  /// The next whole line of its output, without waiting; nothing when none has come.
  [[nodiscard]] std::optional<std::string> take_line();

private:
  void keep_status(int status) noexcept;
  /// Its end of what it reads; ours is kept.
  [[nodiscard]] tool::control::file_descriptor input_of(input reads);

  pid_t pid_ = -1;
  std::optional<int> result_;
  tool::control::file_descriptor input_;
  tool::control::file_descriptor output_;
  tool::control::file_descriptor end_;
  std::string partial_;
};

}  // namespace demo
