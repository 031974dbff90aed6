#pragma once

#include <span>

#include "artillery/bytes.hpp"
#include "artillery/endpoint.hpp"

namespace artillery::net {

/// A way out for datagrams. A driver has one for each number that its core may put in a datagram's `connection`.
class datagram_port {
public:
  virtual ~datagram_port() = default;
  /// Sends one datagram, or queues it for a moment, or drops it and counts. `header` is copied, `body` shared.
  virtual void send(const endpoint& to, bytes_view header, std::span<const bytes> body) = 0;
  /// Nothing is sent or received any more. Calling it again does nothing.
  virtual void close() noexcept = 0;

protected:
  datagram_port() = default;
  datagram_port(const datagram_port&) = delete;
  datagram_port& operator=(const datagram_port&) = delete;
};

}  // namespace artillery::net
