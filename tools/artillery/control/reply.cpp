#include "control/reply.hpp"

#include <array>
#include <chrono>

#include "artillery/error.hpp"
#include "byte_json.hpp"
#include "control/message.hpp"

namespace tool::control {

namespace {

using artillery::errc;

struct known_error {
  errc code;
  std::string_view word;
  exit_code exit = exit_code::failed;
};

constexpr std::array<known_error, 31> known_errors{{
    {errc::invalid_configuration, "invalid_configuration"},
    {errc::invalid_argument, "invalid_argument"},
    {errc::too_large, "too_large"},
    {errc::would_overflow, "would_overflow"},
    {errc::timed_out, "timed_out", exit_code::timed_out},
    {errc::not_running, "not_running"},
    {errc::already_running, "already_running"},
    {errc::invariant_broken, "invariant_broken"},
    {errc::malformed, "malformed"},
    {errc::unsupported_version, "unsupported_version"},
    {errc::wrong_cluster, "wrong_cluster"},
    {errc::checksum_mismatch, "checksum_mismatch"},
    {errc::has_left, "has_left"},
    {errc::unknown_member, "unknown_member"},
    {errc::stale_epoch, "stale_epoch"},
    {errc::not_serving, "not_serving"},
    {errc::not_head, "not_head"},
    {errc::not_tail, "not_tail"},
    {errc::node_id_in_use, "node_id_in_use"},
    {errc::busy, "busy"},
    {errc::outcome_unknown, "outcome_unknown", exit_code::outcome_unknown},
    {errc::unknown_session, "unknown_session"},
    {errc::token_void, "token_void"},
    {errc::chain_stopped, "chain_stopped"},
    {errc::other_genesis, "other_genesis"},
    {errc::voters_disagree, "voters_disagree"},
    {errc::has_quorum, "has_quorum"},
    {errc::directory_in_use, "directory_in_use"},
    {errc::damaged_data, "damaged_data"},
    {errc::newer_format, "newer_format"},
    {errc::foreign_data, "foreign_data"},
}};

std::string_view word_for(const std::error_code& error) {
  for (const known_error& known : known_errors) {
    if (error == known.code) return known.word;
  }
  return "system";
}

exit_code exit_for(std::string_view word) {
  for (const known_error& known : known_errors) {
    if (word == known.word) return known.exit;
  }
  return exit_code::failed;
}

}  // namespace

nlohmann::json with_deadline(nlohmann::json head, artillery::duration timeout) {
  head["version"] = protocol_version;
  head["timeout_ms"] = std::chrono::ceil<std::chrono::milliseconds>(timeout).count();
  return head;
}

nlohmann::json error_reply(std::string_view code, const std::string& message) {
  return {{"ok", false}, {"error", {{"code", code}, {"message", message}}}};
}

nlohmann::json error_reply(const std::error_code& error) {
  return error_reply(word_for(error), error.message());
}

void require_ok(const nlohmann::json& reply) {
  const auto ok = reply.find("ok");
  if (ok != reply.end() && ok->is_boolean() && ok->get<bool>()) return;
  const auto error = reply.find("error");
  const bool is_report = error != reply.end() && error->is_object() && error->contains("code") &&
                         error->at("code").is_string() && error->contains("message") &&
                         error->at("message").is_string();
  if (!is_report) throw failure{exit_code::failed, "the agent's answer makes no sense: " + to_line(reply)};
  throw failure{exit_for(error->at("code").get<std::string>()), error->at("message").get<std::string>()};
}

}  // namespace tool::control
