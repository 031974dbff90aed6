#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>

#include "sim/discovery_checks.hpp"

namespace artillery::sim {

/// Looks at what hosts send: who is answered, with what, when, and how much of it. One function for each invariant.
class discovery_wire_checks {
public:
  discovery_wire_checks(const discovery_checks& truth, duration interval, discovery_violations& found_wrong)
      : truth_{truth}, interval_{interval}, violations_{found_wrong} {}

  /// A new life does not know what the last one said.
  void started(host at);
  void withdraws(const offer_key& which) { goodbyes_[which] = 0; }

  void sending(host at, const endpoint& to, bool to_all, bytes_view datagram, const discovery::frame& what,
               time_point now);
  void hearing(host at, const endpoint& from, const discovery::frame& what, time_point now);
  void withdrawn(host at, const offer_key& which, time_point now);

  /// No service is announced more often than the schedule and the questions asked allow.
  void no_storms(time_point now);
  /// A burst was said in full: on a quiet link, `bursts` times four announcements by now.
  void bursts_are_said_in_full(const offer_key& which, time_point now);

private:
  struct asked {
    host asker = 0;
    std::size_t size = 0;
    discovery::question what;
  };
  /// A question as one life of one host deals with it. A copy that comes when the question is forgotten is one more.
  struct dealt_with {
    time_point first_heard;
    time_point last_heard;
    std::uint64_t times = 0;
    endpoint back;
    std::uint64_t number = 0;  ///< among the questions it heard, when it last counted as new
    unsigned load_min = 255;   ///< of its services that answer
    std::size_t bytes = 0;
    std::map<node_id, std::uint64_t> instances;  ///< and how often each was told
  };
  struct announcements {
    std::uint64_t count = 0;
    time_point first;
    std::deque<time_point> lately;  ///< of the last second
  };

  void announces(host at, const discovery::frame& what, time_point now);
  void asks(host at, bool to_all, std::size_t size, const discovery::frame& what, time_point now);
  void answers(host at, const endpoint& to, bool to_all, std::size_t size, const discovery::frame& what,
               time_point now);
  void answers_what_was_asked(host at, const asked& question, const discovery::service& with, time_point now);
  void answers_are_no_larger(host at, const asked& question, const dealt_with& so_far, time_point now);
  void answers_once(host at, const dealt_with& so_far, const node_id& instance, time_point now);
  void answers_in_time(host at, const dealt_with& so_far, time_point now);
  void the_less_loaded_is_sooner(host at, const asked& question, const dealt_with& so_far, time_point now);
  void sources_are_spared(host at, const endpoint& to, time_point now);
  void questions_grow_rare(host at, const std::string& type, time_point now);

  const discovery_checks& truth_;
  duration interval_;
  discovery_violations& violations_;
  std::map<offer_key, announcements> announced_;
  std::map<offer_key, int> goodbyes_;  ///< since it was withdrawn
  std::map<std::uint64_t, asked> questions_;
  std::map<std::pair<host, std::uint64_t>, dealt_with> dealt_with_;
  std::map<host, std::uint64_t> questions_heard_;
  std::map<std::pair<host, endpoint>, std::deque<time_point>> answered_lately_;
  std::map<std::pair<host, std::string>, std::deque<time_point>> asked_lately_;
};

}  // namespace artillery::sim
