#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "artillery/clock.hpp"
#include "artillery/effects.hpp"
#include "base/backoff.hpp"
#include "base/random.hpp"
#include "replication/electorate.hpp"
#include "replication/register_event.hpp"

namespace artillery::replication {

/// What a replica asks the voters about an epoch without changing anything: "is it still the one, and am I in it?"
/// (R6), and "how long has it been?" (R8).
///
/// Each question has a number of its own, which nothing else ever has, and is sent again under it until a majority has
/// answered. So whatever counts for it was said after it was asked: the asker counts its lease from then.
class epoch_polls {
public:
  /// Questions that are pursued at once.
  static constexpr std::size_t polls_max = 32;

  epoch_polls(const detail::backoff_limits& again, std::uint64_t first_number)
      : again_{again}, next_number_{first_number} {}

  [[nodiscard]] bool is_empty() const noexcept { return polls_.empty(); }
  /// Call it before one is added: when there are too many, the oldest is dropped, and this is its name.
  [[nodiscard]] std::optional<question_id> make_room();
  void renew(const replica_id& who, const authority_renew& question, time_point deadline);
  void ask_quiet(const replica_id& who, const authority_quiet& question, time_point deadline);
  void cancel(question_id question);

  /// Sends what is due, and gives up what is late.
  void expire(electorate& voters, time_point now, detail::random& random, effects<register_event>& out);
  void take(const register_reply& answer, const electorate& voters, effects<register_event>& out);
  [[nodiscard]] std::optional<time_point> next_deadline(const electorate& voters) const noexcept;

  [[nodiscard]] std::uint64_t hash(time_point now) const;

  /// For a planted mistake: asks for reports though the view is only proposed.
  void ask_before_adoption(const replica_id& who, const view& proposed, time_point deadline);

private:
  struct poll {
    question_id id = 0;
    register_question what = register_question::renew;
    std::uint64_t number = 0;
    replica_id who;
    std::uint64_t epoch = 0;
    ballot chosen_in;              // of `report`
    duration at_least{};           // of `report`
    std::vector<replica_id> whom;  // of `report`
    time_point deadline;
    std::optional<time_point> next_send;  // none: at once
    detail::backoff again;
    tally yes;
    tally no;
  };

  poll& add(question_id id, register_question what, const replica_id& who, std::uint64_t epoch, time_point deadline);
  static void count(poll& one, const register_reply& answer, std::size_t voter) noexcept;
  [[nodiscard]] static std::optional<authority_answer> answer_to(const poll& one, const electorate& voters) noexcept;

  detail::backoff_limits again_;
  std::uint64_t next_number_;
  std::vector<poll> polls_;  // oldest first
};

}  // namespace artillery::replication
