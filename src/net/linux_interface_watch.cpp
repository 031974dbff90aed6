#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <asio/basic_waitable_timer.hpp>
#include <asio/error.hpp>
#include <asio/posix/basic_stream_descriptor.hpp>
#include <cerrno>
#include <chrono>
#include <utility>

#include "net/interfaces.hpp"

namespace artillery::net {
namespace {

/// Listens to the kernel's announcements (rtnetlink(7)) and only notes that there were some.
class netlink_watch final : public interface_watch, public std::enable_shared_from_this<netlink_watch> {
public:
  netlink_watch(const strand& executor, int socket, std::function<void()> changed)
      : descriptor_{executor, socket}, pause_{executor}, changed_{std::move(changed)} {}

  void close() noexcept override {
    closed_ = true;
    changed_ = nullptr;
    std::error_code ignored;
    descriptor_.close(ignored);
    pause_.cancel(ignored);
  }

  void wait() {
    // A weak reference: releasing the watch ends it.
    descriptor_.async_wait(asio::posix::descriptor_base::wait_read, [weak = weak_from_this()](std::error_code error) {
      if (auto self = weak.lock(); self && !self->closed_ && !error) self->readable();
    });
  }

private:
  void readable() {
    bool broken = false;
    const bool any = drain(broken);
    if (any) {
      const auto changed = changed_;  // the callback may close the watch and so destroy the member
      changed();
    }
    if (closed_) return;
    if (!broken) return wait();
    pause_.expires_after(std::chrono::seconds{1});
    pause_.async_wait([weak = weak_from_this()](std::error_code error) {
      if (auto self = weak.lock(); self && !self->closed_ && !error) self->wait();
    });
  }

  /// Empties the socket. True when there was something, or when so much that the kernel dropped part (ENOBUFS).
  bool drain(bool& broken) noexcept {
    bool any = false;
    std::array<std::byte, 8192> scratch;
    for (;;) {
      const auto size = ::recv(descriptor_.native_handle(), scratch.data(), scratch.size(), MSG_DONTWAIT);
      if (size > 0 || (size < 0 && errno == ENOBUFS)) {
        any = true;
      } else if (size == 0 || errno != EINTR) {
        broken = size == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
        return any;
      }
    }
  }

  asio::posix::basic_stream_descriptor<strand> descriptor_;
  asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, strand> pause_;
  std::function<void()> changed_;
  bool closed_ = false;
};

}  // namespace

std::shared_ptr<interface_watch> interface_watch::start(const strand& executor, std::function<void()> changed,
                                                        std::error_code& error) {
  error = {};
  const int socket = ::socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
  if (socket < 0 || ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    error = {errno, std::system_category()};
    if (socket >= 0) ::close(socket);
    return nullptr;
  }
  auto watch = std::make_shared<netlink_watch>(executor, socket, std::move(changed));
  watch->wait();
  return watch;
}

}  // namespace artillery::net
