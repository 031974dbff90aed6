#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "sim/discovery_node.hpp"

namespace artillery::sim {

/// Names a service of a node: (node, instance).
using offer_key = std::pair<node_id, node_id>;

/// What truly is, or was, on offer. Every change of a service gets a new version, told in its txt under "v".
struct true_offer {
  host owner = 0;
  std::vector<discovery::service> versions;  ///< version n is versions[n - 1]
  std::vector<std::uint64_t> withdrawn;      ///< the versions that were said good-bye to, ascending
  bool alive = false;                        ///< its owner is up and announces it
  time_point dead_since;                     ///< when not alive
  std::uint64_t bursts = 0;                  ///< how often it became new, or its owner started
  std::uint64_t announcements = 0;           ///< heard on the wire
  time_point first_announced;
  std::deque<time_point> lately;  ///< announcements of the last second
};

/// What one life of one host was told.
struct told_view {
  struct told {
    std::uint64_t version = 0;  ///< of what is in view; 0: not in view
    std::uint64_t version_max = 0;
    std::uint64_t version_gone = 0;  ///< a goodbye to this version, or a later one, was told
  };
  std::map<offer_key, told> offers;
  time_point resumed;
};

/// Compares what hosts are told with what is true. One function for each invariant; a broken one is a line in
/// `violations`.
class discovery_checks {
public:
  /// How long a datagram may take in this run; and the interval between announcements.
  struct bounds {
    duration transit_max{};
    duration interval{};
  };

  explicit discovery_checks(const discovery_link& link) : link_{link} {}

  // --- what is true ---
  void set_bounds(const bounds& of) { bounds_ = of; }
  std::uint64_t announced(host owner, const node_id& node, const discovery::service& what, time_point now);
  void withdrawn(const offer_key& which, time_point now);
  void started(host at);
  void resumed(host at, time_point now);
  void died(host at, time_point now);
  [[nodiscard]] std::map<offer_key, true_offer>& offers() noexcept { return offers_; }

  // --- what is told ---
  void happened(host at, const discovery::core_event& what, time_point now);
  void sending(host at, const endpoint& to, bytes_view datagram, time_point now);

  // --- invariants that are looked at now and then ---

  /// A silent death is noticed within its ttl + 10 %, and what the network keeps of it.
  void silent_deaths_are_noticed(host at, time_point now);
  /// Once all is well and time has passed, a host sees what there is: all of it, as it is, and nothing else.
  void the_picture_is_right(host at, time_point now);
  /// No service is announced more often than the schedule and the questions asked allow.
  void no_storms(time_point now);
  /// `at` sees that service, or sees it no more.
  void sees(host at, const offer_key& which, bool expected, const char* invariant, time_point now);

  [[nodiscard]] const std::vector<std::string>& violations() const noexcept { return violations_; }
  void violate(const char* invariant, host at, time_point now, const std::string& what);

  std::uint64_t found = 0;
  std::uint64_t updated = 0;
  std::uint64_t lost_by_goodbye = 0;
  std::uint64_t lost_by_expiry = 0;
  std::uint64_t lost_by_restart = 0;
  std::map<std::uint64_t, int> seek_results;  ///< of each request: how often it was answered with a service
  std::uint64_t seeks_answered = 0;
  std::uint64_t seeks_timed_out = 0;
  std::uint64_t withdrawals = 0;

private:
  void told_of(host at, const discovery::service& what, const node_id& node, bool is_new, time_point now);
  void told_lost(host at, const discovery::lost& what, time_point now);
  void only_what_was_announced(host at, const true_offer* offer, std::uint64_t version, const discovery::service& what,
                               time_point now);
  void goodbyes_are_true(host at, const offer_key& key, told_view::told& told, time_point now);
  void nothing_comes_back(host at, const told_view::told& told, std::uint64_t version, time_point now);

  const discovery_link& link_;
  bounds bounds_;
  std::map<offer_key, true_offer> offers_;
  std::map<host, told_view> views_;
  std::uint64_t questions_ = 0;
  std::map<std::pair<host, endpoint>, std::deque<time_point>> answers_;
  std::vector<std::string> violations_;
};

/// The version a service says it is.
[[nodiscard]] std::uint64_t version_of(const discovery::service& what);

}  // namespace artillery::sim
