#include "commands/member_text.hpp"

#include <nlohmann/json.hpp>

#include "artillery/node/types.hpp"
#include "byte_json.hpp"
#include "output/event_text.hpp"

namespace tool {

using nlohmann::json;

bool is_here(const json& member) {
  const std::string state = output::field_text(member, "state");
  return state == "alive" || state == "suspect";
}

std::string member_name_text(const json& member) {
  return output::field_text(member, "name") + (member.value("self", false) ? " (this)" : "");
}

std::string tags_text(const json& member) {
  std::string text;
  const json tags = member.value("tags", json::object());  // a name: items() refers to it
  for (const auto& [key, value] : tags.items()) {
    if (key == artillery::node_config::replica_tag || key == artillery::node_config::chain_tag) continue;
    text += (text.empty() ? "" : " ") + key + "=" + bytes_from_json(value).value_or("");
  }
  return text;
}

}  // namespace tool
