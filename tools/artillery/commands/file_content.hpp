#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tool {

/// All of standard input (`-`) or of a file. Fails when it cannot be read, or holds more than `size_max` bytes.
[[nodiscard]] std::string read_content(const std::string& file, std::size_t size_max);

/// Replaces a file. Fails when it cannot be written.
void write_content(const std::string& file, std::string_view content);

}  // namespace tool
