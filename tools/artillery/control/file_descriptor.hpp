#pragma once

#include <unistd.h>

#include <utility>

namespace tool::control {

/// Owns one file descriptor.
class file_descriptor {
public:
  file_descriptor() noexcept = default;
  explicit file_descriptor(int number) noexcept : number_{number} {}
  file_descriptor(file_descriptor&& other) noexcept : number_{std::exchange(other.number_, -1)} {}
  file_descriptor& operator=(file_descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~file_descriptor() {
    if (number_ >= 0) ::close(number_);
  }

  explicit operator bool() const noexcept { return number_ >= 0; }
  [[nodiscard]] int number() const noexcept { return number_; }
  /// Gives it away.
  [[nodiscard]] int release() noexcept { return std::exchange(number_, -1); }
  void reset() noexcept { *this = file_descriptor{}; }

private:
  int number_ = -1;
};

}  // namespace tool::control
