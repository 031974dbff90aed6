#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "net/locked_directory.hpp"

namespace artillery::net {
namespace {

constexpr mode_t directory_mode = 0755;
constexpr mode_t file_mode = 0644;

std::error_code last_file_error() noexcept {
  return {errno, std::system_category()};
}

/// A file's handle that is closed at the end of its scope.
class open_file {
public:
  explicit open_file(int handle) noexcept : handle_{handle} {}
  open_file(const open_file&) = delete;
  open_file& operator=(const open_file&) = delete;
  ~open_file() {
    if (handle_ >= 0) ::close(handle_);
  }
  [[nodiscard]] int handle() const noexcept { return handle_; }

private:
  int handle_;
};

std::error_code write_all(int file, bytes_view contents) noexcept {
  while (!contents.empty()) {
    const ssize_t written = ::write(file, contents.data(), contents.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return last_file_error();
    contents = contents.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace

locked_directory::~locked_directory() {
  if (handle_ >= 0) ::close(handle_);  // and with it the lock
}

std::error_code locked_directory::open(const std::string& path) {
  if (::mkdir(path.c_str(), directory_mode) != 0 && errno != EEXIST) return last_file_error();
  locked_directory opened;
  opened.handle_ = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (opened.handle_ < 0) return last_file_error();
  if (::flock(opened.handle_, LOCK_EX | LOCK_NB) != 0) {
    const bool is_taken = errno == EWOULDBLOCK;
    return is_taken ? std::make_error_code(std::errc::device_or_resource_busy) : last_file_error();
  }
  opened.path_ = path;
  *this = std::move(opened);
  return {};
}

std::error_code locked_directory::read(const std::string& name, std::size_t size_max,
                                       std::vector<std::byte>& into) const {
  const open_file file{::openat(handle_, name.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.handle() < 0) return last_file_error();
  into.resize(size_max + 1);
  std::size_t size = 0;
  while (size < into.size()) {
    const ssize_t count = ::read(file.handle(), into.data() + size, into.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return last_file_error();
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
  }
  if (size > size_max) return std::make_error_code(std::errc::file_too_large);
  into.resize(size);
  return {};
}

std::error_code locked_directory::replace(const std::string& name, std::span<const bytes> slices) const {
  const std::string fresh = name + ".new";
  const open_file file{::openat(handle_, fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, file_mode)};
  if (file.handle() < 0) return last_file_error();
  for (const bytes& slice : slices) {
    if (const auto error = write_all(file.handle(), slice.view())) return error;
  }
  if (::fsync(file.handle()) != 0) return last_file_error();
  if (::renameat(handle_, fresh.c_str(), handle_, name.c_str()) != 0) return last_file_error();
  // The name, too, must be on the disk.
  return ::fsync(handle_) == 0 ? std::error_code{} : last_file_error();
}

}  // namespace artillery::net
