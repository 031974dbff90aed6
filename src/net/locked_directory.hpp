#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "artillery/bytes.hpp"

namespace artillery::net {

/// A directory that one process at a time has, with small files in it that are replaced as a whole. Implemented in
/// linux_locked_directory.cpp; another system brings its own file.
///
/// Its calls block for as long as the disk takes. Thread safety: one call at a time.
class locked_directory {
public:
  locked_directory() noexcept = default;
  locked_directory(locked_directory&& other) noexcept
      : path_{std::move(other.path_)}, handle_{std::exchange(other.handle_, -1)} {}
  locked_directory& operator=(locked_directory&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(handle_, other.handle_);
    return *this;
  }
  /// Gives the directory free.
  ~locked_directory();

  /// Opens the directory at `path`, makes it if it is not there (its parent must be), and locks it.
  /// `std::errc::device_or_resource_busy`: another process, or another object of this one, has it.
  [[nodiscard]] std::error_code open(const std::string& path);
  [[nodiscard]] bool is_open() const noexcept { return handle_ >= 0; }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

  /// All of a file; `no_such_file_or_directory` when there is none, `file_too_large` when it has more than `size_max`
  /// bytes.
  [[nodiscard]] std::error_code read(const std::string& name, std::size_t size_max, std::vector<std::byte>& into) const;
  /// Makes `slices`, one after another, what the file of this name holds: in a new file that takes the old one's place
  /// when it is on the disk. Without an error it is durable; after one the old contents are there, or the new ones.
  [[nodiscard]] std::error_code replace(const std::string& name, std::span<const bytes> slices) const;

private:
  std::string path_;
  int handle_ = -1;
};

}  // namespace artillery::net
