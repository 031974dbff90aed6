#pragma once

#include <cstddef>
#include <cstdint>

#include "artillery/endpoint.hpp"

namespace artillery::net {

/// How a datagram socket is opened. The default is a plain socket on a free port.
struct datagram_options {
  endpoint bind = endpoint::v4(0, 0, 0, 0, 0);  ///< port 0: a free one
  /// Several sockets, of several users too, may bind this port: SO_REUSEADDR. Each then gets every broadcast and
  /// multicast; a unicast reaches only one of them.
  bool share_port = false;
  bool broadcast = false;  ///< may send to broadcast addresses
  /// Report the arrival interface and the destination address of each datagram (IP_PKTINFO).
  bool arrival = false;
  /// Interface of outgoing multicast; 0: the system's choice.
  std::uint32_t multicast_interface = 0;
  std::uint8_t multicast_hops = 1;
  bool multicast_loop = true;  ///< other sockets on this machine hear what is sent from here
  /// Bytes that may wait for a full send buffer; beyond that datagrams are dropped and counted.
  std::size_t queue_bytes_max = std::size_t{1} << 20U;
  /// Asks for kernel buffers of this size; 0 leaves the system's. The system may give less.
  std::size_t receive_buffer = 0;
  std::size_t send_buffer = 0;
};

}  // namespace artillery::net
