#include <algorithm>

#include "artillery/version.hpp"
#include "byte_json.hpp"
#include "commands/commands.hpp"
#include "commands/follow.hpp"
#include "commands/member_text.hpp"
#include "control/client.hpp"
#include "output/event_text.hpp"
#include "output/print.hpp"
#include "output/table.hpp"

namespace tool {

namespace {

using nlohmann::json;
using output::field_text;

/// A state that is asked for by name is shown without --all, too.
bool is_wanted(const json& member, const members_options& options) {
  if (!options.all && options.state.empty() && !is_here(member)) return false;
  if (!options.name.empty() && field_text(member, "name") != options.name) return false;
  if (!options.state.empty() && field_text(member, "state") != options.state) return false;
  const json tags = member.value("tags", json::object());
  return std::all_of(options.tags.begin(), options.tags.end(), [&](const auto& wanted) {
    const auto found = tags.find(wanted.first);
    return found != tags.end() && (!wanted.second || bytes_from_json(*found) == wanted.second);
  });
}

std::string members_text(const json& members) {
  output::table table{{"NAME", "ID", "ADDRESS", "STATE", "TAGS"}};
  for (const json& member : members) {
    table.add({member_name_text(member), field_text(member, "id"), field_text(member, "address"),
               field_text(member, "state"), tags_text(member)});
  }
  return table.text();
}

std::string version_line() {
  return "artillery " + std::string{artillery::version_text};
}

}  // namespace

exit_code run(const members_options& options) {
  if (options.watch) {
    control::client events = subscribe(options.common, {{"kinds", {"member"}}});
    return follow(events, options.stream, [&](const json& event) {
      output::print_event(options.common.format, event);
      return true;
    });
  }
  control::client client{options.common.socket_path()};
  const control::message reply = client.request({{"op", "members"}}, options.common.timeout);
  json members = json::array();
  for (const json& member : reply.head.value("members", json::array())) {
    if (is_wanted(member, options)) members.push_back(member);
  }
  output::print_rows(options.common.format, members, members_text(members));
  return exit_code::done;
}

exit_code run(const tags_options& options) {
  control::client client{options.common.socket_path()};
  json set = json::object();
  for (const auto& [key, value] : options.set) set[key] = bytes_to_json(value);
  const control::message reply =
      client.request({{"op", "tags"}, {"set", std::move(set)}, {"remove", options.removed}}, options.common.timeout);
  const json tags = reply.head.value("tags", json::object());
  output::table table{{"KEY", "VALUE"}};
  for (const auto& [key, value] : tags.items()) table.add({key, bytes_from_json(value).value_or("")});
  output::print(options.common.format, {{"tags", tags}}, table.text());
  return exit_code::done;
}

exit_code run(const join_options& options) {
  control::client client{options.common.socket_path()};
  (void)client.request({{"op", "join"}, {"seeds", options.seeds}}, options.common.timeout);
  return exit_code::done;
}

exit_code run(const version_options& options) {
  const json value{{"version", artillery::version_text}, {"control_protocol", control::protocol_version}};
  output::print(options.common.format, value, version_line() + '\n');
  return exit_code::done;
}

}  // namespace tool
