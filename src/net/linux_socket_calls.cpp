#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>

#include "net/socket_address.hpp"
#include "net/socket_calls.hpp"

namespace artillery::net {
namespace {

// One datagram is gathered from at most this many pieces; more are first put together.
constexpr std::size_t pieces_max = 16;
constexpr std::size_t datagram_max = 65'535;

std::error_code last_error() noexcept {
  return {errno, std::system_category()};
}

template <class Value>
std::error_code set(int socket, int level, int name, const Value& value) noexcept {
  return ::setsockopt(socket, level, name, &value, sizeof value) == 0 ? std::error_code{} : last_error();
}

int family_of(int socket) noexcept {
  int family = AF_UNSPEC;
  socklen_t size = sizeof family;
  ::getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &family, &size);
  return family;
}

std::error_code prepare_v4(int socket, const datagram_options& options) noexcept {
  // Without this a socket hears every group that any program on the machine has joined.
  if (auto error = set(socket, IPPROTO_IP, IP_MULTICAST_ALL, 0)) return error;
  if (auto error = set(socket, IPPROTO_IP, IP_MULTICAST_LOOP, options.multicast_loop ? 1 : 0)) return error;
  if (auto error = set(socket, IPPROTO_IP, IP_MULTICAST_TTL, int{options.multicast_hops})) return error;
  if (options.multicast_interface != 0) {
    ip_mreqn request{};
    request.imr_ifindex = static_cast<int>(options.multicast_interface);
    if (auto error = set(socket, IPPROTO_IP, IP_MULTICAST_IF, request)) return error;
  }
  return options.arrival ? set(socket, IPPROTO_IP, IP_PKTINFO, 1) : std::error_code{};
}

std::error_code prepare_v6(int socket, const datagram_options& options) noexcept {
  // One socket per family, always: v4-mapped addresses would give a peer two names.
  if (auto error = set(socket, IPPROTO_IPV6, IPV6_V6ONLY, 1)) return error;
#ifdef IPV6_MULTICAST_ALL
  if (auto error = set(socket, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0)) return error;
#endif
  if (auto error = set(socket, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, options.multicast_loop ? 1 : 0)) return error;
  if (auto error = set(socket, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, int{options.multicast_hops})) return error;
  if (options.multicast_interface != 0) {
    const int index = static_cast<int>(options.multicast_interface);
    if (auto error = set(socket, IPPROTO_IPV6, IPV6_MULTICAST_IF, index)) return error;
  }
  return options.arrival ? set(socket, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) : std::error_code{};
}

int clamp_to_int(std::size_t value) noexcept {
  return static_cast<int>(std::min(value, static_cast<std::size_t>(std::numeric_limits<int>::max())));
}

std::error_code change_group(int socket, const endpoint& group, std::uint32_t interface, bool join) noexcept {
  group_req request{};
  request.gr_interface = interface;
  const auto address = to_socket_address(group);
  std::memcpy(&request.gr_group, &address.storage, sizeof request.gr_group);
  return set(socket, group.is_v6() ? IPPROTO_IPV6 : IPPROTO_IP, join ? MCAST_JOIN_GROUP : MCAST_LEAVE_GROUP, request);
}

void read_arrival(msghdr& message, received_datagram& result) noexcept {
  for (auto* item = CMSG_FIRSTHDR(&message); item != nullptr; item = CMSG_NXTHDR(&message, item)) {
    if (item->cmsg_level == IPPROTO_IP && item->cmsg_type == IP_PKTINFO) {
      in_pktinfo info{};
      std::memcpy(&info, CMSG_DATA(item), sizeof info);
      std::array<std::uint8_t, 4> raw{};
      std::memcpy(raw.data(), &info.ipi_addr, raw.size());
      result.destination = endpoint::v4(raw, 0);
      result.interface = static_cast<std::uint32_t>(info.ipi_ifindex);
    } else if (item->cmsg_level == IPPROTO_IPV6 && item->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo info{};
      std::memcpy(&info, CMSG_DATA(item), sizeof info);
      std::array<std::uint8_t, 16> raw{};
      std::memcpy(raw.data(), &info.ipi6_addr, raw.size());
      result.destination = endpoint::v6(raw, 0);
      result.interface = info.ipi6_ifindex;
    }
  }
}

}  // namespace

std::error_code prepare_datagram_socket(int socket, const datagram_options& options) noexcept {
  if (options.share_port)
    if (auto error = set(socket, SOL_SOCKET, SO_REUSEADDR, 1)) return error;
  if (options.broadcast)
    if (auto error = set(socket, SOL_SOCKET, SO_BROADCAST, 1)) return error;
  // Buffer sizes are wishes: a refusal is no reason not to start.
  if (options.receive_buffer != 0)
    static_cast<void>(set(socket, SOL_SOCKET, SO_RCVBUF, clamp_to_int(options.receive_buffer)));
  if (options.send_buffer != 0)
    static_cast<void>(set(socket, SOL_SOCKET, SO_SNDBUF, clamp_to_int(options.send_buffer)));
  return family_of(socket) == AF_INET6 ? prepare_v6(socket, options) : prepare_v4(socket, options);
}

std::error_code join_group(int socket, const endpoint& group, std::uint32_t interface) noexcept {
  return change_group(socket, group, interface, true);
}

std::error_code leave_group(int socket, const endpoint& group, std::uint32_t interface) noexcept {
  return change_group(socket, group, interface, false);
}

std::error_code receive_datagram(int socket, std::span<std::byte> space, received_datagram& result) noexcept {
  alignas(cmsghdr) std::array<std::byte, 128> control;
  sockaddr_storage source{};
  iovec piece{space.data(), space.size()};
  msghdr message{};
  message.msg_name = &source;
  message.msg_namelen = sizeof source;
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t size = 0;
  do {
    size = ::recvmsg(socket, &message, MSG_DONTWAIT);
  } while (size < 0 && errno == EINTR);
  if (size < 0) return last_error();
  result = {};
  result.size = static_cast<std::size_t>(size);
  result.truncated = (message.msg_flags & MSG_TRUNC) != 0;
  result.from = from_socket_address(reinterpret_cast<const sockaddr*>(&source)).value_or(endpoint{});
  read_arrival(message, result);
  return {};
}

std::error_code send_datagram(int socket, const endpoint& to, bytes_view header, std::span<const bytes> body) noexcept {
  std::array<iovec, pieces_max> pieces;
  std::array<std::byte, datagram_max> together;
  std::size_t count = 0;
  // The kernel reads these only, but its interface has no const.
  const auto add = [&](bytes_view piece) {
    if (!piece.empty()) pieces[count++] = {const_cast<std::byte*>(piece.data()), piece.size()};
  };
  add(header);
  if (body.size() < pieces_max) {
    for (const auto& piece : body) add(piece);
  } else {
    std::size_t used = 0;
    for (const auto& piece : body) {
      if (piece.size() > together.size() - used) return std::make_error_code(std::errc::message_size);
      std::copy_n(piece.data(), piece.size(), together.data() + used);
      used += piece.size();
    }
    add(bytes_view{together}.first(used));
  }
  auto address = to_socket_address(to);
  msghdr message{};
  message.msg_name = &address.storage;
  message.msg_namelen = address.size;
  message.msg_iov = pieces.data();
  message.msg_iovlen = count;
  while (::sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
    if (errno != EINTR) return last_error();
  return {};
}

}  // namespace artillery::net
