#include <chrono>
#include <memory>

#include "command_line.hpp"

namespace tool {

namespace {

std::optional<std::string> parse_topic(const std::string& text) {
  return text.empty() || text.size() > artillery::membership::topic_size_max ? std::nullopt : std::optional{text};
}

std::string topic_sizes() {
  return "1 to " + std::to_string(artillery::membership::topic_size_max) + " bytes are";
}

CLI::Option* add_topic(CLI::App& app, std::string& topic) {
  return add_parsed_option(app, "TOPIC", topic, parse_topic, topic_sizes(), "What it is about")->type_name("TEXT");
}

CLI::Option* add_payload(CLI::App& app, std::optional<std::string>& payload) {
  return app.add_option("PAYLOAD", payload, "Any bytes; - reads them from standard input; otherwise none")
      ->type_name("TEXT|-");
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
  CLI::Option* listen = event->add_flag("--listen", options->listen,
                                        "Print the events, messages and queries that arrive, until interrupted");
  CLI::Option* topic = add_topic(*event, options->topic)->excludes(listen);
  add_payload(*event, options->payload)->excludes(listen);
  add_parsed_option(*event, "--topic", options->topic, parse_topic, topic_sizes(), "Listen for this topic only")
      ->type_name("TEXT")
      ->needs(listen);
  add_stream_options(*event, options->stream, listen);
  add_common_options(*event, options->common);
  event->callback([options, topic, &chosen] {
    if (!options->listen && topic->empty()) throw CLI::RequiredError("TOPIC (or --listen)");
    chosen = *options;
  });
}

void add_send(CLI::App& app, std::optional<command>& chosen) {
  auto options = std::make_shared<send_options>();
  CLI::App* send = app.add_subcommand("send", "Send a message to one member");
  send->footer(
      R"(MEMBER is a member's name, its id, or how that begins (from four digits on). Whoever listens there (`artillery event
--listen`) sees the message. A reliable one is sent until the member says that it has it; exit code 5 means that it has
not said so in time, and may or may not have it. A best-effort one is a datagram, which may be lost.

Examples:
  artillery send b reload
  artillery send b config - < config.json
  artillery send 3f2a job 17 --best-effort)");
  send->add_option("MEMBER", options->member, "Who gets it")->type_name("NAME|ID")->required();
  add_topic(*send, options->topic)->required();
  add_payload(*send, options->payload);
  CLI::Option* best_effort = send->add_flag("--best-effort", options->best_effort, "As one datagram goes");
  send->add_flag_callback(
          "--reliable", [options] { options->best_effort = false; }, "Until the member has it; this is the default")
      ->excludes(best_effort);
  add_timeout_option(*send, options->common);
  add_common_options(*send, options->common);
  send->callback([options, &chosen] { chosen = *options; });
}

void add_query(CLI::App& app, std::optional<command>& chosen) {
  auto options = std::make_shared<query_options>();
  options->common.timeout = std::chrono::seconds{5};
  CLI::App* query = app.add_subcommand("query", "Ask the other members, and print their answers as they come");
  query->footer(
      R"(Asks all other members, or those that are named and have the tags. Whoever listens there may answer: `artillery answer
TOPIC …`, or a program that talks to the agent; nobody has to. Ends when all have answered or the time is over, with a
line that tells how many were asked, have the question, and answered. A question goes into a datagram: at most some 1,200
bytes. That of the topic artillery.ping is answered by every agent itself; see `artillery reachability`.

Examples:
  artillery query load
  artillery query who-has-disk 20G --tag role=db --tag zone --timeout 2s
  artillery query load --named b --named c -o jsonl | jq -r 'select(.event == "answer") | .payload')");
  add_topic(*query, options->topic)->required();
  add_payload(*query, options->payload);
  query
      ->add_option("--named", options->members,
                   "Only this member, by name, id, or how that begins; again for further ones")
      ->type_name("NAME|ID")
      ->expected(1)
      ->take_all();
  add_tag_filter(*query, options->tags,
                 "Only those with this tag, and this value if one is given; again for further ones");
  add_query_timeout_option(*query, options->common);
  add_common_options(*query, options->common);
  query->callback([options, &chosen] { chosen = *options; });
}

void add_answer(CLI::App& app, std::optional<command>& chosen) {
  auto options = std::make_shared<answer_options>();
  CLI::App* answer =
      app.add_subcommand("answer", "Answer the queries of a topic that reach the agent, until interrupted");
  answer->footer(
      R"(Each gets PAYLOAD for an answer, and is printed. Of several who answer one query the first counts. What is to be
answered must be known beforehand; a program that has to look at the question first talks to the agent itself
(docs/command.md: `watch` and `answer`).

Examples:
  artillery answer load 0.7
  uptime | artillery answer uptime -
  artillery answer ready yes --count 1 --timeout 1m)");
  add_topic(*answer, options->topic)->required();
  add_payload(*answer, options->payload);
  add_stream_options(*answer, options->stream, nullptr);
  add_common_options(*answer, options->common);
  answer->callback([options, &chosen] { chosen = *options; });
}

}  // namespace

void add_talk_commands(CLI::App& app, std::optional<command>& chosen) {
  add_event(app, chosen);
  add_send(app, chosen);
  add_query(app, chosen);
  add_answer(app, chosen);
}

}  // namespace tool
