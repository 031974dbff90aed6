#include "agent/request_fields.hpp"

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "artillery/node/types.hpp"
#include "byte_json.hpp"

namespace tool::agent {

namespace {

constexpr std::size_t texts_max = 16;

[[noreturn]] void refuse(const char* name, const char* allowed) {
  throw bad_field{std::string{"'"} + name + "' must be " + allowed};
}

const nlohmann::json* find(const nlohmann::json& head, const char* name) {
  const auto found = head.find(name);
  return found == head.end() ? nullptr : &*found;
}

}  // namespace

std::string text_field(const nlohmann::json& head, const char* name) {
  const auto* found = find(head, name);
  if (found == nullptr || !found->is_string()) refuse(name, "a string");
  return found->get<std::string>();
}

std::string bytes_field(const nlohmann::json& head, const char* name) {
  const auto* found = find(head, name);
  auto value = found == nullptr ? std::nullopt : bytes_from_json(*found);
  if (!value) refuse(name, "a string, or an object with the one member base64");
  return std::move(*value);
}

std::string topic_field(const nlohmann::json& head, bool may_ping) {
  std::string topic = bytes_field(head, "topic");
  if (topic.empty() || topic.size() > artillery::membership::topic_size_max) refuse("topic", "1 to 64 bytes");
  const bool is_own = topic.starts_with(artillery::node_config::own_topics);
  if (is_own && !(may_ping && topic == artillery::node_config::ping_topic))
    refuse("topic", "one that does not begin with 'artillery.': those are the agents' own");
  return topic;
}

artillery::duration timeout_field(const nlohmann::json& head) {
  constexpr std::chrono::milliseconds most = std::chrono::hours{24};
  const auto* found = find(head, "timeout_ms");
  if (found == nullptr) return std::chrono::seconds{5};
  const bool is_allowed = found->is_number_unsigned() && found->get<std::uint64_t>() >= 1 &&
                          found->get<std::uint64_t>() <= static_cast<std::uint64_t>(most.count());
  if (!is_allowed) refuse("timeout_ms", "a whole number from 1 to 86400000");
  return std::chrono::milliseconds{found->get<std::int64_t>()};
}

std::vector<std::string> texts_field(const nlohmann::json& head, const char* name) {
  std::vector<std::string> texts;
  const auto* found = find(head, name);
  if (found == nullptr) return texts;
  if (!found->is_array() || found->size() > texts_max) refuse(name, "a list of at most 16 strings");
  for (const nlohmann::json& one : *found) {
    if (!one.is_string()) refuse(name, "a list of at most 16 strings");
    texts.push_back(one.get<std::string>());
  }
  return texts;
}

}  // namespace tool::agent
