#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "artillery/sim.hpp"
#include "membership/core.hpp"

namespace artillery::sim {

/// What every process of a membership run saw, checked as it happens: one function per promise.
class membership_checkers {
public:
  /// A process starts; its number is the number of processes before it.
  void started(const node_id& id, std::uint64_t boot, std::size_t datagram_max);
  void saw(std::size_t process, const membership::event& event, time_point now);
  void sent_datagram(std::size_t process, std::size_t size);

  /// Said of a run in which no member ever gives a reason for doubt: from here on nobody may be reported failed.
  void expect_no_failures(bool expected) { no_failures_ = expected; }
  void expect_no_suspicions(bool expected) { no_suspicions_ = expected; }

  [[nodiscard]] bool reported_failed(std::size_t process, const node_id& id) const;
  [[nodiscard]] bool reported_left(std::size_t process, const node_id& id) const;
  /// Numbers of the events of `origin` (a process) with `topic` that `process` was given, in order.
  [[nodiscard]] const std::vector<std::uint64_t>& events_seen(std::size_t process, std::size_t origin,
                                                              const std::string& topic);

  void violate(time_point now, std::string what);
  [[nodiscard]] const std::vector<std::string>& violations() const noexcept { return violations_; }

  /// Payload of a test event: which process sent it, and its number within the topic.
  [[nodiscard]] static bytes payload(std::size_t process, std::uint64_t number);

  struct totals {
    std::uint64_t joined = 0;
    std::uint64_t suspected = 0;
    std::uint64_t recovered = 0;
    std::uint64_t failed = 0;
    std::uint64_t left = 0;
    std::uint64_t updated = 0;
    std::uint64_t user_events = 0;
    std::uint64_t gaps = 0;
  };
  [[nodiscard]] const totals& seen() const noexcept { return totals_; }

private:
  enum class told : std::uint8_t { nothing, alive, suspected, failed, left };
  struct sight {
    told last = told::nothing;
    membership::standing dead;  // the highest at which it was reported gone
    bool was_gone = false;
  };
  struct process_state {
    node_id id;
    std::uint64_t boot = 0;
    std::size_t datagram_max = 0;
    std::map<node_id, sight> sights;
    std::map<std::pair<std::size_t, std::string>, std::vector<std::uint64_t>> events;
  };

  void check_transition(std::size_t process, told next, const membership::member& about, time_point now);
  void check_no_resurrection(std::size_t process, const membership::member& about, time_point now);
  void check_event_order(std::size_t process, const membership::user_event& event, time_point now);
  void note_gone(std::size_t process, const membership::member& about);

  std::vector<process_state> processes_;
  std::vector<std::string> violations_;
  totals totals_;
  bool no_failures_ = false;
  bool no_suspicions_ = false;
};

}  // namespace artillery::sim
