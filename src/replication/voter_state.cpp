#include "replication/voter_state.hpp"

#include <algorithm>

#include "base/crc32c.hpp"
#include "base/cursor.hpp"
#include "base/state_hash.hpp"
#include "replication/register_codec.hpp"

namespace artillery::replication {

using detail::reader;
using detail::writer;

namespace {

constexpr std::string_view voter_magic = "artillery voter\n";
constexpr std::size_t voter_header_size = 16 + 2 + 4;  // magic, format, length of what follows
constexpr std::size_t voter_checksum_size = 4;
constexpr std::size_t voter_file_size_usual = 1024;

bool is_same_set_of_nodes(const std::vector<member>& a, const std::vector<member>& b) noexcept {
  if (a.size() != b.size()) return false;
  return std::all_of(a.begin(), a.end(), [&b](const member& one) {
    return std::any_of(b.begin(), b.end(), [&one](const member& other) { return other.id.node == one.id.node; });
  });
}

}  // namespace

std::uint64_t genesis_of(const view& first) {
  std::vector<std::byte> encoded;
  writer out{encoded};
  put_view(out, first);
  const std::uint64_t name = detail::state_hash{}.add(bytes_view{encoded}).value();
  return name == 0 ? 1 : name;
}

bool is_same_register(const view& a, const view& b) noexcept {
  return a.chain == b.chain && a.voters == b.voters && a.lease == b.lease && a.drift_ppm == b.drift_ppm &&
         a.leases == b.leases;
}

std::vector<std::byte> encode_voter(const voter_state& state) {
  std::vector<std::byte> file;
  file.reserve(voter_file_size_usual);
  writer out{file};
  out.put_raw(as_bytes(voter_magic)).put(voter_format).put(std::uint32_t{0});
  out.put(state.chain).put(state.self.node).put(state.self.incarnation).put(state.genesis);
  if (state.is_founded()) {
    put_ballot(out, state.promised);
    put_ballot(out, state.accepted);
    put_view(out, state.value);
  }
  out.patch_u32(voter_magic.size() + sizeof voter_format, static_cast<std::uint32_t>(file.size() - voter_header_size));
  out.put(detail::crc32c(file));
  return file;
}

decoded_voter decode_voter(bytes_view file) {
  reader in{file};
  const bytes_view magic = in.take_raw(voter_magic.size());
  const std::size_t told = std::min(file.size(), voter_magic.size());
  if (as_text(file.first(told)) != voter_magic.substr(0, told)) return {voter_fault::not_a_voter_file, {}};
  const auto format = in.take<std::uint16_t>();
  if (magic.empty() || in.failed()) return {voter_fault::truncated, {}};
  if (format > voter_format) return {voter_fault::newer_format, {}};
  const auto length = in.take<std::uint32_t>();
  if (in.failed() || in.left() < std::size_t{length} + voter_checksum_size) return {voter_fault::truncated, {}};
  const bytes_view covered = file.first(voter_header_size + length);
  reader body{in.take_raw(length)};
  const auto checksum = in.take<std::uint32_t>();
  if (!in.complete() || checksum != detail::crc32c(covered)) return {voter_fault::damaged, {}};

  decoded_voter result;
  voter_state& state = result.state;
  state.chain = body.take<std::uint64_t>();
  state.self.node = body.take_node_id();
  state.self.incarnation = body.take<std::uint64_t>();
  state.genesis = body.take<std::uint64_t>();
  if (state.is_founded()) {
    state.promised = take_ballot(body);
    state.accepted = take_ballot(body);
    state.value = take_view(body);
  }
  // A sound checksum over what no voter writes: made by hand, or by a program of another kind.
  if (!body.complete() || format == 0 || state.accepted > state.promised) return {voter_fault::damaged, {}};
  return result;
}

voter_fault check_voter(const voter_state& state, std::uint64_t chain, const node_id& node,
                        const std::vector<member>& voters) noexcept {
  if (state.chain != chain) return voter_fault::other_chain;
  if (state.self.node != node) return voter_fault::other_node;
  const bool compares = state.is_founded() && !voters.empty();
  if (compares && !is_same_set_of_nodes(state.value.voters, voters)) return voter_fault::voters_disagree;
  return voter_fault::none;
}

std::string describe(voter_fault fault, std::string_view path) {
  // A voter without its file is a voter less: the register goes on while a majority is left.
  constexpr std::string_view lost =
      "; nothing was changed. This voter cannot vote any more, unless you put back this very file as it was last "
      "written (never an older copy: it would forget promises). The others go on while they are a majority; to start "
      "this node without a voter, move the file away";
  const std::string file = "the voter's file " + std::string{path};
  switch (fault) {
    case voter_fault::none: return file + " is sound";
    case voter_fault::not_a_voter_file:
      return file +
             " is not one: its first bytes are not \"artillery voter\"; nothing was changed. Name another "
             "directory for the voter, or move the file away if nobody needs it";
    case voter_fault::truncated: return file + " is cut short" + std::string{lost};
    case voter_fault::damaged:
      return file + " does not match its checksum: it was edited, or its disk is failing" + std::string{lost};
    case voter_fault::newer_format:
      return file +
             " was written by a newer version of artillery; nothing was changed. Start that version, or a newer "
             "one, with it";
    case voter_fault::other_chain:
      return file +
             " is a voter's of another chain; nothing was changed. Give each chain a directory of its own, or "
             "correct the chain's number in the configuration";
    case voter_fault::other_node:
      return file +
             " is another node's; nothing was changed. Give each node a directory of its own, or correct this "
             "node's id";
    case voter_fault::voters_disagree:
      return file +
             " was founded with other voters than the configuration names; nothing was changed. The voters of a "
             "chain are fixed when it is founded: correct the list of voters in the configuration";
  }
  return file;
}

}  // namespace artillery::replication
