#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "artillery/endpoint.hpp"
#include "net/strand.hpp"

// The network interfaces of this machine, and their changes. Implemented in linux_interfaces.cpp and
// linux_interface_watch.cpp; another system brings its own pair.

namespace artillery::net {

struct interface_address {
  endpoint address;  ///< port 0; link-local IPv6 addresses carry their scope
  std::uint8_t prefix_length = 0;
  std::optional<endpoint> broadcast;  ///< IPv4 only, where the interface can broadcast; port 0

  friend bool operator==(const interface_address&, const interface_address&) = default;
};

struct network_interface {
  std::uint32_t index = 0;
  std::string name;
  bool up = false;       ///< switched on
  bool running = false;  ///< and has a carrier
  bool loopback = false;
  bool multicast = false;
  bool point_to_point = false;
  std::vector<interface_address> addresses;

  friend bool operator==(const network_interface&, const network_interface&) = default;
};

/// All interfaces, by ascending index, each with its addresses in ascending order.
[[nodiscard]] std::vector<network_interface> list_interfaces(std::error_code& error);

/// The address from which this machine would talk to the rest of the network, as its routes have it (port 0); the
/// wildcard when there is no route. Nothing is sent.
[[nodiscard]] endpoint outgoing_address(bool v6);

/// The index of the interface that has this address; 0 when none has, or it is the wildcard.
[[nodiscard]] std::uint32_t interface_of(const endpoint& address);

/// Calls back when an interface or an address appears, changes or goes away. It does not say what: ask
/// `list_interfaces`. Changes that come together may give one call. On the given strand; never after `close()`.
class interface_watch {
public:
  virtual ~interface_watch() = default;
  /// Ends it; the callback is destroyed. Calling it again does nothing.
  virtual void close() noexcept = 0;

  /// Starts watching. Null and `error` when the system refuses. The watch ends with `close()`, or when it is released.
  [[nodiscard]] static std::shared_ptr<interface_watch> start(const strand& executor, std::function<void()> changed,
                                                              std::error_code& error);

protected:
  interface_watch() = default;
  interface_watch(const interface_watch&) = delete;
  interface_watch& operator=(const interface_watch&) = delete;
};

}  // namespace artillery::net
