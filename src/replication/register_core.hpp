#pragma once

#include <cstdint>
#include <optional>
#include <system_error>
#include <vector>

#include "artillery/bytes.hpp"
#include "artillery/clock.hpp"
#include "artillery/effects.hpp"
#include "base/random.hpp"
#include "replication/acceptor.hpp"
#include "replication/proposer.hpp"

namespace artillery::replication {

/// One process's part in a chain's register, as a pure state machine: its proposer and, where it has a directory, its
/// voter, behind one datagram socket. Which of them a datagram is for is told by its first bytes. Copyable.
class register_core {
public:
  /// `config.voters` may be empty: then nobody is asked before `use_voters`. See `proposer` for the rest.
  register_core(const proposer_config& config, detail::random random);

  /// From now on this process votes. `durable` is what its disk holds; the process started at `now`.
  void vote(voter_state durable, time_point now);
  /// Who the voters are, told once, when they were not known at the start.
  void use_voters(std::vector<member> voters, time_point now, effects<register_event>& out);

  /// Who the voters of the chain are that takes the place of the one it asked so far. Whoever waits for an answer gets
  /// none, and the voter here, if any, was not founded.
  void ask_others(const proposer_config& config, detail::random random);
  /// The register is lost, and another one takes its place: `durable`, founded, is its voter here, which the disk holds
  /// already, and `config` knows it with its genesis. The voter of before was settled, and says nothing any more.
  void begin_again(const proposer_config& config, detail::random random, voter_state durable, time_point now);

  void ask(const replica_id& who, const authority_question& question, time_point now, effects<register_event>& out) {
    proposer_.ask(who, question, now, out);
  }
  void forget(question_id question) { proposer_.forget(question); }
  void found(view first, time_point now, effects<register_event>& out) { proposer_.found(std::move(first), now, out); }

  void receive(const connection& from, bytes_view datagram, time_point now, effects<register_event>& out);
  void completed(operation op, std::error_code error, time_point now, effects<register_event>& out);
  void expire(time_point now, effects<register_event>& out) { proposer_.expire(now, out); }
  [[nodiscard]] std::optional<time_point> next_deadline() const noexcept { return proposer_.next_deadline(); }

  [[nodiscard]] const replication::proposer& proposer() const noexcept { return proposer_; }
  /// Nothing while it does not vote.
  [[nodiscard]] const replication::acceptor* voter() const noexcept { return acceptor_ ? &*acceptor_ : nullptr; }
  /// Questions to a voter that came to a process that is none.
  [[nodiscard]] std::uint64_t misdirected() const noexcept { return misdirected_; }
  [[nodiscard]] std::uint64_t hash(time_point now) const;

private:
  std::uint32_t cluster_;
  replication::proposer proposer_;
  std::optional<replication::acceptor> acceptor_;
  std::uint64_t misdirected_ = 0;
};

}  // namespace artillery::replication
