#include "files.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include "artillery/bytes.hpp"
#include "artillery/replication/types.hpp"
#include "base/crc32c.hpp"
#include "commands/file_content.hpp"
#include "exit_code.hpp"

namespace demo {

namespace {

namespace fs = std::filesystem;

/// All paths below `directory`, links behind what is no link, so that a file is known by its own name.
std::vector<fs::path> paths_below(const fs::path& directory) {
  std::vector<fs::path> plain;
  std::vector<fs::path> links;
  std::error_code error;
  fs::recursive_directory_iterator at{directory, fs::directory_options::skip_permission_denied, error};
  for (; !error && at != fs::recursive_directory_iterator{}; at.increment(error)) {
    std::error_code ignored;
    if (fs::is_regular_file(at->path(), ignored)) (at->is_symlink(ignored) ? links : plain).push_back(at->path());
  }
  if (error)
    throw tool::failure{tool::exit_code::wrong_use,
                        "cannot read the directory " + directory.string() + ": " + error.message()};
  std::sort(plain.begin(), plain.end());
  std::sort(links.begin(), links.end());
  plain.insert(plain.end(), links.begin(), links.end());
  return plain;
}

std::string reason_to_skip(const std::string& key, const struct stat& found) {
  if (static_cast<std::size_t>(found.st_size) > file_size_max) return "larger than 8 MiB";
  if (key.size() > artillery::replication::key_size_max) return "its path is too long for a key";
  return {};
}

}  // namespace

std::uint32_t checksum_of(std::string_view content) noexcept {
  return artillery::detail::crc32c(artillery::as_bytes(content));
}

collection collect(const std::string& directory) {
  collection all;
  std::set<std::pair<dev_t, ino_t>> seen;
  for (const fs::path& path : paths_below(directory)) {
    struct stat found{};
    const std::string key = path.lexically_relative(directory).string();
    if (::stat(path.c_str(), &found) != 0 || !seen.emplace(found.st_dev, found.st_ino).second) continue;
    if (std::string reason = reason_to_skip(key, found); !reason.empty()) {
      all.skipped.push_back(key + ": " + reason);
      continue;
    }
    try {
      file read{key, tool::read_content(path.string(), file_size_max)};
      read.checksum = checksum_of(read.content);
      all.bytes += read.content.size();
      all.files.push_back(std::move(read));
    } catch (const tool::failure& failed) {
      all.skipped.emplace_back(failed.what());
    }
    if (all.files.size() > files_max || all.bytes > bytes_max)
      throw tool::failure{tool::exit_code::wrong_use,
                          directory + " holds too much for a demo; at most 10,000 files and 256 MiB are allowed"};
  }
  if (all.files.empty())
    throw tool::failure{tool::exit_code::wrong_use, "there is no readable file below " + directory};
  return all;
}

}  // namespace demo
