#include "control/client.hpp"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <system_error>
#include <utility>

#include "control/peer.hpp"
#include "control/reply.hpp"
#include "control/socket_path.hpp"
#include "exit_code.hpp"

namespace tool::control {

namespace {

/// The agent keeps to the deadline itself; this much longer is waited for its saying so.
constexpr artillery::duration grace = std::chrono::seconds{2};
/// poll takes an int of milliseconds; longer waits are made of several.
constexpr std::chrono::milliseconds wait_max = std::chrono::hours{1};

std::string hint_for(const std::string& path) {
  const auto others = sockets_in(std::filesystem::path{path}.parent_path().string());
  if (others.empty()) return "; `artillery agent` starts one";
  std::string hint = "; sockets there:";
  for (const std::string& other : others) hint += "\n  " + other;
  return hint;
}

std::string reason_for(int number) {
  if (number == ENOENT || number == ECONNREFUSED) return "no agent is running there";
  return std::generic_category().message(number);
}

void require_trusted(int socket, const std::string& path) {
  const auto peer = peer_of(socket);
  if (peer && (peer->uid == ::geteuid() || peer->uid == 0 || ::geteuid() == 0)) return;
  throw failure{exit_code::unreachable, "the agent at " + path + " belongs to another user; it is not talked to"};
}

}  // namespace

client::client(const std::string& path)
    : path_{path},
      socket_{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)},
      decoder_{decoder::limits{reply_line_max, body_max}} {
  require_bindable(path);
  const sockaddr_un address = address_of(path);
  if (!socket_ || ::connect(socket_.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int number = errno;
    throw failure{exit_code::unreachable,
                  "cannot reach an agent at " + path + ": " + reason_for(number) + hint_for(path)};
  }
  require_trusted(socket_.number(), path);
}

void client::wait_for(int descriptor, short events, artillery::time_point deadline) const {
  using std::chrono::milliseconds;
  while (true) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - artillery::clock::now());
    std::array<pollfd, 2> both{{{descriptor, events, 0}, {interrupt_, POLLIN, 0}}};
    const int ready =
        ::poll(both.data(), both.size(), static_cast<int>(std::clamp(left, milliseconds{0}, wait_max).count()));
    if (both[1].revents != 0) throw failure{exit_code::failed, "interrupted"};
    if (ready > 0) return;
    if (ready < 0 && errno != EINTR)
      throw failure{exit_code::failed, "cannot wait for the agent: " + std::generic_category().message(errno)};
    if (ready == 0 && left.count() <= 0)
      throw failure{exit_code::timed_out, "the agent at " + path_ + " gave no answer in time"};
  }
}

void client::send(std::string_view bytes, artillery::time_point deadline) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      wait_for(socket_.number(), POLLOUT, deadline);
    } else if (errno != EINTR) {
      // It may have answered before it closed: the reply says more than the broken pipe.
      return;
    }
  }
}

message client::receive(artillery::time_point deadline) {
  std::array<char, std::size_t{64} << 10U> piece;
  while (true) {
    try {
      if (auto whole = decoder_.next()) return std::move(*whole);
    } catch (const malformed& error) {
      throw failure{exit_code::failed, "what listens at " + path_ + " does not speak like an agent: " + error.what()};
    }
    const ssize_t size = ::recv(socket_.number(), piece.data(), piece.size(), 0);
    if (size > 0) {
      decoder_.feed({piece.data(), static_cast<std::size_t>(size)});
    } else if (size < 0 && errno == EAGAIN) {
      wait_for(socket_.number(), POLLIN, deadline);
    } else if (size == 0 || errno != EINTR) {
      throw failure{exit_code::unreachable, "the agent at " + path_ + " went away without an answer"};
    }
  }
}

bool client::wait_for_end(artillery::time_point deadline) {
  const auto peer = peer_of(socket_.number());
  const file_descriptor process{peer ? static_cast<int>(::syscall(SYS_pidfd_open, peer->pid, 0)) : -1};
  try {
    if (process) {
      wait_for(process.number(), POLLIN, deadline);
      return true;
    }
    while (true) (void)receive(deadline);
  } catch (const failure& failed) {
    if (failed.code() == exit_code::unreachable) return true;
    if (failed.code() == exit_code::timed_out) return false;
    throw;
  }
}

message client::request(nlohmann::json head, artillery::duration timeout) {
  return exchange(encode(with_deadline(std::move(head), timeout)), timeout);
}

message client::request(nlohmann::json head, std::string_view body, artillery::duration timeout) {
  return exchange(encode(with_deadline(std::move(head), timeout), body), timeout);
}

message client::exchange(const std::string& bytes, artillery::duration timeout) {
  const artillery::time_point deadline = artillery::clock::now() + timeout + grace;
  send(bytes, deadline);
  message reply = receive(deadline);
  require_ok(reply.head);
  return reply;
}

}  // namespace tool::control
