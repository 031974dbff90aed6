#include "control/socket_path.hpp"

#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "exit_code.hpp"

namespace tool::control {

namespace {

std::string escaped(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char one : text) {
    const auto byte = static_cast<unsigned char>(one);
    const bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
                       byte == '-' || byte == '_' || (byte == '.' && !out.empty());
    if (plain) {
      out += one;
    } else {
      out += {'%', digits[byte >> 4U], digits[byte & 15U]};
    }
  }
  return out;
}

}  // namespace

std::string default_directory() {
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  std::error_code ignored;
  if (runtime != nullptr && runtime[0] == '/' && std::filesystem::is_directory(runtime, ignored))
    return std::string{runtime} + "/artillery";
  return "/tmp/artillery-" + std::to_string(::geteuid());
}

std::string socket_file_name(std::string_view cluster, std::string_view name) {
  return escaped(name) + '@' + escaped(cluster) + ".sock";
}

std::string default_socket_path(std::string_view cluster, std::string_view name) {
  return default_directory() + '/' + socket_file_name(cluster, name);
}

void require_bindable(const std::string& path) {
  constexpr std::size_t path_max = sizeof(sockaddr_un::sun_path) - 1;
  if (!path.empty() && path.size() <= path_max) return;
  throw failure{exit_code::wrong_use, "--socket: '" + path + "' has " + std::to_string(path.size()) +
                                          " bytes; the system takes 1 to " + std::to_string(path_max) +
                                          "; choose a shorter path, or shorter --cluster and --name"};
}

void make_default_directory() {
  const std::string directory = default_directory();
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
    throw failure{exit_code::failed, "cannot make the directory " + directory + ": " +
                                         std::generic_category().message(errno) + "; --socket names another place"};
  struct stat found{};
  if (::lstat(directory.c_str(), &found) != 0)
    throw failure{exit_code::failed, "cannot look at " + directory + ": " + std::generic_category().message(errno)};
  std::string problem;
  if (!S_ISDIR(found.st_mode)) {
    problem = "is not a directory";
  } else if (found.st_uid != ::geteuid()) {
    problem = "belongs to user " + std::to_string(found.st_uid);
  } else if ((found.st_mode & 077U) != 0) {
    problem = "may be entered by others (its mode must be 0700)";
  }
  if (!problem.empty())
    throw failure{exit_code::failed, directory + " " + problem + "; remove it, or name another place by --socket"};
}

std::vector<std::string> sockets_in(const std::string& directory) {
  constexpr std::size_t shown_max = 10;
  std::vector<std::string> found;
  std::error_code error;
  for (std::filesystem::directory_iterator at{directory, error}, end; !error && at != end; at.increment(error)) {
    if (at->path().extension() == ".sock") found.push_back(at->path().string());
  }
  std::sort(found.begin(), found.end());
  if (found.size() > shown_max) found.resize(shown_max);
  return found;
}

}  // namespace tool::control
