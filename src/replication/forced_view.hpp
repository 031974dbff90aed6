#pragma once

#include <cstdint>
#include <optional>
#include <system_error>

#include "artillery/replication/types.hpp"
#include "replication/acceptor.hpp"
#include "replication/voter_state.hpp"

// A chain of which no majority of the voters is left can take no step any more (`next_view`): what is here is no step,
// but the beginning of another chain, with what one replica of the lost one holds.

namespace artillery::replication {

/// Whether `survivor`, a replica of `known`, holds all that was committed, as far as anybody here knows: no later view
/// that leaves it out was accepted by the voter here (`vote`; epoch 0: none), or by one that answered (`told`).
[[nodiscard]] bool may_go_on(const view& known, const replica_id& survivor, const view& vote,
                             const view& told) noexcept;

/// What was found at the node where another register is to be founded.
struct force_findings {
  std::error_code read;             ///< what a read of the lost register came to
  const acceptor* voter = nullptr;  ///< the one here; null: none
  std::uint64_t genesis = 0;        ///< of the lost register, as the proposer here knows it
  const view* told = nullptr;       ///< the newest view that voters told this proposer of, chosen or not
};

/// What forbids it, if anything: see `quorum_authority::async_force`.
[[nodiscard]] std::error_code objection_to_force(const force_findings& found, const view& known,
                                                 const replica_id& survivor);

/// What the voter of the chain that begins with `first` holds.
[[nodiscard]] voter_state first_vote(const view& first);

/// The first view of the chain that goes on with `survivor` alone after `known`, on the one vote of `voter`. Whoever
/// may hold a right to read in the lost chain is a reader of it, so that its tail waits for the end of that.
///
/// Its epoch is above every one that the lost chain can get to in steps, should more of it be alive than was thought:
/// whatever bears an epoch is told apart, and fenced, by it. `drawn`, at random, tells apart two chains that take the
/// place of the same one by mistake.
///
/// Nothing when there is no such view: `survivor` is no replica of `known`, too many may hold a right to read, or this
/// was done too often (after some five hundred times).
[[nodiscard]] std::optional<view> forced_view(const view& known, const replica_id& survivor, const member& voter,
                                              std::uint64_t drawn);

}  // namespace artillery::replication
