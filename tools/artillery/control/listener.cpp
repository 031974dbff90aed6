#include "control/listener.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "control/peer.hpp"
#include "control/socket_path.hpp"
#include "exit_code.hpp"

namespace tool::control {

namespace {

[[noreturn]] void fail(const std::string& what) {
  const int number = errno;
  throw failure{exit_code::failed, what + ": " + std::generic_category().message(number)};
}

/// What the holder of the lock wrote into it.
std::string holder_of(int lock) {
  std::array<char, 24> text{};
  const ssize_t size = ::pread(lock, text.data(), text.size(), 0);
  return size > 0 ? std::string{text.data(), static_cast<std::size_t>(size)} : std::string{"unknown"};
}

bool same_file(int descriptor, const std::string& path) {
  struct stat opened{};
  struct stat named{};
  return ::fstat(descriptor, &opened) == 0 && ::lstat(path.c_str(), &named) == 0 && opened.st_ino == named.st_ino &&
         opened.st_dev == named.st_dev;
}

}  // namespace

listener::listener(const std::string& path) : path_{path}, lock_path_{path + ".lock"} {
  require_bindable(path);
  lock();
  try {
    remove_stale();
    bind();
  } catch (const failure&) {
    ::unlink(lock_path_.c_str());  // ours: the lock is held
    throw;
  }
}

listener::~listener() {
  ::unlink(path_.c_str());
  ::unlink(lock_path_.c_str());
}

void listener::lock() {
  // A lock that its holder removed between our opening and locking it protects nothing: then the file has another
  // identity than the path, and we try again. Each round means that an agent ended at that very moment.
  constexpr int rounds_max = 16;
  for (int round = 0; round < rounds_max; ++round) {
    lock_ = file_descriptor{::open(lock_path_.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600)};
    if (!lock_) fail("cannot open " + lock_path_);
    if (::flock(lock_.number(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) fail("cannot lock " + lock_path_);
      throw failure{exit_code::failed, "an agent is already running at " + path_ + ", pid " +
                                           holder_of(lock_.number()) + "; give this one another --name or --socket"};
    }
    if (!same_file(lock_.number(), lock_path_)) continue;
    const std::string pid = std::to_string(::getpid());
    if (::ftruncate(lock_.number(), 0) != 0 || ::pwrite(lock_.number(), pid.data(), pid.size(), 0) < 0)
      fail("cannot write to " + lock_path_);
    return;
  }
  throw failure{exit_code::failed, "cannot lock " + lock_path_ + ": others start and stop there all the time"};
}

void listener::remove_stale() const {
  struct stat found{};
  if (::lstat(path_.c_str(), &found) != 0) {
    if (errno == ENOENT) return;
    fail("cannot look at " + path_);
  }
  if (!S_ISSOCK(found.st_mode))
    throw failure{exit_code::failed,
                  path_ + " is in the way and is not a socket; remove it, or choose another --socket"};
  // Nobody of ours holds the lock, but a stranger may listen.
  file_descriptor probe{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (!probe) fail("cannot make a socket");
  const sockaddr_un address = address_of(path_);
  if (::connect(probe.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 || errno == EAGAIN) {
    const auto peer = peer_of(probe.number());
    throw failure{exit_code::failed, "another program listens at " + path_ + ", pid " +
                                         (peer ? std::to_string(peer->pid) : std::string{"unknown"}) +
                                         "; choose another --socket"};
  }
  if (errno != ECONNREFUSED) fail("cannot tell whether anybody listens at " + path_);
  if (::unlink(path_.c_str()) != 0) fail("cannot remove the stale socket " + path_);
}

void listener::bind() {
  constexpr int backlog = 64;
  socket_ = file_descriptor{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (!socket_) fail("cannot make a socket");
  // Before the file exists, so that there is no moment at which others could connect.
  if (::fchmod(socket_.number(), 0600) != 0) fail("cannot restrict the socket");
  const sockaddr_un address = address_of(path_);
  if (::bind(socket_.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    fail("cannot bind the socket " + path_);
  if (::listen(socket_.number(), backlog) != 0) fail("cannot listen at " + path_);
}

}  // namespace tool::control
