#include "scenarios/register_words.hpp"

#include <array>
#include <chrono>
#include <string_view>
#include <system_error>

#include "base/wire.hpp"
#include "replication/register_message.hpp"

namespace artillery::scenarios {

namespace {

using replication::register_question;
using replication::voter_verdict;

constexpr std::array<std::string_view, 6> questions{"identify", "found", "prepare", "accept", "renew", "report"};
constexpr std::array<std::string_view, 6> verdicts{"yes", "no", "not founded", "other genesis", "other voter", "unfit"};

std::string view_text(const replication::view& value, const member_name& name_of) {
  std::string text = "epoch " + std::to_string(value.epoch) + " of";
  for (const replication::member& one : value.replicas) {
    text += " " + name_of(one.id);
  }
  return text;
}

std::string text_of_request(const replication::register_request& asked, const member_name& name_of) {
  std::string text = std::string{questions.at(static_cast<std::size_t>(asked.what))} + "?";
  if (asked.what == register_question::prepare || asked.what == register_question::accept) {
    text += " ballot " + ballot_text(asked.at);
  }
  if (asked.value.epoch != 0) text += " " + view_text(asked.value, name_of);
  if (asked.epoch != 0) text += " epoch " + std::to_string(asked.epoch);
  return text;
}

std::string text_of_reply(const replication::register_reply& said, const member_name& name_of) {
  std::string text = std::string{questions.at(static_cast<std::size_t>(said.what))} + ": " +
                     std::string{verdicts.at(static_cast<std::size_t>(said.verdict))};
  const bool tells_ballot = said.what == register_question::prepare || said.what == register_question::report ||
                            (said.what == register_question::accept && said.verdict == voter_verdict::no);
  if (tells_ballot) text += ", ballot " + ballot_text(said.at);
  if (said.value.epoch != 0) text += ", " + view_text(said.value, name_of);
  if (said.epoch != 0) text += ", epoch " + std::to_string(said.epoch);
  if (said.what == register_question::report)
    text += ", quiet for " + std::to_string(said.quiet / std::chrono::milliseconds{1}) + "ms";
  return text;
}

}  // namespace

std::string ballot_text(const replication::ballot& at) {
  if (at.round == 0) return "the first";
  return std::to_string(at.round) + "/" + std::to_string(at.proposer.low) + "/" + std::to_string(at.incarnation % 1000);
}

described describe_register(const utterance& what, const char* of_cluster, const member_name& name_of) {
  const std::uint32_t tag = detail::cluster_tag(of_cluster);
  std::error_code error;
  if (const auto asked = replication::decode_register_request(what.message, tag, error)) {
    return {std::string{questions.at(static_cast<std::size_t>(asked->what))}, text_of_request(*asked, name_of)};
  }
  if (const auto said = replication::decode_register_reply(what.message, tag, error)) {
    return {std::string{questions.at(static_cast<std::size_t>(said->what))}, text_of_reply(*said, name_of)};
  }
  return {"unreadable", "no message of ours"};
}

}  // namespace artillery::scenarios
