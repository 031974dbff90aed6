#include "replication/electorate.hpp"

#include <algorithm>
#include <utility>

namespace artillery::replication {

electorate::electorate(std::uint32_t cluster, std::uint64_t chain, std::vector<member> voters, std::uint64_t port)
    : cluster_{cluster}, chain_{chain}, voters_{std::move(voters)}, port_{port} {}

void electorate::learn(std::uint64_t genesis, const std::vector<member>& voters) {
  genesis_ = genesis;
  // Where they listen stays as it is configured here, in the configured order.
  for (const member& told : voters) {
    if (const auto found = find(told.id.node)) voters_[*found].id.incarnation = told.id.incarnation;
  }
}

std::optional<std::size_t> electorate::find(const node_id& voter) const noexcept {
  const auto found =
      std::find_if(voters_.begin(), voters_.end(), [&voter](const member& one) { return one.id.node == voter; });
  if (found == voters_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - voters_.begin());
}

std::optional<std::size_t> electorate::find_at(const endpoint& place) const noexcept {
  const auto found =
      std::find_if(voters_.begin(), voters_.end(), [&place](const member& one) { return one.at == place; });
  if (found == voters_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - voters_.begin());
}

bool electorate::are_those(const std::vector<member>& voters) const noexcept {
  return voters.size() == size() &&
         std::all_of(voters.begin(), voters.end(), [this](const member& one) { return find(one.id.node).has_value(); });
}

void electorate::ask(std::size_t to, register_request question, network_effects& out) {
  question.chain = chain_;
  question.voter = voters_[to].id.incarnation;
  if (question.genesis == 0) question.genesis = genesis_;
  encode(scratch_, cluster_, question);
  out.send(connection{port_, voters_[to].at, false}, scratch_);
}

void electorate::ask_all(const register_request& question, const tally& except, network_effects& out) {
  for (std::size_t i = 0; i < size(); ++i) {
    if (!except.has(i)) ask(i, question, out);
  }
}

std::optional<register_reply> electorate::take(bytes_view datagram) const {
  std::error_code error;
  auto answer = decode_register_reply(datagram, cluster_, error);
  if (answer && answer->chain != chain_) answer.reset();
  return answer;
}

}  // namespace artillery::replication
