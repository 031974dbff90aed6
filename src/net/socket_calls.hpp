#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <system_error>

#include "artillery/bytes.hpp"
#include "artillery/endpoint.hpp"
#include "net/datagram_options.hpp"

// What Asio has no call for. Implemented in linux_socket_calls.cpp; another system brings its own file.

namespace artillery::net {

/// Sets what `options` asks of a fresh, unbound datagram socket.
[[nodiscard]] std::error_code prepare_datagram_socket(int socket, const datagram_options& options) noexcept;

/// Joins a multicast group on one interface.
[[nodiscard]] std::error_code join_group(int socket, const endpoint& group, std::uint32_t interface) noexcept;
[[nodiscard]] std::error_code leave_group(int socket, const endpoint& group, std::uint32_t interface) noexcept;

/// A datagram as it came.
struct received_datagram {
  std::size_t size = 0;
  endpoint from;
  endpoint destination;         ///< the address it was sent to (port 0), if arrival was asked for
  std::uint32_t interface = 0;  ///< index of the interface it came in by, if arrival was asked for
  bool truncated = false;       ///< it was longer than the space
};

/// Takes one datagram without blocking; `operation_would_block` when there is none.
[[nodiscard]] std::error_code receive_datagram(int socket, std::span<std::byte> space,
                                               received_datagram& result) noexcept;

/// Sends one datagram without blocking and without a signal.
[[nodiscard]] std::error_code send_datagram(int socket, const endpoint& to, bytes_view header,
                                            std::span<const bytes> body) noexcept;

}  // namespace artillery::net
