#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <variant>
#include <vector>

#include "artillery/bytes.hpp"
#include "artillery/discovery/types.hpp"
#include "artillery/effects.hpp"
#include "base/random.hpp"
#include "discovery/announcer.hpp"
#include "discovery/answers.hpp"
#include "discovery/browser.hpp"
#include "discovery/interface.hpp"
#include "discovery/message.hpp"
#include "discovery/rate_limit.hpp"
#include "discovery/service_table.hpp"

namespace artillery::discovery {

struct core_config {
  std::string cluster = "default";
  std::uint16_t port = config::default_port;  ///< where broadcasts go
  duration announce_interval = std::chrono::seconds{12};
  node_id node;                ///< who this is; not none
  std::uint64_t epoch_us = 0;  ///< wall clock when this life of the node began: later lives have later ones
  time_point started;          ///< the protocol's clock at that moment
};

/// The third goodbye of a service is out.
struct withdrawn {
  node_id instance;

  friend bool operator==(const withdrawn&, const withdrawn&) = default;
};

/// A seek is over; nothing was found: its deadline passed.
struct sought {
  std::uint64_t request = 0;
  std::optional<service> found;

  friend bool operator==(const sought&, const sought&) = default;
};

using core_event = std::variant<event, withdrawn, sought>;
using core_effects = effects<core_event>;

/// What came, went, and was dropped. They only grow.
struct core_counters {
  std::uint64_t received = 0;  ///< datagrams, good or bad, one's own echoes too
  std::uint64_t echoes = 0;    ///< one's own
  std::uint64_t malformed = 0;
  std::uint64_t foreign_cluster = 0;
  std::uint64_t checksum_mismatches = 0;
  std::uint64_t unsupported = 0;  ///< other version, unknown kind or critical field
  std::uint64_t off_link = 0;     ///< by a router, or from an address that nobody can be answered at
  std::uint64_t stale = 0;        ///< announcements that were known, older, or taken back
  std::uint64_t refused = 0;      ///< announcements for which there was no room
  std::uint64_t evicted = 0;      ///< services that had to make room
  std::uint64_t questions_repeated = 0;
  std::uint64_t questions_limited = 0;  ///< not answered, because of the limits
  std::uint64_t announcements_sent = 0;
  std::uint64_t goodbyes_sent = 0;
  std::uint64_t questions_sent = 0;
  std::uint64_t offers_sent = 0;
};

/// The broadcast provider's protocol as a value: one node on the links it has. See docs/discovery.md.
///
/// A datagram's connection number is the index of its interface. A send to an interface's broadcast address is meant
/// for everyone there.
class core {
public:
  core(core_config config, detail::random random);

  void receive(const connection& from, bytes_view datagram, time_point now, core_effects& out);
  void expire(time_point now, core_effects& out);
  [[nodiscard]] std::optional<time_point> next_deadline() const;

  /// The port at which this node takes answers. Before the first interface.
  void answer_at(std::uint16_t port) noexcept { answer_port_ = port; }
  /// All interfaces that can be used now. New ones are announced to and asked.
  void interfaces_changed(std::vector<interface> usable, time_point now, core_effects& out);

  /// `what` is valid and has an instance id. Errors: `would_overflow`, `already_running` (it is being
  /// withdrawn).
  std::error_code announce(const service& what, time_point now, core_effects& out);
  /// A `withdrawn` follows. Errors: `invalid_argument`, it is not announced.
  std::error_code withdraw(const node_id& instance, time_point now, core_effects& out);
  /// What is known already is delivered as found at once. An empty type stands for all. Error: `would_overflow`.
  std::error_code browse(std::string_view type, time_point now, core_effects& out);
  void stop_browse(std::string_view type);
  /// A `sought` follows, with the first service of the type that is heard of. Error: `would_overflow`.
  std::error_code seek(std::uint64_t request, std::string_view type, time_point deadline, time_point now,
                       core_effects& out);
  bool stop_seek(std::uint64_t request) { return browser_.stop_seek(request); }

  [[nodiscard]] const core_counters& counters() const noexcept { return counters_; }
  [[nodiscard]] std::size_t services_known() const noexcept { return table_.size(); }
  [[nodiscard]] std::size_t nodes_known() const noexcept { return table_.nodes(); }
  [[nodiscard]] std::size_t interfaces_used() const noexcept { return interfaces_.size(); }
  [[nodiscard]] const node_id& node() const noexcept { return config_.node; }

  /// Equal states hash equal: deadlines count from `now`; counters and the random state are left out.
  [[nodiscard]] std::uint64_t hash(time_point now) const;

private:
  using lost_services = std::vector<service_table::lost_service>;

  void count_refusal(std::error_code error) noexcept;
  void hear(const frame& what, const connection& from, std::size_t size, time_point now, core_effects& out);
  void hear_announcement(const frame& what, const connection& from, std::size_t size, time_point now,
                         core_effects& out);
  void hear_question(const frame& what, const connection& from, std::size_t size, time_point now);
  [[nodiscard]] bool offers_for(const question& asked) const;
  [[nodiscard]] duration answer_delay(const question& asked);

  void answer(const pending_answer& what, time_point now, core_effects& out);
  void ask(const browser::asking& what, time_point now, core_effects& out);
  void ask_after(const known_service& who, time_point now, core_effects& out);
  [[nodiscard]] std::vector<std::uint64_t> known_of(std::string_view type, time_point now);

  [[nodiscard]] frame_header next_header(frame_kind kind, time_point now);
  [[nodiscard]] bytes_view encoded(const frame& what, std::size_t size_min);
  void broadcast(const frame& what, std::size_t size_min, core_effects& out);

  template <class Fact>
  void deliver(const known_service& who, core_effects& out) const;
  void deliver_lost(const lost_services& gone, core_effects& out);

  core_config config_;
  realm realm_;
  std::uint16_t answer_port_ = 0;
  std::vector<interface> interfaces_;
  std::uint32_t sequence_ = 0;

  detail::random queries_;
  detail::random delays_;
  announcer announcer_;
  browser browser_;
  answers answers_;
  answer_limit limit_;
  service_table table_;

  core_counters counters_;
  std::vector<std::byte> scratch_;  // a frame while it is written; nothing is kept in it
};

}  // namespace artillery::discovery
