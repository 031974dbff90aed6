#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "artillery/bytes.hpp"
#include "artillery/clock.hpp"
#include "artillery/effects.hpp"
#include "base/backoff.hpp"
#include "base/random.hpp"
#include "replication/electorate.hpp"
#include "replication/epoch_polls.hpp"
#include "replication/register_event.hpp"

namespace artillery::replication {

struct proposer_config {
  std::string cluster = "default";
  std::uint64_t chain = 1;
  node_id node;  ///< this node: part of its ballots
  /// Nodes and where their voters listen; incarnations may be 0: they are asked for. None: see `use_voters`.
  std::vector<member> voters;
  std::uint64_t genesis = 0;  ///< of the first view; 0: asked for
  std::uint64_t port = 0;     ///< which datagram socket speaks to voters (`connection::number`)
  /// How soon to say again what was not answered; a round trip and a voter's fsync have to fit in.
  detail::backoff_limits resend{std::chrono::milliseconds{30}, std::chrono::milliseconds{500}};
  /// How long to stay away after another proposer came between.
  detail::backoff_limits contention{std::chrono::milliseconds{10}, std::chrono::milliseconds{500}};
  /// When a question is given up: of a read or a renewal nothing is heard then.
  duration patience = std::chrono::seconds{3};
};

struct proposer_counters {
  std::uint64_t ballots = 0;      ///< begun
  std::uint64_t contentions = 0;  ///< lost to a higher one
  std::uint64_t short_reads = 0;  ///< reads that the promises alone answered
  std::uint64_t given_up = 0;     ///< questions without an answer
  std::uint64_t dropped = 0;      ///< questions beyond `questions_max`
  std::uint64_t malformed = 0;
};

/// The authority over a chain's views on a register that voters hold: a proposer of CASPaxos (arXiv 1802.07000) as a
/// pure state machine. Copyable.
///
/// Reads and compare-and-swaps go by ballots, one after another in the order in which they were asked, so that a read
/// is made at a ballot above all that this process proposed before. Renewals and reports are `epoch_polls`.
class proposer {
public:
  /// Reads and compare-and-swaps that wait at most; further ones are dropped, as if they were lost.
  static constexpr std::size_t questions_max = 64;

  /// `check(config)` must have passed. `random` must differ from that of every other process there ever was: it names
  /// this one in its ballots.
  proposer(const proposer_config& config, detail::random random);

  /// What is wrong with a configuration, if anything: `errc::invalid_configuration`.
  [[nodiscard]] static std::error_code check(const proposer_config& config) noexcept;
  /// The same of a list of voters: none or too many, a node twice or without a name, one that listens nowhere.
  [[nodiscard]] static std::error_code check(const std::vector<member>& voters) noexcept;

  /// Who the voters are, for one that was configured without any; till then questions wait. `check(voters)` must have
  /// passed.
  void use_voters(std::vector<member> voters, time_point now, effects<register_event>& out);

  /// `who`: this replica, which renews under its incarnation.
  void ask(const replica_id& who, const authority_question& question, time_point now, effects<register_event>& out);
  /// Nobody waits for the answer any more. What was proposed may still be chosen.
  void forget(question_id question);
  /// Makes `first` the first view, with the voters that are configured, in the lives in which they are met. Every voter
  /// must be met for that, and take it; `founding` tells the end. Several nodes may do so at once with equal views, and
  /// again at any later time: once a majority has taken it, it is founded, whoever is away.
  void found(view first, time_point now, effects<register_event>& out);

  void receive(const connection& from, bytes_view datagram, time_point now, effects<register_event>& out);
  void expire(time_point now, effects<register_event>& out);
  [[nodiscard]] std::optional<time_point> next_deadline() const noexcept;

