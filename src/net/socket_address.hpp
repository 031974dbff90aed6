#pragma once

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <asio/ip/tcp.hpp>
#include <asio/ip/udp.hpp>
#include <optional>

#include "artillery/endpoint.hpp"

// Between our endpoints, Asio's and the system's.

namespace artillery::net {

/// An address as system calls take it.
struct socket_address {
  sockaddr_storage storage{};
  socklen_t size = 0;

  [[nodiscard]] sockaddr* get() noexcept { return reinterpret_cast<sockaddr*>(&storage); }
  [[nodiscard]] const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&storage); }
};

[[nodiscard]] socket_address to_socket_address(const endpoint& value) noexcept;
/// Nothing when it is of another family.
[[nodiscard]] std::optional<endpoint> from_socket_address(const sockaddr* address) noexcept;

template <class AsioEndpoint>
[[nodiscard]] AsioEndpoint to_asio(const endpoint& value) {
  if (value.is_v6()) return {asio::ip::address_v6{value.address(), value.scope()}, value.port()};
  std::array<unsigned char, 4> bytes{};
  std::copy_n(value.address().begin(), bytes.size(), bytes.begin());
  return {asio::ip::address_v4{bytes}, value.port()};
}

template <class AsioEndpoint>
[[nodiscard]] endpoint from_asio(const AsioEndpoint& value) {
  if (value.address().is_v6()) {
    const auto address = value.address().to_v6();
    return endpoint::v6(address.to_bytes(), value.port(), static_cast<std::uint32_t>(address.scope_id()));
  }
  return endpoint::v4(value.address().to_v4().to_bytes(), value.port());
}

}  // namespace artillery::net
