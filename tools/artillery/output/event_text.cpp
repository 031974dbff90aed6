#include "output/event_text.hpp"

#include <nlohmann/json.hpp>
#include <string_view>

#include "byte_json.hpp"
#include "output/table.hpp"

namespace tool::output {

namespace {

using nlohmann::json;

/// A payload may be long; a line of an account must not be.
constexpr std::size_t line_columns_max = 300;

std::string short_id(const json& object, const char* name) {
  return field_text(object, name).substr(0, 8);
}

std::string member_text(const json& event) {
  const json member = event.value("member", json::object());
  return field_text(member, "name") + " (" + short_id(member, "id") + ") at " + field_text(member, "address");
}

std::string service_text(const json& event) {
  return field_text(event, "name") + " (" + short_id(event, "node") + ")";
}

std::string chain_text(const json& event) {
  std::string text = "epoch " + field_text(event, "epoch") + ", here " + field_text(event, "role") + ":";
  for (const json& replica : event.value("replicas", json::array())) text += ' ' + short_id(replica, "id");
  for (const json& learner : event.value("learners", json::array())) text += " (+" + short_id(learner, "id") + ')';
  return text;
}

std::string user_text(const json& event) {
  return field_text(event, "topic") + " from " + short_id(event, "origin") + ": " + field_text(event, "payload");
}

std::string answer_text(const json& event) {
  return field_text(event, "name") + " (" + short_id(event, "origin") + "): " + field_text(event, "payload");
}

std::string end_text(const json& event) {
  return field_text(event, "answered") + " of " + field_text(event, "asked") + " answered, " +
         field_text(event, "heard") + " have the question";
}

std::string ready_text(const json& event) {
  return "agent " + field_text(event, "name") + " (" + short_id(event, "id") + ") of cluster " +
         field_text(event, "cluster") + ", members " + field_text(event, "membership") + ", replication " +
         field_text(event, "replication") + ", socket " + field_text(event, "socket");
}

std::string details(const json& event, std::string_view name) {
  if (event.contains("member"))
    return member_text(event) + (event.contains("reason") ? ": " + field_text(event, "reason") : "");
  if (name == "paused") return "for " + field_text(event, "ms") + " ms";
  if (name == "moved") return "from " + field_text(event, "before") + " to " + field_text(event, "after");
  if (name == "ready") return ready_text(event);
  if (name == "user" || name == "message" || name == "query") return user_text(event);
  if (name == "answer") return answer_text(event);
  if (name == "query_end") return end_text(event);
  if (name == "chain_formed" || name == "chain_changed") return chain_text(event);
  if (name == "chain_conflict") return field_text(event, "explanation");
  if (name.starts_with("service_")) return service_text(event);
  if (event.contains("lost")) return field_text(event, "lost") + " events were lost";
  if (name == "gap") return field_text(event, "count") + " events of " + short_id(event, "origin") + " were lost";
  if (event.contains("epoch")) return "epoch " + field_text(event, "epoch");
  return {};
}

}  // namespace

std::string field_text(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return {};
  if (auto bytes = bytes_from_json(*found)) return *bytes;
  return to_line(*found);
}

std::string event_text(const json& event) {
  const std::string name = field_text(event, "event");
  std::string line = field_text(event, "time") + "  " + name;
  const std::string more = details(event, name);
  if (!more.empty()) line.append(name.size() < 14 ? 14 - name.size() : 0, ' ').append("  ").append(more);
  return printable(line, line_columns_max);
}

}  // namespace tool::output
