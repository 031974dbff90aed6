// What a cluster's driver sees of its machine: the addresses, and the group that reaches many at once.
#include <array>

#include "membership/cluster_state_binding.hpp"

namespace artillery::membership {
namespace {

/// The number of the datagram port on which the group is heard; 0 is the node's own.
constexpr std::uint64_t group_port = 1;

/// What others of the network would call this machine: the address from which it would talk to them; where it has no
/// route, one that is neither loopback nor link-local; or else the loopback address.
endpoint machine_address(bool v6) {
  if (const endpoint routed = net::outgoing_address(v6); !routed.is_any()) return routed;
  std::error_code ignored;
  for (const net::network_interface& one : net::list_interfaces(ignored)) {
    if (!one.up || one.loopback) continue;
    for (const net::interface_address& candidate : one.addresses) {
      const endpoint& at = candidate.address;
      if (at.is_v6() == v6 && at.scope() == 0 && !at.is_loopback()) return at;
    }
  }
  if (!v6) return endpoint::v4(127, 0, 0, 1, 0);
  std::array<std::uint8_t, 16> loopback{};
  loopback[15] = 1;
  return endpoint::v6(loopback, 0);
}

}  // namespace

endpoint cluster::state::advertised() const {
  const endpoint bound = datagrams_bound();
  // A port alone cannot be advertised, an address alone can: its port is then the bound one.
  if (options.advertise != endpoint{}) {
    return options.advertise.none() ? options.advertise.with_port(bound.port()) : options.advertise;
  }
  return bound.is_any() ? machine_address(bound.is_v6()).with_port(bound.port()) : bound;
}

// ---- the group ----

/// Without it gossip does as well, only later: that it cannot be had is said, and no reason not to start.
void cluster::state::open_group() {
  if (options.group.none()) return;
  net::datagram_options wanted;
  wanted.bind = options.group;
  wanted.share_port = true;
  std::error_code error;
  group_ = net::datagram_socket::open(driver::executor(), wanted, error);
  if (!error && options.group.is_multicast()) error = group_->join(options.group, net::interface_of(options.bind));
  if (error) {
    log(log_level::warning, "cannot listen to the group " + to_string(options.group) + " (" + error.message() +
                                "): gossip alone brings what is said there");
    group_.reset();
    return;
  }
  group_->receive([this](const bytes& message, const net::received_datagram& details) {
    receive_datagram(group_port, details.from, message);
  });
}

// ---- this machine's address ----

/// Only where the address was found out by this node, not given.
void cluster::state::watch_addresses() {
  if (options.advertise != endpoint{} || !datagrams_bound().is_any()) return;
  std::error_code error;
  addresses_ = net::interface_watch::start(
      driver::executor(),
      [weak = weak_from_this()] {
        if (const auto self = weak.lock()) static_cast<state&>(*self).look_at_address();
      },
      error);
  if (error) log(log_level::warning, "changes of this machine's addresses are not noticed: " + error.message());
}

/// An address that this machine still has is kept, whatever others it has now, and so is the last one of a machine that
/// has none for a moment: with each change all members are told.
void cluster::state::look_at_address() {
  if (!running() || net::interface_of(seen.self().at) != 0) return;
  const endpoint at = advertised();
  if (at.is_loopback()) return;
  call([&](watched_core& core, time_point now, effects<event>& out) {
    core.use([&](membership::core& c) { return c.move_to(at, now, out); });
  });
}

}  // namespace artillery::membership
