#include "scratch.hpp"

#include <netinet/in.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "system_failure.hpp"

namespace demo {

namespace {

/// $TMPDIR, unless that is too long for the paths of sockets below it.
std::string temporary_directory() {
  constexpr std::size_t path_max = 64;
  const char* told = std::getenv("TMPDIR");
  return told != nullptr && told[0] == '/' && std::string_view{told}.size() <= path_max ? told : "/tmp";
}

}  // namespace

scratch_directory::scratch_directory() {
  std::string pattern = temporary_directory() + "/artillery-demo-XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) throw_system_error("cannot make the directory " + pattern);
  path_ = pattern;
}

scratch_directory::~scratch_directory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

tool::control::file_descriptor interrupts() {
  sigset_t wanted;
  ::sigemptyset(&wanted);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&wanted, number);
  if (::sigprocmask(SIG_BLOCK, &wanted, nullptr) != 0) throw_system_error("cannot block signals");
  tool::control::file_descriptor made{::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK)};
  if (!made) throw_system_error("cannot watch for signals");
  return made;
}

std::uint16_t free_discovery_port() {
  constexpr std::uint16_t first = 30'000;
  constexpr std::uint16_t end = 32'768;  // from here on Linux gives ports away, to sockets that do not share them
  const auto start = static_cast<std::uint16_t>(::getpid() % (end - first));
  for (std::uint16_t i = 0; i < end - first; ++i) {
    const auto port = static_cast<std::uint16_t>(first + (start + i) % (end - first));
    const tool::control::file_descriptor probe{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    if (!probe) break;
    if (::bind(probe.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return port;
  }
  throw_system_error("cannot find a free port");
}

std::string command_beside_us() {
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe");
  return (self.parent_path().parent_path() / "artillery" / "artillery").string();
}

}  // namespace demo
