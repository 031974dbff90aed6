#include "net/interfaces.hpp"

#include <algorithm>

namespace artillery::net {

std::uint32_t interface_of(const endpoint& address) {
  const endpoint wanted = address.with_port(0);
  if (wanted.is_any()) return 0;
  std::error_code ignored;
  for (const network_interface& one : list_interfaces(ignored)) {
    const bool has = std::any_of(one.addresses.begin(), one.addresses.end(),
                                 [&](const interface_address& a) { return a.address == wanted; });
    if (has) return one.index;
  }
  return 0;
}

}  // namespace artillery::net
