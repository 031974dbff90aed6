#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "artillery/effects.hpp"
#include "artillery/endpoint.hpp"

namespace artillery::discovery {

/// One address of one interface, and the link behind it. An interface with two addresses is two of these.
struct interface {
  std::uint64_t index = 0;  ///< the `number` of its connections
  endpoint address;         ///< port 0
  endpoint broadcast;       ///< reaches everyone on the link; with the shared port
  unsigned prefix_length = 0;

  friend bool operator==(const interface&, const interface&) = default;
};

/// True when the two addresses lie in one network of that prefix length.
[[nodiscard]] inline bool same_network(const endpoint& a, const endpoint& b, unsigned prefix_length) noexcept {
  if (a.is_v6() != b.is_v6()) return false;
  unsigned bits = std::min(prefix_length, a.is_v6() ? 128U : 32U);
  for (std::size_t i = 0; bits > 0; ++i) {
    const unsigned here = std::min(bits, 8U);
    const auto mask = static_cast<std::uint8_t>(0xff00U >> here);
    if ((a.address()[i] & mask) != (b.address()[i] & mask)) return false;
    bits -= here;
  }
  return true;
}

/// True when a datagram from there came over the link itself, from one host that can be answered: no router has carried
/// it, and an answer to it cannot be steered at strangers or at everyone.
[[nodiscard]] inline bool is_on_link(const std::vector<interface>& interfaces, const connection& from) noexcept {
  const endpoint& peer = from.peer;
  if (peer.none() || peer.is_any() || peer.is_multicast()) return false;
  const endpoint host = peer.with_port(0);
  bool on_link = false;
  for (const interface& i : interfaces) {
    if (i.broadcast.with_port(0) == host) return false;
    // A datagram from this very host comes in by the loopback interface, whatever its address.
    if (i.address.address() == host.address() && i.address.is_v6() == host.is_v6()) on_link = true;
    if (i.index == from.number && same_network(i.address, host, i.prefix_length)) on_link = true;
  }
  return on_link;
}

}  // namespace artillery::discovery
