#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sim/discovery_node.hpp"
#include "sim/discovery_violations.hpp"

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
};

/// What one life of one host was told.
struct told_view {
  struct told {
    std::uint64_t version = 0;  ///< of what is in view; 0: not in view
    std::uint64_t version_max = 0;
    std::uint64_t version_gone = 0;  ///< a goodbye to this version, or a later one, was told
    discovery::position at;          ///< of the latest frame that was believed
    time_point heard;                ///< when that came
    std::optional<time_point> asked_after;
  };
  std::map<offer_key, told> offers;
  time_point resumed;
  time_point released;  ///< when a way to it was unclogged
};

/// Compares what hosts are told with what is true. One function for each invariant.
class discovery_checks {
public:
  /// How long a datagram may take in this run; and the interval between announcements.
  struct bounds {
    duration transit_max{};
    duration interval{};
  };

  discovery_checks(const discovery_link& link, discovery_violations& found_wrong)
      : link_{link}, violations_{found_wrong} {}

  // --- what is true ---
  void set_bounds(const bounds& of) { bounds_ = of; }
  void announced(host owner, const node_id& node, const discovery::service& what);
  void withdrawn(const offer_key& which, time_point now);
  void started(host at, const node_id& as);
  void resumed(host at, time_point now);
  /// What a clogged way to it held back arrives.
  void unclogged(host at, time_point now);
  void died(host at, time_point now);
  /// The wall clock of that node was set back: its frames are no longer in order, by no fault of the protocol.
  void clock_set_back(const node_id& of) { set_back_.insert(of); }
  [[nodiscard]] const std::map<offer_key, true_offer>& offers() const noexcept { return offers_; }

  // --- what is told ---
  void happened(host at, const discovery::core_event& what, time_point now);
  void hearing(host at, const discovery::frame& what);
  void heard(host at, time_point now);
  /// `at` asks by unicast after one service.
  void asks_after(host at, const node_id& instance, time_point now);

  // --- invariants that are looked at now and then ---

  /// A silent death is noticed within its ttl + 10 %, and what the network keeps of it.
  void silent_deaths_are_noticed(host at, time_point now);
  /// Once all is well and time has passed, a host sees what there is: all of it, as it is, and nothing else.
  void the_picture_is_right(host at, time_point now);
  /// `at` sees that service, or sees it no more.
  void sees(host at, const offer_key& which, bool expected, const char* invariant, time_point now);

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
  static void believe(told_view::told& told, const discovery::position& said, time_point now);
  void told_sought(host at, const discovery::sought& what, time_point now);
  void seeks_complete_once(host at, std::uint64_t request, time_point now);
  void only_what_was_announced(host at, const true_offer* offer, std::uint64_t version, const discovery::service& what,
                               time_point now);
  void nobody_finds_himself(host at, const offer_key& key, time_point now);
  void goodbyes_are_true(host at, const offer_key& key, told_view::told& told, time_point now);
  void nothing_comes_back(host at, const told_view::told& told, std::uint64_t version, time_point now);
  void only_later_frames_are_believed(host at, const offer_key& key, const told_view::told& told, time_point now);
  void a_new_life_ends_the_old(host at, const node_id& node, std::uint64_t epoch, time_point now);
  void silence_is_asked_about(host at, const offer_key& key, const told_view::told& told, time_point now);
  [[nodiscard]] duration ttl_of(const true_offer& offer, std::uint64_t version) const;

  const discovery_link& link_;
  discovery_violations& violations_;
  bounds bounds_;
  std::map<offer_key, true_offer> offers_;
  std::map<host, told_view> views_;
  std::map<host, node_id> names_;
  std::set<node_id> set_back_;
  std::map<std::uint64_t, int> seeks_over_;
  const discovery::frame* hearing_ = nullptr;  ///< what is being dealt with
};

/// The version a service says it is.
[[nodiscard]] std::uint64_t version_of(const discovery::service& what);

[[nodiscard]] std::string short_name(const offer_key& key);

}  // namespace artillery::sim
