#include "membership/member_snapshot_binding.hpp"

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <utility>

#include "artillery/bytes.hpp"
#include "artillery/error.hpp"
#include "base/crc32c.hpp"
#include "base/wire.hpp"

namespace artillery::membership {
namespace {

constexpr std::string_view title = "artillery members ";
constexpr std::string_view format = "1";
/// More than a table of members that is as large as it may be needs.
constexpr std::uintmax_t size_max = std::uintmax_t{8} << 20U;

std::error_code last_error() {
  return {errno != 0 ? errno : EIO, std::generic_category()};
}

std::string checksum_line(std::string_view text) {
  return "checksum " + std::to_string(detail::crc32c(as_bytes(text))) + "\n";
}

/// A cluster's name may be any bytes.
std::string cluster_line(const std::string& cluster) {
  return "cluster " + std::to_string(detail::cluster_tag(cluster));
}

/// The next line of `text`, taken off it; nothing where it does not end.
bool take_line(std::string_view& text, std::string_view& line) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return false;
  line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return true;
}

std::error_code parse(std::string_view text, const std::string& cluster, std::vector<endpoint>& into) {
  std::string_view line;
  std::string_view rest = text;
  if (!take_line(rest, line) || !line.starts_with(title)) return errc::damaged_data;
  if (line.substr(title.size()) != format) return errc::newer_format;
  const std::size_t last = text.rfind("checksum ");
  if (last == std::string_view::npos || text.substr(last) != checksum_line(text.substr(0, last))) {
    return errc::damaged_data;
  }
  if (!take_line(rest, line)) return errc::damaged_data;
  if (line != cluster_line(cluster)) return errc::foreign_data;
  while (take_line(rest, line) && !line.starts_with("checksum ")) {
    const auto at = parse_endpoint(line);
    if (!at || at->none()) return errc::damaged_data;
    into.push_back(*at);
  }
  return {};
}

}  // namespace

std::error_code read_snapshot(const std::string& path, const std::string& cluster, std::vector<endpoint>& into) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error) return error;
  if (size > size_max) return errc::damaged_data;
  std::ifstream in{path, std::ios::binary};
  std::string text(static_cast<std::size_t>(size), '\0');
  errno = 0;
  if (!in.read(text.data(), static_cast<std::streamsize>(text.size()))) return last_error();
  std::vector<endpoint> found;
  error = parse(text, cluster, found);
  if (!error) into = std::move(found);
  return error;
}

std::error_code write_snapshot(const std::string& path, const std::string& cluster,
                               const std::vector<endpoint>& members) {
  std::string text = std::string{title} + std::string{format} + "\n" + cluster_line(cluster) + "\n";
  for (const endpoint& at : members) text += to_string(at) + "\n";
  text += checksum_line(text);
  const std::string next = path + ".new";
  errno = 0;
  {
    std::ofstream out{next, std::ios::binary | std::ios::trunc};
    out.write(text.data(), static_cast<std::streamsize>(text.size()));
    out.close();
    if (!out) return last_error();
  }
  std::error_code error;
  std::filesystem::rename(next, path, error);
  return error;
}

}  // namespace artillery::membership
