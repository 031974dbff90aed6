#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>

#include "artillery/node/types.hpp"
#include "byte_json.hpp"
#include "commands/commands.hpp"
#include "commands/inquiry.hpp"
#include "commands/member_text.hpp"
#include "control/client.hpp"
#include "notation.hpp"
#include "output/event_text.hpp"
#include "output/print.hpp"
#include "output/table.hpp"

namespace tool {

namespace {

using nlohmann::json;
using output::field_text;

/// What became of the question.
struct findings {
  json members = json::array();       ///< that are here, or answered, but for the agent itself
  std::set<std::string> names_twice;  ///< of members that are here
  std::uint64_t heard = 0;
  std::uint64_t answered = 0;
};

/// Adds the answer of a member; one that came in between is not known yet.
void add_answer(findings& found, const json& answer) {
  ++found.answered;
  for (json& member : found.members) {
    if (member.at("id") != answer.value("origin", "")) continue;
    member["after_ms"] = answer.value("after_ms", 0U);
    return;
  }
  found.members.push_back({{"id", answer.value("origin", "")},
                           {"name", answer.value("name", json(""))},
                           {"address", nullptr},
                           {"state", "alive"},
                           {"after_ms", answer.value("after_ms", 0U)}});
}

findings ask_all(const reachability_options& options) {
  findings found;
  control::client client{options.common.socket_path()};
  const json reply = client.request({{"op", "members"}}, options.common.timeout).head;
  std::set<std::string> names;
  for (const json& member : reply.value("members", json::array())) {
    if (!is_here(member)) continue;
    const std::string name = field_text(member, "name");
    if (!names.insert(name).second) found.names_twice.insert(name);
    if (member.value("self", false)) continue;
    found.members.push_back({{"id", member.at("id")},
                             {"name", member.at("name")},
                             {"address", member.at("address")},
                             {"state", member.at("state")},
                             {"after_ms", nullptr}});
  }
  inquire(client, {{"topic", artillery::node_config::ping_topic}}, {}, options.common.timeout, [&](const json& line) {
    if (field_text(line, "event") == "answer") add_answer(found, line);
    if (field_text(line, "event") == "query_end") found.heard = line.value("heard", std::uint64_t{0});
  });
  return found;
}

std::size_t silent_in(const findings& found) {
  const auto is_silent = [](const json& member) { return member.at("after_ms").is_null(); };
  return static_cast<std::size_t>(std::count_if(found.members.begin(), found.members.end(), is_silent));
}

/// What it may mean, and what to do.
std::string advice(const findings& found, const reachability_options& options) {
  const std::size_t silent = silent_in(found);
  std::string text;
  if (found.members.empty()) {
    text = "This agent knows of no other member.\n";
  } else if (silent == 0) {
    text = "All other members (" + std::to_string(found.members.size()) +
           ") have the question, and their answers came back.\n";
  } else {
    text = std::to_string(silent) + " of " + std::to_string(found.members.size()) +
           " other members gave no answer in " + to_text(options.common.timeout) + ".\n";
  }
  if (silent > 1 && found.answered == 0) {
    text +=
        "Nobody answered, so it is likely this agent that is cut off: see that UDP and TCP pass at its address, both "
        "ways.\n";
  } else if (silent > 0) {
    text +=
        "Such a member may have died just now (then it is soon reported failed), be overloaded, or have a network that "
        "carries\npackets one way only: a firewall at its address, or an address that it advertises and others cannot "
        "reach. Ask again, and\nask at that member's own agent.\n";
  }
  if (silent > 0 && found.heard > found.answered)
    text += std::to_string(found.heard - found.answered) +
            " have the question and do not answer it: no nodes of this program, or of an earlier version.\n";
  for (const std::string& name : found.names_twice)
    text += "More than one member is called '" + output::printable(name) + "': give each a name of its own.\n";
  return text;
}

std::string table_of(const findings& found) {
  if (found.members.empty()) return {};
  output::table table{{"NAME", "ID", "ADDRESS", "STATE", "ANSWER"}};
  for (const json& member : found.members) {
    const bool answered = !member.at("after_ms").is_null();
    table.add({field_text(member, "name"), field_text(member, "id"), field_text(member, "address"),
               field_text(member, "state"), answered ? field_text(member, "after_ms") + " ms" : "none"});
  }
  return table.text();
}

}  // namespace

exit_code run(const reachability_options& options) {
  const findings found = ask_all(options);
  const std::size_t silent = silent_in(found);
  json value{{"members", found.members},
             {"answered", found.answered},
             {"silent", silent},
             {"heard", found.heard},
             {"names_twice", json::array()}};
  for (const std::string& name : found.names_twice) value["names_twice"].push_back(bytes_to_json(name));
  output::print(options.common.format, value, table_of(found) + advice(found, options));
  return silent == 0 ? exit_code::done : exit_code::failed;
}

}  // namespace tool
