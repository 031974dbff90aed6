#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "artillery/sim.hpp"
#include "membership/core.hpp"
#include "sim/membership_bounds.hpp"

namespace artillery::sim {

/// What is so, whatever a member believes: how a life that it suspects or reports failed really is.
struct membership_truth {
  bool living = false;       ///< its process runs
  bool left = false;         ///< it has left, and somebody heard it
  bool undisturbed = false;  ///< neither it nor the network was disturbed for so long that any doubt is past
};

/// What every process of a membership run saw, checked as it happens: one function per promise. What must hold at the
/// end is in membership_demands.hpp.
class membership_checkers {
public:
  /// A process starts; its number is the number of processes before it.
  void started(const node_id& id, std::uint64_t boot, const membership::config& settings);
  /// Somebody's word of a member that does not exist may be believed for a while.
  void allow_made_up(const node_id& id) { known_.insert(id); }

  /// The event of this number is a question, which is not told to everybody.
  void asked(std::size_t process, std::uint64_t number_of_all) { processes_[process].questions.insert(number_of_all); }

  void saw(std::size_t process, const membership::event& event, const membership_truth& truth, time_point now);
  void sent_datagram(std::size_t process, std::size_t size, time_point now);
  void heard_datagram(std::size_t process, bytes_view datagram, time_point now);
  /// M6: what a process holds at some time.
  void holds(std::size_t process, const membership::core& core, time_point now);

  /// Said of a run in which no member ever gives a reason for doubt.
  void expect_no_suspicions(bool expected) { no_suspicions_ = expected; }
  /// Said of a run whose network loses nothing: there is no reason to doubt who is undisturbed.
  void expect_no_baseless_suspicions(bool expected) { no_baseless_suspicions_ = expected; }
  /// Said of a run whose network loses so little that nobody who is undisturbed can be reported failed.
  void expect_no_false_positives(bool expected) { no_false_positives_ = expected; }

  [[nodiscard]] bool reported_failed(std::size_t process, const node_id& id) const;
  [[nodiscard]] bool reported_left(std::size_t process, const node_id& id) const;
  /// Numbers of the events of `origin` (a process) with `topic` that `process` was given, in order.
  [[nodiscard]] const std::vector<std::uint64_t>& events_seen(std::size_t process, std::size_t origin,
                                                              const std::string& topic);
  /// The first event of `origin` that `process` was given or told to have missed; none: the highest number there is.
  [[nodiscard]] std::uint64_t first_known(std::size_t process, std::size_t origin) const;
  /// Every event of `origin` from the first that `process` was given or told to have missed up to `last` is one or the
  /// other. Empty when so; otherwise what is not.
  [[nodiscard]] std::string unaccounted(std::size_t process, std::size_t origin, std::uint64_t last) const;

  void violate(time_point now, std::string what);
  [[nodiscard]] const std::vector<std::string>& violations() const noexcept { return violations_; }

  /// Payload of a test event: which process sent it, its number within the topic and over all of the process's.
  /// Then so many bytes more.
  [[nodiscard]] static bytes payload(std::size_t process, std::uint64_t number, std::uint64_t number_of_all,
                                     std::size_t more = 0);

  struct totals {
    std::uint64_t joined = 0;
    std::uint64_t suspected = 0;
    std::uint64_t recovered = 0;
    std::uint64_t failed = 0;
    std::uint64_t false_positives = 0;  ///< reports that a member failed whose process runs
    std::uint64_t left = 0;
    std::uint64_t updated = 0;
    std::uint64_t user_events = 0;
    std::uint64_t gaps = 0;
    std::uint64_t second_bytes_max = 0;               ///< the most datagram bytes that a process sent in a second
    std::uint64_t second_datagrams_permille_max = 0;  ///< likewise of datagrams, in thousandths of what it may
    std::uint64_t held_max = 0;
  };
  [[nodiscard]] const totals& seen() const noexcept { return totals_; }

private:
  enum class told : std::uint8_t { nothing, alive, suspected, failed, left };
  struct sight {
    told last = told::nothing;
    std::uint64_t boot = 0;     // of the life that it was told of
    membership::standing dead;  // the highest at which it was reported gone
    bool was_gone = false;
  };
  /// What a process was given, and what it was told to have missed, of another's events.
  struct account {
    std::map<std::string, std::vector<std::uint64_t>> by_topic;
    std::set<std::uint64_t> given;
    std::map<std::uint64_t, std::uint64_t> missed;  // first and last
  };
  struct process_state {
    node_id id;
    std::uint64_t boot = 0;
    std::size_t datagram_max = 0;
    std::size_t members_max = 0;
    std::size_t held_max = 0;
    membership::config settings;
    std::map<node_id, sight> sights;
    std::map<std::size_t, account> events;  // by origin
    std::set<std::uint64_t> questions;      // among its own events
    time_point second_begins;
    load second_sent;
    std::uint64_t second_answers = 0;
    std::vector<time_point> queries_until;  // that were told to it
  };

  void check_transition(std::size_t process, told next, const membership::member& about, time_point now);
  void check_is_one_of_us(std::size_t process, const membership::member& about, time_point now);
  void check_no_resurrection(std::size_t process, const membership::member& about, time_point now);
  void check_suspicion(std::size_t process, const membership::member& about, const membership_truth& truth,
                       time_point now);
  void check_failure(std::size_t process, const membership::member& about, const membership_truth& truth,
                     time_point now);
  void check_event_order(std::size_t process, const membership::user_event& event, time_point now);
  void check_gap(std::size_t process, const membership::gap& gap, time_point now);
  void check_second(std::size_t process, time_point now);
  void note_gone(std::size_t process, const membership::member& about);

  std::vector<process_state> processes_;
  std::map<std::pair<node_id, std::uint64_t>, std::size_t> by_life_;
  std::set<node_id> known_;
  std::vector<std::string> violations_;
  totals totals_;
  bool no_suspicions_ = false;
  bool no_baseless_suspicions_ = false;
  bool no_false_positives_ = false;
};

}  // namespace artillery::sim
