#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/member_lookup.hpp"
#include "agent/request_fields.hpp"
#include "agent/request_handler.hpp"
#include "byte_json.hpp"
#include "control/reply.hpp"

// What is said to other members: messages to one, questions to all, and answers.

namespace tool::agent {

namespace {

using artillery::bytes;
using artillery::errc;
using artillery::node_id;
using artillery::membership::member;
using nlohmann::json;

/// What a too large payload is told; the library's words cannot know the limit, nor that of the control socket.
json too_large(const control::message& request, const std::string& allowed, std::size_t value_size_max) {
  const std::string here = "at most " + std::to_string(value_size_max) + " are taken here (agent --value-size-max)";
  return control::error_reply("too_large", "the payload has " + std::to_string(request.body_size) + " bytes; " +
                                               (request.body_dropped ? here : allowed));
}

constexpr const char* message_allowed =
    "a reliable message takes at most 1 MiB, a best-effort one what a datagram holds, some 1,300 bytes";
constexpr const char* question_allowed =
    "a question goes into a datagram with the names and tags of those who are asked: some 1,200 bytes in all";
constexpr const char* answer_allowed = "an answer takes at most 1 MiB";

artillery::membership::delivery delivery_field(const json& head) {
  using artillery::membership::delivery;
  const std::string text = head.contains("delivery") ? text_field(head, "delivery") : "reliable";
  if (text == "reliable") return delivery::reliable;
  if (text == "best_effort") return delivery::best_effort;
  throw bad_field{"'delivery' must be reliable or best_effort"};
}

/// Why a message did not arrive, or is not known to have.
json send_refusal(std::error_code error, const std::string& to) {
  if (error == errc::unknown_member)
    return control::error_reply("unknown_member", "'" + to +
                                                      "' is not there, or went before the message was sent to "
                                                      "it; `artillery members --all` shows who is known");
  if (error == errc::timed_out || error == errc::outcome_unknown)
    return control::error_reply("outcome_unknown", "'" + to + "' has not said that it has the message" +
                                                       (error == errc::timed_out ? " in time" : ", and is gone") +
                                                       "; it may or may not have arrived");
  return control::error_reply(error);
}

/// Tags by key: a value, or null for any.
using wanted_tags = std::vector<std::pair<std::string, std::optional<std::string>>>;

wanted_tags tags_field(const json& head) {
  wanted_tags tags;
  const json given = head.value("tags", json::object());
  if (!given.is_object()) throw bad_field{"'tags' must be an object"};
  for (const auto& [key, value] : given.items()) {
    const auto text = bytes_from_json(value);
    if (!text && !value.is_null()) throw bad_field{"'tags' must have texts for values, or null for any value"};
    tags.emplace_back(key, text);
  }
  return tags;
}

bool has_all(const member& who, const wanted_tags& tags) {
  return std::all_of(tags.begin(), tags.end(), [&](const auto& wanted) {
    const auto found = who.tags.find(wanted.first);
    return found != who.tags.end() && (!wanted.second || *wanted.second == found->second);
  });
}

/// Who is asked. A tag of any value is nothing that a question can name: those who have it now are named instead.
artillery::membership::query_options options_of(const json& head, const std::vector<member>& members,
                                                const node_id& self) {
  artillery::membership::query_options options;
  options.timeout = timeout_field(head);
  if (options.timeout > artillery::membership::query_timeout_max)
    throw bad_field{"'timeout_ms' must be, of a query, a whole number from 1 to 3600000"};
  for (const std::string& name : texts_field(head, "members")) {
    options.members.push_back(node_called(name, members));
    if (options.members.back() == self) throw bad_field{"'" + name + "' is this agent itself; others are asked"};
  }
  const wanted_tags tags = tags_field(head);
  const bool has_open = std::any_of(tags.begin(), tags.end(), [](const auto& one) { return !one.second; });
  if (!has_open) {
    for (const auto& [key, value] : tags) options.tags.emplace(key, *value);
    return options;
  }
  const std::vector<node_id> named = std::exchange(options.members, {});
  for (const member& one : members) {
    const bool is_named = named.empty() || std::find(named.begin(), named.end(), one.id) != named.end();
    if (one.id != self && is_named && has_all(one, tags)) options.members.push_back(one.id);
  }
  if (options.members.empty()) throw bad_field{"no other member has all of these 'tags' (artillery members --tag …)"};
  constexpr std::size_t named_max = artillery::membership::query_filter_size_max / 8;
  if (options.members.size() > named_max)
    throw bad_field{"'tags' without a value fit " + std::to_string(options.members.size()) +
                    " members; a question can name " + std::to_string(named_max)};
  return options;
}

}  // namespace

void request_handler::send(const control::message& request, const answer& done) {
  const std::string to = text_field(request.head, "to");
  std::string topic = topic_field(request.head);
  const artillery::membership::send_options how{delivery_field(request.head), timeout_field(request.head)};
  const node_id whom = node_called(to, present(of_.node.members()));
  if (whom == of_.node.self().id)
    throw bad_field{"'" + to + "' is this agent itself; a message goes to another member"};
  json large = too_large(request, message_allowed, of_.value_size_max);
  if (request.body_dropped) return done(std::move(large), std::nullopt);
  of_.node.async_send(whom, std::move(topic), bytes{request.body}, how,
                      [done, to, large = std::move(large)](std::error_code error) {
                        if (error == errc::too_large) return done(large, std::nullopt);
                        done(error ? send_refusal(error, to) : json{{"ok", true}}, std::nullopt);
                      });
}

void request_handler::query(const control::message& request, const asked& done) {
  try {
    std::string topic = topic_field(request.head, true);
    auto options = options_of(request.head, present(of_.node.members()), of_.node.self().id);
    json large = too_large(request, question_allowed, of_.value_size_max);
    if (request.body_dropped) return done(std::move(large), nullptr);
    of_.node.async_query(
        std::move(topic), bytes{request.body}, std::move(options),
        [done, &node = of_.node, large = std::move(large)](std::error_code error, std::uint64_t number) {
          if (error == errc::too_large) return done(large, nullptr);
          if (error) return done(control::error_reply(error), nullptr);
          done({{"ok", true}}, std::make_shared<question>(node, number));
        });
  } catch (const bad_field& wrong) {
    done(control::error_reply(control::bad_request, wrong.what()), nullptr);
  }
}

void request_handler::answer_query(const control::message& request, const answer& done) {
  artillery::membership::query heard;
  const auto origin = artillery::parse_node_id(text_field(request.head, "origin"));
  if (!origin) throw bad_field{"'origin' must be the id of a member, 32 hexadecimal digits"};
  const auto number = request.head.find("number");
  if (number == request.head.end() || !number->is_number_unsigned())
    throw bad_field{"'number' must be that of a query which was reported here"};
  heard.origin = *origin;
  heard.number = number->get<std::uint64_t>();
  json large = too_large(request, answer_allowed, of_.value_size_max);
  if (request.body_dropped) return done(std::move(large), std::nullopt);
  of_.node.async_answer(std::move(heard), bytes{request.body}, [done, large = std::move(large)](std::error_code error) {
    if (error == errc::too_large) return done(large, std::nullopt);
    if (error == errc::timed_out)
      return done(control::error_reply("timed_out", "its time is over, it was answered, or there was no such query"),
                  std::nullopt);
    if (error == errc::invalid_argument)
      return done(control::error_reply("invalid_argument", "it is answered already"), std::nullopt);
    done(error ? control::error_reply(error) : json{{"ok", true}}, std::nullopt);
  });
}

}  // namespace tool::agent
