#include <memory>

#include "command_line.hpp"
#include "notation.hpp"

namespace tool {

namespace {

void add_members(CLI::App& app, std::optional<command>& chosen) {
  auto options = std::make_shared<members_options>();
  CLI::App* members = app.add_subcommand("members", "List the members of the cluster, as the agent sees them");
  members->footer(R"(Examples:
  artillery members
  artillery members --all -o jsonl
  artillery members --state failed
  artillery members --tag role=db --tag zone
  artillery members --watch --count 1 --timeout 30s      wait for the next change)");
  CLI::Option* watch = members->add_flag("--watch", options->watch, "Go on: print each change as it happens");
  members->add_flag("--all", options->all, "Also those that failed or left, as long as they are remembered");
  members->add_option("--named", options->name, "Only the member of this name")->type_name("TEXT")->excludes(watch);
  members->add_option("--state", options->state, "Only those in this state")
      ->type_name("STATE")
      ->check(CLI::IsMember({"alive", "suspect", "failed", "left"}))
      ->excludes(watch);
  add_tag_filter(*members, options->tags,
                 "Only those with this tag, and this value if one is given; again for further ones")
      ->excludes(watch);
  add_stream_options(*members, options->stream, watch);
  add_common_options(*members, options->common);
  members->callback([options, &chosen] { chosen = *options; });
}

void add_tags(CLI::App& app, std::optional<command>& chosen) {
  auto options = std::make_shared<tags_options>();
  CLI::App* tags = app.add_subcommand("tags", "Show the agent's own tags, or change them; all members are told");
  tags->footer(R"(Those of the chain (chain, replica) are not shown, and cannot be changed.

Examples:
  artillery tags
  artillery tags role=db zone=eu-1
  artillery tags --remove zone)");
  tags->add_option_function<std::vector<std::string>>(
          "TAG",
          [options](const std::vector<std::string>& texts) {
            for (const std::string& text : texts) {
              auto tag = parse_tag(text);
              if (!tag) throw CLI::ValidationError("TAG", "'" + text + "' is not allowed; key=value is");
              options->set.push_back(std::move(*tag));
            }
          },
          "To be set")
      ->type_name("KEY=VALUE");
  tags->add_option("--remove", options->removed, "To be taken away; again for further ones")->type_name("KEY");
  add_common_options(*tags, options->common);
  tags->callback([options, &chosen] { chosen = *options; });
}

void add_join(CLI::App& app, std::optional<command>& chosen) {
  auto options = std::make_shared<join_options>();
  CLI::App* join = app.add_subcommand("join", "Give the agent places to look for its cluster");
  join->footer(R"(They are tried on until a member is there; `artillery members` shows who was found.

Examples:
  artillery join 10.0.0.6
  artillery join db.example:7946 [fd00::6]:7946)");
  join->add_option("SEED", options->seeds, "A name or address, with or without a port")
      ->required()
      ->type_name("HOST[:PORT]");
  add_common_options(*join, options->common);
  join->callback([options, &chosen] { chosen = *options; });
}

void add_leave(CLI::App& app, std::optional<command>& chosen) {
  auto options = std::make_shared<leave_options>();
  CLI::App* leave = app.add_subcommand("leave", "Let the agent take leave of its cluster, and end");
  leave->footer(
      R"(The others report that it left, and not that it failed. Done once the agent's process has ended; exit code 4 when it has
not within --timeout: it then goes on taking leave.

Examples:
  artillery leave
  artillery leave --reason upgrade
  artillery leave --name b --timeout 30s)");
  leave->add_option("--reason", options->reason, "What the others are told, at most 64 bytes")
      ->check(CLI::Validator(
          [](const std::string& text) {
            return text.size() > artillery::membership::leave_reason_size_max ? std::string{"is above 64 bytes"}
                                                                              : std::string{};
          },
          "TEXT"));
  add_timeout_option(*leave, options->common);
  add_common_options(*leave, options->common);
  leave->callback([options, &chosen] { chosen = *options; });
}

void add_watch(CLI::App& app, std::optional<command>& chosen) {
  auto options = std::make_shared<watch_options>();
  CLI::App* watch = app.add_subcommand("watch", "Show a live table of the members, until interrupted");
  watch->footer(
      R"(On a terminal the table is drawn anew with each change: state, for how long, tags; those that failed or left are shown
as long as they are remembered. Elsewhere, and with -o json or jsonl, a line for each member and then one for each change.

Examples:
  artillery watch
  artillery watch -o jsonl | jq --unbuffered -r '.event + " " + .member.name')");
  add_stream_options(*watch, options->stream, nullptr);
  add_common_options(*watch, options->common);
  watch->callback([options, &chosen] { chosen = *options; });
}

void add_reachability(CLI::App& app, std::optional<command>& chosen) {
  auto options = std::make_shared<reachability_options>();
  options->common.timeout = std::chrono::seconds{5};
  CLI::App* reachability = app.add_subcommand(
      "reachability", "Ask all members a question that each answers by itself, and tell who did not");
  reachability->footer(
      R"(Tells who hears this agent and is heard, which the members' states need not show: they are what all members together
found out. Exit code 1 when somebody who is alive or suspected did not answer.

Examples:
  artillery reachability
  artillery reachability --timeout 20s -o json | jq '.members[] | select(.after_ms == null)')");
  add_query_timeout_option(*reachability, options->common);
  add_common_options(*reachability, options->common);
  reachability->callback([options, &chosen] { chosen = *options; });
}

void add_status(CLI::App& app, std::optional<command>& chosen) {
  auto options = std::make_shared<status_options>();
  CLI::App* status = app.add_subcommand("status", "Show how the agent and its chain stand");
  status->footer(R"(Examples:
  artillery status
  artillery status --wait --timeout 1m        until a chain is in force
  artillery status -o json | jq .replica.commit)");
  status->add_flag("--wait", options->wait, "Wait until a chain is in force, at most --timeout");
  status->add_flag("--counters", options->counters, "Also all figures of all parts");
  add_timeout_option(*status, options->common);
  add_common_options(*status, options->common);
  status->callback([options, &chosen] { chosen = *options; });
}

}  // namespace

void add_cluster_commands(CLI::App& app, std::optional<command>& chosen) {
  add_members(app, chosen);
  add_tags(app, chosen);
  add_join(app, chosen);
  add_leave(app, chosen);
  add_watch(app, chosen);
  add_reachability(app, chosen);
  add_status(app, chosen);
  auto options = std::make_shared<version_options>();
  CLI::App* version = app.add_subcommand("version", "Print the version of this program");
  add_common_options(*version, options->common);
  version->callback([options, &chosen] { chosen = *options; });
}

}  // namespace tool
