#include <array>
#include <string_view>

#include "base/wire.hpp"
#include "replication/register_message.hpp"
#include "rooms_in_words.hpp"
#include "run_words.hpp"
#include "sim/register_swarm.hpp"

namespace simulator {

namespace sim = artillery::sim;
namespace replication = artillery::replication;

namespace {

using replication::register_question;
using replication::voter_verdict;

constexpr std::array<std::string_view, 6> questions{"identify", "found", "prepare", "accept", "renew", "report"};
constexpr std::array<std::string_view, 6> verdicts{"yes", "no", "not founded", "other genesis", "other voter", "unfit"};

std::string register_host_name(std::size_t voters, sim::host which) {
  return which < voters ? "v" + std::to_string(which) : "m" + std::to_string(which - voters);
}

std::string ballot_text(const replication::ballot& at) {
  if (at.round == 0) return "the first";
  return std::to_string(at.round) + "/" + std::to_string(at.proposer.low) + "/" + std::to_string(at.incarnation % 1000);
}

std::string view_text(const replication::view& value) {
  std::string text = "epoch " + std::to_string(value.epoch) + " of";
  for (const replication::member& one : value.replicas) {
    text += " m" + std::to_string(one.id.node.low - 1) + "." + std::to_string(one.id.incarnation);
  }
  return text;
}

std::string text_of_request(const replication::register_request& asked) {
  std::string text = std::string{questions.at(static_cast<std::size_t>(asked.what))} + "? ";
  if (asked.what == register_question::prepare || asked.what == register_question::accept) {
    text += "ballot " + ballot_text(asked.at) + " ";
  }
  if (asked.value.epoch != 0) text += view_text(asked.value);
  if (asked.epoch != 0) text += "epoch " + std::to_string(asked.epoch);
  return text + "  (" + std::to_string(asked.number % 100'000) + ")";
}

std::string text_of_reply(const replication::register_reply& said) {
  std::string text = std::string{questions.at(static_cast<std::size_t>(said.what))} + ": " +
                     std::string{verdicts.at(static_cast<std::size_t>(said.verdict))};
  const bool tells_ballot = said.what == register_question::prepare || said.what == register_question::report ||
                            (said.what == register_question::accept && said.verdict == voter_verdict::no);
  if (tells_ballot) text += ", ballot " + ballot_text(said.at);
  if (said.value.epoch != 0) text += ", " + view_text(said.value);
  if (said.epoch != 0) text += ", epoch " + std::to_string(said.epoch);
  if (said.what == register_question::report) text += ", quiet for " + time_text(said.quiet);
  return text + "  (" + std::to_string(said.number % 100'000) + ")";
}

std::string text_of_register(const artillery::scenarios::utterance& what) {
  const std::uint32_t cluster = artillery::detail::cluster_tag(sim::register_cluster);
  std::error_code error;
  if (const auto asked = replication::decode_register_request(what.message, cluster, error)) {
    return text_of_request(*asked);
  }
  if (const auto said = replication::decode_register_reply(what.message, cluster, error)) return text_of_reply(*said);
  return "no message of ours";
}

}  // namespace

drawn register_drawn(std::uint64_t seed, const sim::run_options& options) {
  const sim::register_swarm s = sim::register_swarm_of(seed, options);
  std::string first;
  for (const std::size_t one : s.first) first += " m" + std::to_string(one);
  drawn lines{{"faults", families_text(s.families)},
              {"nodes", counted(s.voters, "voter") + ", " + counted(s.members, "member") + ", " +
                            counted(s.founders, "founder") + (s.has_other_founder ? " and one of another view" : "")},
              {"first view", first.substr(1) + ", leases of " + time_text(s.lease)},
              {"network", faults_text(s.faults)},
              {"faulty phase", time_text(s.fault_phase) + " after " + time_text(s.calm) + " of calm"}};
  for (std::size_t i = 0; i < s.fault_events.size(); ++i) {
    const sim::register_fault& one = s.fault_events[i];
    lines.emplace_back(choice_text(i, one.at), std::string{to_string(one.what)});
  }
  return lines;
}

room_words register_words(std::uint64_t seed, const sim::run_options& options) {
  const std::size_t voters = sim::register_swarm_of(seed, options).voters;
  return {.name_of = [voters](sim::host which) { return register_host_name(voters, which); },
          .text_of = [](const artillery::scenarios::utterance& what) { return text_of_register(what); }};
}

}  // namespace simulator
