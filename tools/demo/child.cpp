#include "child.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "system_failure.hpp"

namespace demo {

namespace {

/// The child's side of the fork: only what is safe there, nothing that allocates.
[[noreturn]] void become(char* const* words, int input, int output, int remarks, pid_t parent) {
  constexpr int cannot_start = 127;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(cannot_start);  // it died before the line above
  ::setpgid(0, 0);                                   // an interrupt at the terminal is ours to pass on
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::dup2(input, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(remarks, STDERR_FILENO);
  ::execv(words[0], words);
  ::_exit(cannot_start);
}

}  // namespace

child::child(const std::vector<std::string>& words, const std::string& remarks_file, input reads) {
  const auto their_input = input_of(reads);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) throw_system_error("cannot make a pipe");
  output_ = tool::control::file_descriptor{ends[0]};
  const tool::control::file_descriptor theirs{ends[1]};
  // Of the two ends only ours is non-blocking: a program does not expect that of its standard output.
  ::fcntl(theirs.number(), F_SETFL, 0);
  const tool::control::file_descriptor remarks{
      ::open(remarks_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)};
  if (!remarks) throw_system_error("cannot open " + remarks_file);
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const pid_t self = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) throw_system_error("cannot start a process");
  if (pid_ == 0) become(arguments.data(), their_input.number(), theirs.number(), remarks.number(), self);
  end_ = tool::control::file_descriptor{static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0))};
}

tool::control::file_descriptor child::input_of(input reads) {
  if (reads == input::nothing) return tool::control::file_descriptor{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw_system_error("cannot make a pipe");
  input_ = tool::control::file_descriptor{ends[1]};
  ::fcntl(input_.number(), F_SETFL, O_NONBLOCK);
  return tool::control::file_descriptor{ends[0]};
}

void child::tell(const std::string& line) const {
  const std::string whole = line + '\n';
  if (::write(input_.number(), whole.data(), whole.size()) != static_cast<ssize_t>(whole.size()))
    throw_system_error("cannot tell a process '" + line + "'");
}

child::~child() {
  if (running()) signal(SIGKILL);
  wait();
}

void child::keep_status(int status) noexcept {
  constexpr int signal_base = 128;
  result_ = WIFEXITED(status) ? WEXITSTATUS(status) : signal_base + WTERMSIG(status);
}

bool child::running() {
  int status = 0;
  if (!result_ && ::waitpid(pid_, &status, WNOHANG) == pid_) keep_status(status);
  return !result_;
}

void child::signal(int number) const {
  if (!result_) ::kill(pid_, number);
}

int child::wait() {
  int status = 0;
  while (!result_) {
    const pid_t ended = ::waitpid(pid_, &status, 0);
    if (ended == pid_) keep_status(status);
    if (ended < 0 && errno != EINTR) result_ = 0;  // there is no such child (any more)
  }
  return *result_;
}

std::optional<std::string> child::take_line() {
  std::array<char, 16'384> piece;
  while (true) {
    if (const std::size_t end = partial_.find('\n'); end != std::string::npos) {
      std::string line = partial_.substr(0, end);
      partial_.erase(0, end + 1);
      return line;
    }
    const ssize_t size = ::read(output_.number(), piece.data(), piece.size());
    if (size == 0) output_.reset();
    if (size <= 0) return std::nullopt;
    partial_.append(piece.data(), static_cast<std::size_t>(size));
  }
}

}  // namespace demo
