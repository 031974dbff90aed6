#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "artillery/clock.hpp"
#include "replication/electorate.hpp"
#include "replication/register_event.hpp"
#include "replication/voter_state.hpp"

namespace artillery::sim {

/// One process of a member, from its start to its end.
struct member_life {
  std::size_t member = 0;
  std::uint64_t life = 0;

  friend auto operator<=>(const member_life&, const member_life&) = default;
};

/// What everybody in a run of the register says, against what may be said. Times are true times. A function for each
/// invariant; what is wrong is kept, in the order in which it was found.
class register_checks {
public:
  explicit register_checks(std::size_t voters, std::uint64_t first_epoch = 1)
      : voters_(voters), majority_{voters / 2 + 1}, first_epoch_{first_epoch} {}

  // --- what voters answer; `durable` is what their disk holds for certain ---
  void founded(std::size_t voter, const replication::view& first, const replication::voter_state& durable,
               time_point now);
  void promised(std::size_t voter, const replication::ballot& at, const replication::chosen_view& told,
                const replication::voter_state& durable, time_point now);
  void accepted(std::size_t voter, const replication::ballot& at, const replication::view& value,
                const replication::voter_state& durable, time_point now);
  void said_yes(std::size_t voter, const replication::replica_id& asker, std::uint64_t epoch, time_point now);
  /// It starts with this: what it accepted and never said counts from now on.
  void came_back(std::size_t voter, const replication::voter_state& durable, time_point now);
  /// It lost its disk: from now on another voter, which must say nothing.
  void lost(std::size_t voter) { voters_[voter].is_lost = true; }

  // --- what members ask and are told ---
  void asked_read(const member_life& who, replication::question_id id);
  void asked_cas(const member_life& who, const replication::authority_cas& question);
  void told(const member_life& who, const replication::authority_answer& answer, time_point now);
  void told_founded(const replication::view& first, time_point now);

  // --- leases and gates ---
  struct lease {
    replication::replica_id holder;
    std::uint64_t epoch = 0;
    std::string who;
  };
  /// A lease of an excluded node is in force although the tail of `opened` commits.
  void no_lease_outlives_gate(const lease& held, time_point now);
  void opened(const replication::view& in, time_point now);
  [[nodiscard]] std::size_t openings() const noexcept { return opened_.size(); }
  void fail(std::string_view invariant, time_point now, const std::string& what);

  [[nodiscard]] const std::vector<std::string>& violations() const noexcept { return violations_; }
  /// The newest epoch of which a majority accepted a view; 0: none.
  [[nodiscard]] std::uint64_t newest() const noexcept { return chosen_.empty() ? 0 : chosen_.rbegin()->first; }
  [[nodiscard]] const replication::view* view_of(std::uint64_t epoch) const;

private:
  struct voter_record {
    replication::ballot promised;
    replication::ballot accepted;
    replication::view value;
    std::uint64_t genesis = 0;
    bool is_lost = false;
  };
  struct ballot_record {
    replication::view value;
    replication::tally by;
    bool is_chosen = false;
  };
  /// One question of a member's process; `order` counts all that it asked.
  struct asked {
    bool is_cas = false;
    std::uint64_t order = 0;
    std::uint64_t newest_then = 0;  // of a read
    std::uint64_t expected = 0;
    replication::view next;
    std::optional<std::uint64_t> read_epoch;  // once a read was answered
    bool is_refused = false;
  };
  using asked_id = std::pair<member_life, replication::question_id>;

  void promises_hold(std::size_t voter, const replication::ballot& at, time_point now);
  void note_vote(std::size_t voter, const replication::ballot& at, const replication::view& value, time_point now);
  void lost_voters_are_silent(std::size_t voter, time_point now);
  void note_chosen(const replication::ballot& in, const replication::view& value, time_point now);
  void epochs_follow_ballots(const replication::ballot& in, std::uint64_t epoch, time_point now);
  [[nodiscard]] std::string_view why_void(const asked_id& which, const asked& proposal) const;
  void nothing_void_is_chosen(const replication::view& value, time_point now);
  [[nodiscard]] bool is_wanted_by_others(const asked& proposal) const;
  void answers_are_chosen(const replication::chosen_view& told, time_point now);

  std::vector<voter_record> voters_;
  std::size_t majority_;
  std::uint64_t first_epoch_;
  std::map<replication::ballot, ballot_record> ballots_;
  std::map<std::uint64_t, ballot_record> geneses_;  // by their names
  std::map<std::uint64_t, replication::view> chosen_;
  std::map<asked_id, asked> questions_;
  std::map<member_life, std::uint64_t> orders_;
  std::vector<replication::view> opened_;
  std::vector<std::string> violations_;
};

}  // namespace artillery::sim
