#include <memory>

#include "command_line.hpp"
#include "notation.hpp"

namespace tool {

namespace {

std::optional<std::uint64_t> parse_count(const std::string& text) {
  auto number = parse_number(text);
  return number && *number > 0 ? number : std::nullopt;
}

/// --count and --timeout of what listens; both need the flag that makes it listen.
void add_stream_options(CLI::App& app, stream_options& options, CLI::Option* flag) {
  add_parsed_option(app, "--count", options.count, parse_count, "a number from 1 on is", "End after so many events")
      ->type_name("N")
      ->needs(flag);
  add_parsed_option(
      app, "--timeout", options.timeout, [](const std::string& text) { return parse_duration(text); },
      "0s to 24h are, such as 500ms, 2s, 1m", "End after this long; exit code 4 if --count was not reached by then")
      ->type_name("DURATION")
      ->needs(flag);
}

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
  members
      ->add_option_function<std::vector<std::string>>(
          "--tag",
          [options](const std::vector<std::string>& texts) {
            for (const std::string& text : texts) {
              const std::size_t equals = text.find('=');
              options->tags.emplace_back(text.substr(0, equals), equals == std::string::npos
                                                                     ? std::nullopt
                                                                     : std::optional{text.substr(equals + 1)});
            }
          },
          "Only those with this tag, and this value if one is given; again for further ones")
      ->type_name("KEY[=VALUE]")
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

void add_event(CLI::App& app, std::optional<command>& chosen) {
  auto options = std::make_shared<event_options>();
  CLI::App* event = app.add_subcommand("event", "Send an event to all members, or listen for events");
  event->footer(
      R"(An event is delivered at most once at each member, and in order for each topic of a sender; whoever listens at the
sending agent sees it, too. What no datagram holds is fetched over TCP; a payload above 1 MiB is refused.

Examples:
  artillery event deploy v42
  date | artillery event clock -
  artillery event --listen --topic deploy --count 1 --timeout 1m)");
  const auto parse_topic = [](const std::string& text) {
    return text.empty() || text.size() > artillery::membership::topic_size_max ? std::nullopt : std::optional{text};
  };
  const std::string allowed = "1 to " + std::to_string(artillery::membership::topic_size_max) + " bytes are";
  CLI::Option* listen = event->add_flag("--listen", options->listen, "Print the events that arrive, until interrupted");
  CLI::Option* topic = add_parsed_option(*event, "TOPIC", options->topic, parse_topic, allowed, "What it is about")
                           ->type_name("TEXT")
                           ->excludes(listen);
  event->add_option("PAYLOAD", options->payload, "Any bytes; - reads them from standard input; otherwise none")
      ->type_name("TEXT|-")
      ->excludes(listen);
  add_parsed_option(*event, "--topic", options->topic, parse_topic, allowed, "Listen for this topic only")
      ->type_name("TEXT")
      ->needs(listen);
  add_stream_options(*event, options->stream, listen);
  add_common_options(*event, options->common);
  event->callback([options, topic, &chosen] {
    if (!options->listen && topic->empty()) throw CLI::RequiredError("TOPIC (or --listen)");
    chosen = *options;
  });
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
  add_event(app, chosen);
  add_status(app, chosen);
  auto options = std::make_shared<version_options>();
  CLI::App* version = app.add_subcommand("version", "Print the version of this program");
  add_common_options(*version, options->common);
  version->callback([options, &chosen] { chosen = *options; });
}

}  // namespace tool
