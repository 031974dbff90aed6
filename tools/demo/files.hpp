#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace demo {

/// One file, read into memory.
struct file {
  std::string key;  ///< its path below the directory
  std::string content;
  std::uint32_t checksum = 0;
};

struct collection {
  std::vector<file> files;
  std::vector<std::string> skipped;  ///< path and reason
  std::size_t bytes = 0;
};

inline constexpr std::size_t file_size_max = std::size_t{8} << 20U;
inline constexpr std::size_t files_max = 10'000;
inline constexpr std::size_t bytes_max = std::size_t{256} << 20U;

[[nodiscard]] std::uint32_t checksum_of(std::string_view content) noexcept;

/// Every regular file below `directory`, in order of their paths. Links to files are followed, each file is taken once;
/// links to directories are not. What cannot be read, or is larger than `file_size_max`, is skipped with a reason.
/// Fails (tool::failure) when the directory cannot be read, or holds nothing or too much.
[[nodiscard]] collection collect(const std::string& directory);

}  // namespace demo
