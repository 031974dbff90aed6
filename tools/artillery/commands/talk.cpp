#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "byte_json.hpp"
#include "commands/commands.hpp"
#include "commands/file_content.hpp"
#include "commands/follow.hpp"
#include "commands/inquiry.hpp"
#include "control/client.hpp"
#include "output/event_text.hpp"
#include "output/print.hpp"

// What is said to other members: events, messages, questions and answers.

namespace tool {

namespace {

using nlohmann::json;
using output::field_text;

std::string content_of(const std::optional<std::string>& payload) {
  return payload == "-" ? read_content("-", control::body_max) : payload.value_or("");
}

/// That one answer was not taken, since its time was over, say, is no reason to answer no others.
void answer_one(control::client& client, const json& query, const std::string& payload, artillery::duration timeout) {
  json request{{"op", "answer"}, {"origin", query.value("origin", "")}, {"number", query.value("number", 0U)}};
  try {
    (void)client.request(std::move(request), payload, timeout);
  } catch (const failure& failed) {
    if (failed.code() == exit_code::unreachable) throw;
    std::fprintf(stderr, "artillery: not answered: %s\n", failed.what());
  }
}

}  // namespace

exit_code run(const event_options& options) {
  if (options.listen) {
    json wanted{{"kinds", {"user"}}};
    if (!options.topic.empty()) wanted["topic"] = bytes_to_json(options.topic);
    control::client events = subscribe(options.common, std::move(wanted));
    return follow(events, options.stream, [&](const json& event) {
      output::print_event(options.common.format, event);
      return true;
    });
  }
  control::client client{options.common.socket_path()};
  json request{{"op", "event"}, {"topic", bytes_to_json(options.topic)}};
  (void)client.request(std::move(request), content_of(options.payload), options.common.timeout);
  output::print(options.common.format, {{"topic", bytes_to_json(options.topic)}, {"sent", true}}, {});
  return exit_code::done;
}

exit_code run(const send_options& options) {
  control::client client{options.common.socket_path()};
  json request{{"op", "send"},
               {"to", options.member},
               {"topic", bytes_to_json(options.topic)},
               {"delivery", options.best_effort ? "best_effort" : "reliable"}};
  (void)client.request(std::move(request), content_of(options.payload), options.common.timeout);
  const json sent{{"to", options.member},
                  {"topic", bytes_to_json(options.topic)},
                  {"sent", true},
                  {"arrived", options.best_effort ? json(nullptr) : json(true)}};
  output::print(options.common.format, sent, {});
  return exit_code::done;
}

exit_code run(const query_options& options) {
  json question{{"topic", bytes_to_json(options.topic)}, {"members", options.members}, {"tags", json::object()}};
  for (const auto& [key, value] : options.tags) question["tags"][key] = value ? bytes_to_json(*value) : json(nullptr);
  control::client client{options.common.socket_path()};
  inquire(client, std::move(question), content_of(options.payload), options.common.timeout,
          [&](const json& line) { output::print_event(options.common.format, line); });
  return exit_code::done;
}

exit_code run(const answer_options& options) {
  const std::string payload = content_of(options.payload);
  control::client client{options.common.socket_path()};
  control::client events = subscribe(options.common, {{"kinds", {"user"}}, {"topic", bytes_to_json(options.topic)}});
  return follow(events, options.stream, [&](const json& event) {
    const bool is_query = field_text(event, "event") == "query";
    if (is_query) answer_one(client, event, payload, options.common.timeout);
    if (is_query) output::print_event(options.common.format, event);
    return is_query;
  });
}

}  // namespace tool
