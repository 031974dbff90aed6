#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "artillery/clock.hpp"
#include "artillery/endpoint.hpp"
#include "artillery/logging.hpp"
#include "artillery/node_id.hpp"

/// Zeroconf: peers on one link find each other with no server, no configuration and no central store.
/// The model is DNS-SD (RFC 6763) without the DNS: who offers a service announces it, who looks for one browses.
namespace artillery::discovery {

/// One attribute of a service, as in a DNS-SD TXT record (RFC 6763, section 6).
struct txt_entry {
  std::string key;    ///< 1 or more printable ASCII characters, no '='
  std::string value;  ///< any bytes

  friend bool operator==(const txt_entry&, const txt_entry&) = default;
};

/// What somebody offers, and where.
struct service {
  static constexpr std::size_t type_max = 63;
  static constexpr std::size_t protocol_max = 15;
  static constexpr std::size_t name_max = 63;
  static constexpr std::size_t endpoints_max = 8;
  /// Of all txt entries together: keys, values and two bytes for each.
  static constexpr std::size_t txt_size_max = 400;
  static constexpr duration ttl_min = std::chrono::seconds{1};
  static constexpr duration ttl_max = std::chrono::hours{1};

  /// What kind of service it is, "artillery-kv" say: letters, digits, '.', '_', '-'. One browses for a type.
  std::string type;
  /// How to talk to it: "udp", "tcp", "http" … Same characters.
  std::string protocol;
  /// For people: UTF-8 without control characters. Two services may have the same name.
  std::string name;
  /// What makes it this service and no other. `beacon::announce` draws one when it is none.
  node_id instance;
  /// Where it listens, best first. A wildcard address (0.0.0.0) stands for "the address this was announced from": the
  /// receiver fills it in, so that a host with several addresses needs to know none of them.
  std::vector<endpoint> endpoints;
  std::vector<txt_entry> txt;
  /// How busy it is, 0 idle to 255: a seeker that takes the first answer gets the least loaded.
  std::uint8_t load = 0;
  /// How long others may believe in it without hearing of it again. 0 (default): three announcement intervals. A
  /// shorter one than that is not honoured when the link is so crowded that announcements come less often.
  duration ttl{};

  /// The value of `key`; nothing when there is none.
  [[nodiscard]] std::optional<std::string_view> attribute(std::string_view key) const noexcept;

  /// What is wrong with it, naming the field and what is allowed; empty when it may be announced.
  [[nodiscard]] std::string validate() const;

  friend bool operator==(const service&, const service&) = default;
};

/// What is wrong with `type` as the type of a service; empty when it is sound.
[[nodiscard]] std::string validate_type(std::string_view type);

/// Why a service was lost.
enum class loss : std::uint8_t {
  goodbye,    ///< it was withdrawn
  expired,    ///< its ttl passed in silence
  restarted,  ///< its node came back and does not announce it any more
  evicted     ///< it had to make room in the table for others
};

[[nodiscard]] std::string_view to_string(loss reason) noexcept;

// ---- events, of the types that are browsed for; wildcard addresses are filled in ----

/// A service is here: new, or back.
struct found {
  service what;
  node_id node;  ///< who announced it
  friend bool operator==(const found&, const found&) = default;
};
/// A service changed; its instance is the same.
struct updated {
  service what;
  node_id node;
  friend bool operator==(const updated&, const updated&) = default;
};
/// A service is gone.
struct lost {
  service what;  ///< as it was last known
  node_id node;
  loss reason = loss::expired;
  friend bool operator==(const lost&, const lost&) = default;
};
/// The application was too slow: `events_lost` events were thrown away here. `browse` again reports all that is known.
struct overflow {
  std::uint64_t events_lost = 0;
  friend bool operator==(const overflow&, const overflow&) = default;
};
/// No interface can be used. The beacon goes on looking for one.
struct isolated {
  friend bool operator==(const isolated&, const isolated&) = default;
};
/// An interface can be used: at the start, or after `isolated`.
struct connected {
  friend bool operator==(const connected&, const connected&) = default;
};

using event = std::variant<found, updated, lost, overflow, isolated, connected>;

/// How a beacon finds others.
struct config {
  /// Not among the ports that Linux hands out by itself (32768 and up), and not registered with IANA.
  static constexpr std::uint16_t default_port = 27946;
  static constexpr std::size_t cluster_max = 255;

  /// Beacons of different clusters do not see each other, also on the same port. 1 to `cluster_max` bytes.
  std::string cluster = "default";

  /// The port that all beacons of a link share. Several processes of a host may use it at the same time.
  std::uint16_t port = default_port;

  /// Names of the interfaces to use ("lo", "eth0"). Empty (default): every one that is up and either can broadcast or
  /// is the loopback interface. With only loopback up, the processes of the host find each other.
  std::vector<std::string> interfaces;

  /// Time between two announcements of a service on a quiet link:
  ///     max(announce_interval, known services / 20 per second), ± 20 %
  /// so that a link never carries more than about 20 announcements a second. The ttl is three times that: a silent
  /// death is noticed that late. 1 s to 5 min; default 12 s, which with a browser's question each minute comes to six
  /// packets a minute.
  duration announce_interval = std::chrono::seconds{12};

  /// Who announces. None (default): a fresh one for each beacon.
  node_id node;

  /// Peers across subnets, where no broadcast goes: each is reported as found, under every type that is browsed for, as
  /// long as the beacon runs. At most 256.
  std::vector<endpoint> static_peers;
  static constexpr std::size_t static_peers_max = 256;

  /// Events that wait for the application; further ones are dropped, and an `overflow` is put in their place. 16 to
  /// 1,000,000.
  std::size_t event_queue_max = 4'096;

  log_sink log;

  /// What is wrong with this configuration, naming the option and what is allowed; empty when it is sound.
  [[nodiscard]] std::string validate() const;
};

}  // namespace artillery::discovery
