#include "commands/file_content.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "control/file_descriptor.hpp"
#include "exit_code.hpp"

namespace tool {

namespace {

[[noreturn]] void fail(const std::string& doing, const std::string& file) {
  const int number = errno;
  throw failure{exit_code::failed, "cannot " + doing + ' ' + file + ": " + std::generic_category().message(number)};
}

}  // namespace

std::string read_content(const std::string& file, std::size_t size_max) {
  const bool is_input = file == "-";
  const std::string shown = is_input ? "standard input" : file;
  control::file_descriptor opened{is_input ? -1 : ::open(file.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!is_input && !opened) fail("open", shown);
  std::string content;
  std::array<char, std::size_t{64} << 10U> piece;
  while (true) {
    const ssize_t size = ::read(is_input ? STDIN_FILENO : opened.number(), piece.data(), piece.size());
    if (size == 0) return content;
    if (size < 0 && errno != EINTR) fail("read", shown);
    if (size < 0) continue;
    content.append(piece.data(), static_cast<std::size_t>(size));
    if (content.size() > size_max)
      throw failure{exit_code::failed,
                    shown + " holds more than the " + std::to_string(size_max) + " bytes that a value can have"};
  }
}

void write_content(const std::string& file, std::string_view content) {
  control::file_descriptor opened{::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)};
  if (!opened) fail("open", file);
  while (!content.empty()) {
    const ssize_t size = ::write(opened.number(), content.data(), content.size());
    if (size < 0 && errno != EINTR) fail("write", file);
    if (size > 0) content.remove_prefix(static_cast<std::size_t>(size));
  }
  if (::close(opened.release()) != 0) fail("write", file);
}

}  // namespace tool
