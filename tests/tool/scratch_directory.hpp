#pragma once

#include <stdlib.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>

namespace tests {

/// A directory of its own for each test, gone afterwards. Short, since paths of Unix sockets are.
class scratch_directory {
public:
  scratch_directory() {
    std::string pattern = "/tmp/artillery-test-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error{"cannot make " + pattern};
    path_ = pattern;
  }
  scratch_directory(const scratch_directory&) = delete;
  scratch_directory& operator=(const scratch_directory&) = delete;
  ~scratch_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + '/' + name; }

private:
  std::string path_;
};

}  // namespace tests
