#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "artillery/sim.hpp"
#include "discovery/core.hpp"

namespace artillery::sim {

/// One link of a world: everyone on it, and the address that means all of them.
struct discovery_link {
  endpoint broadcast = endpoint::v4(10, 255, 255, 255, discovery::config::default_port);
  unsigned prefix_length = 8;
  std::vector<endpoint> hosts;

  /// The place of the host added as `number`th.
  [[nodiscard]] static endpoint place(std::size_t number) noexcept {
    return endpoint::v4(10, 0, static_cast<std::uint8_t>(number / 250), static_cast<std::uint8_t>(number % 250 + 1),
                        discovery::config::default_port);
  }
};

/// Who watches a node.
class discovery_observer {
public:
  virtual void happened(host at, const discovery::core_event& what, time_point now) = 0;
  /// Before it is sent: `to` may be the broadcast address.
  virtual void sending(host at, const endpoint& to, bytes_view datagram, time_point now) = 0;
  /// Before and after the node deals with it.
  virtual void hearing(host at, const endpoint& from, bytes_view datagram, time_point now) = 0;
  virtual void heard(host at, time_point now) = 0;

protected:
  discovery_observer() = default;
  ~discovery_observer() = default;
  discovery_observer(const discovery_observer&) = default;
  discovery_observer& operator=(const discovery_observer&) = default;
};

/// The core of discovery as a program of the world. The world knows unicast only: what is for everyone is sent to each
/// host of the link, the sender too, because on Linux one hears oneself.
class discovery_node final : public program {
public:
  using input = std::function<void(discovery::core&, time_point, discovery::core_effects&)>;

  discovery_node(host self, const endpoint& own, discovery::core_config config, std::uint64_t seed,
                 const discovery_link& link, discovery_observer& observer)
      : self_{self}, own_{own}, core_{std::move(config), detail::random{seed}}, link_{&link}, observer_{&observer} {}

  void start(time_point now, network_effects& out) override;
  void receive(const connection& from, const bytes& message, time_point now, network_effects& out) override;
  void expire(time_point now, network_effects& out) override;
  [[nodiscard]] std::optional<time_point> next_deadline() const override { return core_.next_deadline(); }

  /// A call of the node's user.
  void call(const input& what, time_point now, network_effects& out);
  [[nodiscard]] const discovery::core& core() const noexcept { return core_; }

private:
  host self_;
  endpoint own_;
  discovery::core core_;
  const discovery_link* link_;
  discovery_observer* observer_;
};

}  // namespace artillery::sim
