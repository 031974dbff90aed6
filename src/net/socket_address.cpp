#include "net/socket_address.hpp"

#include <netinet/in.h>

#include <cstring>

namespace artillery::net {

socket_address to_socket_address(const endpoint& value) noexcept {
  socket_address result;
  if (value.is_v6()) {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(value.port());
    address.sin6_scope_id = value.scope();
    std::memcpy(&address.sin6_addr, value.address().data(), sizeof address.sin6_addr);
    std::memcpy(&result.storage, &address, sizeof address);
    result.size = sizeof address;
  } else {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(value.port());
    std::memcpy(&address.sin_addr, value.address().data(), sizeof address.sin_addr);
    std::memcpy(&result.storage, &address, sizeof address);
    result.size = sizeof address;
  }
  return result;
}

std::optional<endpoint> from_socket_address(const sockaddr* address) noexcept {
  if (address == nullptr) return std::nullopt;
  if (address->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, address, sizeof v4);
    std::array<std::uint8_t, 4> raw{};
    std::memcpy(raw.data(), &v4.sin_addr, raw.size());
    return endpoint::v4(raw, ntohs(v4.sin_port));
  }
  if (address->sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, address, sizeof v6);
    std::array<std::uint8_t, 16> raw{};
    std::memcpy(raw.data(), &v6.sin6_addr, raw.size());
    return endpoint::v6(raw, ntohs(v6.sin6_port), v6.sin6_scope_id);
  }
  return std::nullopt;
}

}  // namespace artillery::net
