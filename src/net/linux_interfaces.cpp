#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

#include "net/interfaces.hpp"
#include "net/socket_address.hpp"

namespace artillery::net {
namespace {

std::uint8_t prefix_of(const sockaddr* netmask) noexcept {
  const auto mask = from_socket_address(netmask);
  if (!mask) return 0;
  int bits = 0;
  for (auto byte : mask->address()) bits += std::popcount(byte);
  return static_cast<std::uint8_t>(bits);
}

network_interface& entry_for(std::vector<network_interface>& found, const ifaddrs& item) {
  const auto same_name = [&](const network_interface& one) { return one.name == item.ifa_name; };
  if (auto at = std::find_if(found.begin(), found.end(), same_name); at != found.end()) return *at;
  auto& fresh = found.emplace_back();
  fresh.name = item.ifa_name;
  fresh.index = ::if_nametoindex(item.ifa_name);
  fresh.up = (item.ifa_flags & IFF_UP) != 0;
  fresh.running = (item.ifa_flags & IFF_RUNNING) != 0;
  fresh.loopback = (item.ifa_flags & IFF_LOOPBACK) != 0;
  fresh.multicast = (item.ifa_flags & IFF_MULTICAST) != 0;
  fresh.point_to_point = (item.ifa_flags & IFF_POINTOPOINT) != 0;
  return fresh;
}

}  // namespace

std::vector<network_interface> list_interfaces(std::error_code& error) {
  error = {};
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) {
    error = {errno, std::system_category()};
    return {};
  }
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner{first, &::freeifaddrs};
  std::vector<network_interface> found;
  for (const auto* item = first; item != nullptr; item = item->ifa_next) {
    auto& entry = entry_for(found, *item);
    const auto address = from_socket_address(item->ifa_addr);
    if (!address) continue;  // a link-layer entry
    interface_address one;
    one.address = address->with_port(0);
    one.prefix_length = prefix_of(item->ifa_netmask);
    if (!address->is_v6() && (item->ifa_flags & IFF_BROADCAST) != 0)
      if (auto broadcast = from_socket_address(item->ifa_broadaddr)) one.broadcast = broadcast->with_port(0);
    entry.addresses.push_back(one);
  }
  // An interface may have vanished between the two calls; it then has no index.
  std::erase_if(found, [](const network_interface& one) { return one.index == 0; });
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.index < b.index; });
  for (auto& one : found)
    std::sort(one.addresses.begin(), one.addresses.end(),
              [](const auto& a, const auto& b) { return a.address < b.address; });
  return found;
}

endpoint outgoing_address(bool v6) {
  const endpoint none = v6 ? endpoint::v6({}, 0) : endpoint::v4(0, 0, 0, 0, 0);
  // Connecting a datagram socket looks the route up, and does no more (udp(7)). Addresses of documentation: nobody's.
  const endpoint far = v6 ? *parse_endpoint("[2001:db8::1]:9") : endpoint::v4(192, 0, 2, 1, 9);
  const int socket = ::socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return none;
  const socket_address to = to_socket_address(far);
  sockaddr_storage own{};
  socklen_t size = sizeof own;
  const bool found =
      ::connect(socket, to.get(), to.size) == 0 && ::getsockname(socket, reinterpret_cast<sockaddr*>(&own), &size) == 0;
  ::close(socket);
  const auto at = found ? from_socket_address(reinterpret_cast<const sockaddr*>(&own)) : std::nullopt;
  return at && !at->is_loopback() && at->scope() == 0 ? at->with_port(0) : none;
}

}  // namespace artillery::net
