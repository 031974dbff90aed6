#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "artillery/effects.hpp"
#include "artillery/replication/types.hpp"
#include "replication/register_message.hpp"

namespace artillery::replication {

/// Which of the voters said something: each counts once, however often it says so.
class tally {
public:
  void add(std::size_t voter) noexcept { voters_ |= std::uint32_t{1} << voter; }
  [[nodiscard]] bool has(std::size_t voter) const noexcept { return (voters_ >> voter & 1U) != 0; }
  [[nodiscard]] std::size_t count() const noexcept { return static_cast<std::size_t>(std::popcount(voters_)); }
  void clear() noexcept { voters_ = 0; }
  [[nodiscard]] std::uint32_t bits() const noexcept { return voters_; }

private:
  std::uint32_t voters_ = 0;
};
static_assert(view_replicas_max <= 32, "a tally has a bit for each voter");

/// The voters as a proposer knows them, and how to speak to them. Which nodes they are is configured; which first view
/// they are voters of, and in which life of their directories, may have to be asked for first.
class electorate {
public:
  /// `voters`: incarnations of 0 are not known yet. `port`: which datagram socket speaks to them.
  electorate(std::uint32_t cluster, std::uint64_t chain, std::vector<member> voters, std::uint64_t port);

  /// What the genesis says: who must be asked, in which life.
  void learn(std::uint64_t genesis, const std::vector<member>& voters);
  /// In which life a voter says that it is, before there is a genesis to say so.
  void meet(std::size_t voter, std::uint64_t incarnation) noexcept { voters_[voter].id.incarnation = incarnation; }
  [[nodiscard]] bool is_known() const noexcept { return genesis_ != 0; }
  [[nodiscard]] std::uint64_t genesis() const noexcept { return genesis_; }
  [[nodiscard]] const std::vector<member>& voters() const noexcept { return voters_; }
  [[nodiscard]] std::size_t size() const noexcept { return voters_.size(); }
  [[nodiscard]] std::size_t majority() const noexcept { return voters_.size() / 2 + 1; }
  /// So many of them have said no that the rest is no majority.
  [[nodiscard]] bool is_lost(const tally& noes) const noexcept { return size() - noes.count() < majority(); }

  [[nodiscard]] std::optional<std::size_t> find(const node_id& voter) const noexcept;
  /// The voter that listens there.
  [[nodiscard]] std::optional<std::size_t> find_at(const endpoint& place) const noexcept;
  /// True for the nodes that are configured, in any order and life.
  [[nodiscard]] bool are_those(const std::vector<member>& voters) const noexcept;

  /// Asks voter `to`; chain, genesis and the voter's incarnation are filled in.
  void ask(std::size_t to, register_request question, network_effects& out);
  /// Asks all but those in `except`.
  void ask_all(const register_request& question, const tally& except, network_effects& out);
  /// A voter's answer, if it is one that concerns this chain.
  [[nodiscard]] std::optional<register_reply> take(bytes_view datagram) const;

private:
  std::uint32_t cluster_;
  std::uint64_t chain_;
  std::uint64_t genesis_ = 0;
  std::vector<member> voters_;
  std::uint64_t port_;
  std::vector<std::byte> scratch_;  // no state: memory for the datagram being made
};

}  // namespace artillery::replication
