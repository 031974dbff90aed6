#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "artillery/bytes.hpp"
#include "artillery/replication/types.hpp"
#include "replication/view_authority.hpp"

namespace artillery::replication {

/// What a voter must never forget: written before any answer that tells of it leaves (R13).
struct voter_state {
  std::uint64_t chain = 0;
  replica_id self;            ///< the incarnation is that of its directory: another one has other promises to keep
  std::uint64_t genesis = 0;  ///< of which first view it is a voter; 0: of none yet
  ballot promised;            ///< nothing below it is accepted any more
  ballot accepted;
  view value;  ///< accepted in it; epoch 0 before the genesis

  [[nodiscard]] bool is_founded() const noexcept { return genesis != 0; }

  friend bool operator==(const voter_state&, const voter_state&) = default;
};

/// Names a first view: equal for equal views, hence the same for all who found a chain from the same list. Never 0.
[[nodiscard]] std::uint64_t genesis_of(const view& first);

/// The views' parts that are fixed by the genesis agree: chain, voters, length and kind of leases, drift of clocks.
[[nodiscard]] bool is_same_register(const view& a, const view& b) noexcept;

// --- the voter's file: docs/register.md has the bytes ---

/// Newest format that is read and written here.
inline constexpr std::uint16_t voter_format = 1;
/// More is in no voter's file: the largest view has fewer bytes.
inline constexpr std::size_t voter_file_size_max = std::size_t{64} << 10U;

/// Why a voter does not start. In none of these cases is anything written.
enum class voter_fault : std::uint8_t {
  none,
  not_a_voter_file,
  truncated,
  damaged,       ///< the checksum does not match: edited, or rotten
  newer_format,  ///< written by a later version of the program
  other_chain,
  other_node,
  voters_disagree  ///< the configured voters are not those of the genesis
};

[[nodiscard]] std::vector<std::byte> encode_voter(const voter_state& state);

struct decoded_voter {
  voter_fault fault = voter_fault::none;
  voter_state state;  ///< of no account when there is a fault
};
[[nodiscard]] decoded_voter decode_voter(bytes_view file);

/// Whether a sound file is the one that this node means. `voters`: as configured; empty when the configuration says
/// nothing of them. Their nodes are compared; incarnations are the file's to say.
[[nodiscard]] voter_fault check_voter(const voter_state& state, std::uint64_t chain, const node_id& node,
                                      const std::vector<member>& voters) noexcept;

/// For a person: what is wrong with the voter's file at `path`, and what to do.
[[nodiscard]] std::string describe(voter_fault fault, std::string_view path);

}  // namespace artillery::replication
