#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "control/file_descriptor.hpp"

namespace demo {

/// A process of our own: its output comes through a pipe, its remarks go to a file. It does not outlive us, however we
/// end: the kernel kills it with us, and so does the destructor.
class child {
public:
  child(const std::vector<std::string>& words, const std::string& remarks_file);
  child(const child&) = delete;
  child& operator=(const child&) = delete;
  ~child();

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  [[nodiscard]] bool running();
  void signal(int number) const;
  /// Waits for its end, which must be near. What it returned, or 128 and the signal that ended it.
  int wait();

  /// Readable when there is output; none (-1) once its end was read.
  [[nodiscard]] int output() const noexcept { return output_.number(); }
  /// Readable for ever once the process has ended.
  [[nodiscard]] int end() const noexcept { return end_.number(); }
  /// The next whole line of its output, without waiting; nothing when none has come.
  [[nodiscard]] std::optional<std::string> take_line();

private:
  void keep_status(int status) noexcept;

  pid_t pid_ = -1;
  std::optional<int> result_;
  tool::control::file_descriptor output_;
  tool::control::file_descriptor end_;
  std::string partial_;
};

}  // namespace demo
