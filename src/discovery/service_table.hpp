#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "artillery/discovery/types.hpp"
#include "artillery/effects.hpp"
#include "base/indexed.hpp"
#include "base/state_hash.hpp"
#include "discovery/message.hpp"
#include "discovery/mutant.hpp"

namespace artillery::discovery {

/// A service of a node. Two nodes may claim one instance id; they do not get in each other's way.
struct service_key {
  node_id node;
  node_id instance;

  friend constexpr bool operator==(const service_key&, const service_key&) noexcept = default;
};

struct service_key_hash {
  [[nodiscard]] std::uint64_t operator()(const service_key& key) const noexcept {
    return detail::state_hash{}.add(key.node).add(key.instance).value();
  }
};

/// A service that others announced.
struct known_service {
  service_key key;
  position at;              ///< of the announcement that is believed
  service what;             ///< as announced
  connection source;        ///< where from; its port is the one that takes questions
  time_point heard;         ///< when an announcement was last accepted
  time_point source_heard;  ///< when one was last heard from `source`
  std::size_t frame_size = 0;
  std::uint8_t refreshes = 0;  ///< questions asked since `heard`

  [[nodiscard]] time_point expires() const noexcept {
    return heard + (mutant(mutation::ttl_ignored) ? service::ttl_max : what.ttl);
  }
  /// `what`, wildcard addresses replaced by that of `source`.
  [[nodiscard]] service resolved() const;
};

/// What is believed of others, and for how long. Newer replaces older whole, by (epoch, sequence); what was said
/// good-bye to, or ran out, comes back only with a newer announcement.
class service_table {
public:
  static constexpr std::size_t services_max = 4096;
  static constexpr std::size_t services_per_node_max = 64;
  /// Departed services that are remembered, and how long: longer than a network keeps a datagram.
  static constexpr std::size_t departed_max = 4096;
  static constexpr duration departed_memory = std::chrono::minutes{5};

  explicit service_table(detail::random random)
      : services_{random.fork("services").next()},
        nodes_{random.fork("nodes").next()},
        departed_{random.fork("departed").next()},
        random_{random.fork("eviction")} {}

  enum class outcome : std::uint8_t { found, updated, confirmed, stale, refused };
  struct change {
    outcome result;
    const known_service* now_known;  ///< valid until the next call; null when stale or refused
  };
  struct lost_service {
    known_service who;
    loss reason;
  };

  /// Takes in an announcement. What had to go for it is appended to `gone`.
  change announced(const frame& what, const connection& source, std::size_t frame_size, time_point now,
                   std::vector<lost_service>& gone);
  /// Takes in a goodbye; whether it was news is of no matter.
  void departed(const service_key& who, position at, time_point now, std::vector<lost_service>& gone);

  /// Moves what ran out by `now` to `gone`. Appends to `refresh` what is browsed for, as `wanted` says, and should be
  /// asked after.
  template <class Wanted>
  void expire(time_point now, Wanted wanted, std::vector<lost_service>& gone, std::vector<known_service>& refresh) {
    if (services_.empty() || now < next_look_) return;
    next_look_ = time_point::max();
    for (std::size_t i = services_.size(); i-- > 0;) {
      known_service& s = services_[i];
      if (now >= s.expires()) {
        lose(service_key{s.key}, loss::expired, now, gone);
        continue;
      }
      if (now >= next_refresh(s)) {
        while (now >= next_refresh(s)) ++s.refreshes;  // one question, also when several are overdue
        if (wanted(s.what)) refresh.push_back(s);
      }
      next_look_ = std::min(next_look_, std::min(next_refresh(s), s.expires()));
    }
  }
  /// A lower bound of when `expire` has something to do.
  [[nodiscard]] std::optional<time_point> next_deadline() const noexcept {
    if (services_.empty()) return std::nullopt;
    return next_look_;
  }

  [[nodiscard]] std::size_t size() const noexcept { return services_.size(); }
  [[nodiscard]] std::size_t nodes() const noexcept { return nodes_.size(); }
  [[nodiscard]] auto begin() const noexcept { return services_.begin(); }
  [[nodiscard]] auto end() const noexcept { return services_.end(); }

  void add_to(detail::state_hash& hash, time_point now) const;

private:
  struct node_row {
    node_id key;
    std::uint64_t epoch = 0;
    std::size_t services = 0;
  };
  struct departed_row {
    service_key key;
    position at;
    time_point until;
  };

  [[nodiscard]] static time_point next_refresh(const known_service& s) noexcept;
  [[nodiscard]] bool outdated(const service_key& key, position at, time_point now) const noexcept;
  void remember(const service_key& key, position at, time_point now);
  void lose(const service_key& key, loss reason, time_point now, std::vector<lost_service>& gone);
  void begin_life(const service_key& speaker, std::uint64_t epoch, time_point now, std::vector<lost_service>& gone);
  bool make_room(const service_key& key, time_point now, std::vector<lost_service>& gone);
  outcome replace(known_service& old, const frame& what, const connection& source, time_point now);

  detail::indexed<known_service, service_key_hash> services_;
  detail::indexed<node_row, detail::node_id_hash> nodes_;
  detail::indexed<departed_row, service_key_hash> departed_;
  detail::random random_;
  time_point next_look_ = time_point::max();
};

}  // namespace artillery::discovery
