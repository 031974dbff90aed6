#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <system_error>
#include <vector>

#include "artillery/bytes.hpp"
#include "artillery/replication/types.hpp"
#include "replication/view_authority.hpp"

// What proposers and voters of the register say to each other (docs/register.md, "Messages"): one datagram each way. A
// question may be lost, come twice or late; so may its answer. Each is about one chain of one genesis, names its two
// speakers with their incarnations, and carries a number that its answer repeats.

namespace artillery::replication {

enum class register_question : std::uint8_t {
  identify = 0,  ///< who are you?
  found = 1,     ///< take this first view
  prepare = 2,   ///< promise this ballot, and tell what you accepted
  accept = 3,    ///< accept this view in this ballot
  renew = 4,     ///< is this still the epoch, and am I in it?
  report = 5     ///< how long ago did you last say yes to any of these, of an epoch before this one?
};
inline constexpr std::uint8_t register_question_max = 5;

/// Replicas that a report is about, at most; more are asked about as everybody.
inline constexpr std::size_t report_whom_max = 64;

/// What a voter says to a question. A code of the wire: never renumbered.
enum class voter_verdict : std::uint8_t {
  yes = 0,
  no = 1,             ///< another ballot was promised; another epoch is in force, or you are not in it
  not_founded = 2,    ///< no first view was ever taken here
  other_genesis = 3,  ///< a voter of another first view
  other_voter = 4,    ///< not the voter that is asked: its directory was lost, or is another's
  unfit = 5           ///< a view that this register cannot hold
};
inline constexpr std::uint8_t voter_verdict_max = 5;

struct register_request {
  register_question what = register_question::identify;
  std::uint64_t number = 0;
  std::uint64_t chain = 0;
  std::uint64_t genesis = 0;  ///< of `identify`: 0 when not known
  replica_id asker;
  std::uint64_t voter = 0;       ///< incarnation of the voter that is asked; of `identify`: 0
  ballot at;                     ///< of `prepare` and `accept`
  std::uint64_t epoch = 0;       ///< of `renew` and `report`
  view value;                    ///< of `found` and `accept`
  std::vector<replica_id> whom;  ///< of `report`; empty: everybody

  friend bool operator==(const register_request&, const register_request&) = default;
};

struct register_reply {
  register_question what = register_question::identify;  ///< that is answered
  voter_verdict verdict = voter_verdict::yes;
  std::uint64_t number = 0;
  std::uint64_t chain = 0;
  std::uint64_t genesis = 0;  ///< the voter's own; 0: not founded
  replica_id voter;
  ballot at;  ///< of a yes to `prepare` and `report`: accepted; of a no to `prepare` and `accept`: promised
  std::uint64_t epoch = 0;  ///< of `renew` and `report`: the accepted view's
  duration quiet{};         ///< of `report`: how long ago the last yes was, at least
  view value;               ///< of a yes to `identify` and `prepare`: accepted; epoch 0: none

  friend bool operator==(const register_reply&, const register_reply&) = default;
};

/// Whole datagrams; `out` is cleared first.
void encode(std::vector<std::byte>& out, std::uint32_t cluster, const register_request& message);
void encode(std::vector<std::byte>& out, std::uint32_t cluster, const register_reply& message);

/// Nothing, and why, for what is not well-formed to the last byte.
[[nodiscard]] std::optional<register_request> decode_register_request(bytes_view datagram, std::uint32_t cluster,
                                                                      std::error_code& error);
[[nodiscard]] std::optional<register_reply> decode_register_reply(bytes_view datagram, std::uint32_t cluster,
                                                                  std::error_code& error);
/// Whether a datagram is a proposer's question (or a voter's answer), by its first bytes alone: who has both at one
/// socket tells them apart by this.
[[nodiscard]] bool is_register_request(bytes_view datagram) noexcept;

}  // namespace artillery::replication
