#include "agent/request_handler.hpp"

#include <unistd.h>

#include <array>
#include <string_view>
#include <utility>

#include "agent/request_fields.hpp"
#include "artillery/version.hpp"
#include "byte_json.hpp"
#include "control/reply.hpp"
#include "notation.hpp"

namespace tool::agent {

namespace {

using artillery::bytes;
using nlohmann::json;

json version_json(const artillery::replication::version& version) {
  return version.none() ? json(nullptr) : json(to_text(version));
}

/// What a too large value is told; the library's words cannot know the limit.
json too_large_reply(std::size_t size, std::size_t limit) {
  return control::error_reply("too_large", "the value has " + std::to_string(size) + " bytes; at most " +
                                               std::to_string(limit) + " are allowed here (agent --value-size-max)");
}

}  // namespace

void request_handler::handle(const control::message& request, const answer& done) {
  struct operation {
    std::string_view name;
    void (request_handler::*run)(const control::message&, const answer&);
  };
  static constexpr std::array<operation, 13> operations{{{"members", &request_handler::members},
                                                         {"tags", &request_handler::tags},
                                                         {"join", &request_handler::join},
                                                         {"leave", &request_handler::leave},
                                                         {"send", &request_handler::send},
                                                         {"answer", &request_handler::answer_query},
                                                         {"status", &request_handler::status},
                                                         {"event", &request_handler::event},
                                                         {"get", &request_handler::get},
                                                         {"put", &request_handler::put},
                                                         {"cas", &request_handler::cas},
                                                         {"del", &request_handler::del},
                                                         {"chain", &request_handler::chain}}};
  try {
    const std::string name = text_field(request.head, "op");
    for (const operation& one : operations) {
      if (one.name == name) return (this->*one.run)(request, done);
    }
    throw bad_field{
        "'op' must be one of members, tags, join, leave, status, event, send, query, answer, watch, "
        "get, put, cas, del and chain"};
  } catch (const bad_field& wrong) {
    done(control::error_reply(control::bad_request, wrong.what()), std::nullopt);
  }
}

void request_handler::members(const control::message&, const answer& done) {
  json members = json::array();
  const artillery::node_id self = of_.node.self().id;
  const auto all = of_.node.members();
  of_.times.keep(all);
  for (const auto& member : all) {
    json row = member_report(member, self);
    row["state_for_ms"] = of_.times.since(member).count();
    members.push_back(std::move(row));
  }
  done({{"ok", true}, {"members", std::move(members)}}, std::nullopt);
}

void request_handler::tags(const control::message& request, const answer& done) {
  artillery::membership::tag_map tags = of_.node.self().tags;
  tags.erase(std::string{artillery::node_config::replica_tag});
  tags.erase(std::string{artillery::node_config::chain_tag});
  const json set = request.head.value("set", json::object());
  const std::vector<std::string> removed = texts_field(request.head, "remove");
  if (!set.is_object()) throw bad_field{"'set' must be an object"};
  for (const std::string& key : removed) tags.erase(key);
  for (const auto& [key, value] : set.items()) {
    const auto decoded = bytes_from_json(value);
    if (!decoded) throw bad_field{"'set' must have texts for values, or {\"base64\": …}"};
    tags[key] = *decoded;
  }
  json now = json::object();
  for (const auto& [key, value] : tags) now[key] = bytes_to_json(value);
  const bool changes = !set.empty() || !removed.empty();
  if (const auto error = changes ? of_.node.set_tags(std::move(tags)) : std::error_code{}) {
    return done(control::error_reply(error), std::nullopt);
  }
  done({{"ok", true}, {"tags", std::move(now)}}, std::nullopt);
}

void request_handler::join(const control::message& request, const answer& done) {
  const std::vector<std::string> seeds = texts_field(request.head, "seeds");
  for (const std::string& seed : seeds) {
    if (of_.node.add_seed(seed)) {
      throw bad_field{"'" + seed + "' is no host, host:port or [address]:port"};
    }
  }
  done({{"ok", true}}, std::nullopt);
}

/// The reply says that it has begun; that it is done shows when the agent ends.
void request_handler::leave(const control::message& request, const answer& done) {
  std::string reason = request.head.contains("reason") ? bytes_field(request.head, "reason") : std::string{};
  if (reason.size() > artillery::membership::leave_reason_size_max) {
    throw bad_field{"'reason' must have at most " + std::to_string(artillery::membership::leave_reason_size_max) +
                    " bytes"};
  }
  done({{"ok", true}}, std::nullopt);
  of_.leave(std::move(reason));
}

void request_handler::status(const control::message& request, const answer& done) {
  json reply = status_report(of_.node);
  reply["ok"] = true;
  reply["pid"] = ::getpid();
  reply["version"] = artillery::version_text;
  reply["socket"] = of_.socket;
  const auto counters = request.head.find("counters");
  if (counters != request.head.end() && *counters == true) reply["counters"] = counters_report(of_.node);
  done(std::move(reply), std::nullopt);
}

void request_handler::event(const control::message& request, const answer& done) {
  std::string topic = topic_field(request.head);
  bytes payload{request.body};
  if (request.body_dropped)
    return done(control::error_reply(make_error_code(artillery::errc::too_large)), std::nullopt);
  // The node reports the events of others; whoever listens here expects its own, too.
  report own{"user",
             {{"event", "user"},
              {"origin", artillery::to_string(of_.node.self().id)},
              {"topic", bytes_to_json(topic)},
              {"payload", bytes_to_json(payload.text())},
              {"time", time_text()}}};
  of_.node.async_broadcast(std::move(topic), std::move(payload),
                           [done, own = std::move(own), &events = of_.events](std::error_code error) {
                             if (error) return done(control::error_reply(error), std::nullopt);
                             events.publish(own);
                             done({{"ok", true}}, std::nullopt);
                           });
}

void request_handler::get(const control::message& request, const answer& done) {
  bytes key{bytes_field(request.head, "key")};
  auto level = std::optional{artillery::replication::strong};
  if (request.head.contains("consistency")) level = parse_consistency(text_field(request.head, "consistency"));
  if (!level) throw bad_field{"'consistency' must be strong, eventual, bounded:<duration> or bounded:<writes>"};
  const artillery::call_options options{timeout_field(request.head)};
  of_.node.async_read(std::move(key), *level, options,
                      [done](std::error_code error, const artillery::replication::read_result& result) {
                        if (error) return done(control::error_reply(error), std::nullopt);
                        json reply{{"ok", true},
                                   {"found", result.found()},
                                   {"version", version_json(result.version)},
                                   {"as_of", version_json(result.as_of)},
                                   {"local", result.local}};
                        done(std::move(reply), result.value);
                      });
}

template <class Call>
void request_handler::write(std::size_t size, const answer& done, Call call) {
  const std::size_t limit = of_.value_size_max;
  if (size > limit) return done(too_large_reply(size, limit), std::nullopt);
  call([done, size, limit](std::error_code error, const artillery::replication::write_result& result) {
    if (error == artillery::errc::too_large) return done(too_large_reply(size, limit), std::nullopt);
    if (error) return done(control::error_reply(error), std::nullopt);
    done({{"ok", true}, {"applied", result.applied}, {"version", version_json(result.version)}}, std::nullopt);
  });
}

void request_handler::put(const control::message& request, const answer& done) {
  bytes key{bytes_field(request.head, "key")};
  const artillery::call_options options{timeout_field(request.head)};
  write(request.body_size, done,
        [&](auto handler) { of_.node.async_put(std::move(key), bytes{request.body}, options, std::move(handler)); });
}

void request_handler::cas(const control::message& request, const answer& done) {
  bytes key{bytes_field(request.head, "key")};
  const artillery::call_options options{timeout_field(request.head)};
  artillery::replication::version expected;
  const auto found = request.head.find("expected");
  if (found == request.head.end()) throw bad_field{"'expected' must be a version such as \"1.42\", or null for absent"};
  if (!found->is_null()) {
    const auto version = parse_version(text_field(request.head, "expected"));
    if (!version) throw bad_field{"'expected' must be a version such as \"1.42\", or null for absent"};
    expected = *version;
  }
  write(request.body_size, done, [&](auto handler) {
    of_.node.async_compare_and_swap(std::move(key), expected, bytes{request.body}, options, std::move(handler));
  });
}

void request_handler::del(const control::message& request, const answer& done) {
  bytes key{bytes_field(request.head, "key")};
  const artillery::call_options options{timeout_field(request.head)};
  write(0, done, [&](auto handler) { of_.node.async_erase(std::move(key), options, std::move(handler)); });
}

}  // namespace tool::agent