  /// Which first view the voters hold; 0 while that is not known.
  [[nodiscard]] std::uint64_t genesis() const noexcept { return voters_.genesis(); }
  /// While it founds: the voters that have not answered yet.
  [[nodiscard]] std::vector<member> missing() const;
  /// The newest view that promises of the last ballot told of, chosen or not; epoch 0: none.
  [[nodiscard]] const view& newest_told() const noexcept { return newest_told_; }
  [[nodiscard]] const proposer_counters& counters() const noexcept { return counters_; }
  [[nodiscard]] std::uint64_t hash(time_point now) const;

private:
  struct waiting_question {
    question_id id = 0;
    bool is_cas = false;
    std::uint64_t expected = 0;
    view next;
    time_point deadline;
    bool is_under_way = false;  // the ballot at hand answers it
    bool is_proposed = false;   // a voter may have accepted `next`
  };
  enum class phase : std::uint8_t { idle, identify, found, prepare, accept };
  /// What a voter said when it was asked who it is.
  struct acquaintance {
    std::uint64_t incarnation = 0;
    std::uint64_t genesis = 0;
    view value;
  };
  /// One question to all voters, and what came back.
  struct round {
    phase what = phase::idle;
    std::uint64_t number = 0;
    ballot at;
    view value;  // of `found` and `accept`
    tally yes;
    tally no;
    time_point next_send;
    detail::backoff again;
    chosen_view highest;            // of `prepare`: accepted in the highest ballot that promises told of
    std::size_t agreed = 0;         // of `prepare`: promises that told of that very ballot
    std::vector<acquaintance> met;  // of `identify`, by voter
  };

  // proposer.cpp: questions, time
  void go_on(time_point now, effects<register_event>& out);
  void give_up_late(time_point now, effects<register_event>& out);
  [[nodiscard]] bool is_asked_for() const noexcept;
  void begin(phase what, time_point now, network_effects& out);
  void resend(time_point now, network_effects& out);
  [[nodiscard]] std::size_t enough() const noexcept;

  // proposer_ballots.cpp: reads and compare-and-swaps
  void begin_ballot(time_point now, network_effects& out);
  void promised(std::size_t voter, const register_reply& answer, time_point now, effects<register_event>& out);
  void refused(std::size_t voter, const register_reply& answer, time_point now);
  void step_back(time_point now);
  void decide(time_point now, effects<register_event>& out);
  void propose(const view& value, time_point now, effects<register_event>& out);
  void chosen(const chosen_view& value, time_point now, effects<register_event>& out);
  [[nodiscard]] static authority_answer answer_to(const waiting_question& question, const chosen_view& value);

  // proposer_genesis.cpp: who the voters are
  void met(std::size_t voter, const register_reply& answer, time_point now, effects<register_event>& out);
  [[nodiscard]] std::uint64_t common_genesis() const noexcept;
  void found_with_all(time_point now, effects<register_event>& out);
  void taken(std::size_t voter, const register_reply& answer, effects<register_event>& out);
  void end_with(view first, effects<register_event>& out);
  void make_up_for(std::size_t voter, network_effects& out);
  void end_founding(founding result, effects<register_event>& out);
  void alarm(voter_alarm::kind what, std::size_t voter, const register_reply& answer, effects<register_event>& out);

  proposer_config config_;
  detail::random random_;
  electorate voters_;
  replica_id self_;                  // as it asked last
  std::uint64_t incarnation_;        // of this process, in its ballots
  std::uint64_t highest_round_ = 0;  // that was heard of
  std::uint64_t next_number_;
  std::deque<waiting_question> questions_;
  std::optional<view> first_;        // to be founded
  std::optional<view> founded_;      // what this process has founded
  time_point founding_until_{};      // when the round `found` gives way to another look at who is there
  bool has_loose_proposal_ = false;  // a view was proposed here of which it is not known what became
  round round_;
  view newest_told_;                         // no state: nothing here goes by it
  std::optional<time_point> resting_until_;  // after a contention
  bool is_rested_ = true;                    // and has not been refused since
  detail::backoff contention_;
  epoch_polls polls_;
  tally alarmed_;
  proposer_counters counters_;
};

}  // namespace artillery::replication
