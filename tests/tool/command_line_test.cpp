#include "command_line.hpp"

#include <initializer_list>
#include <string>
#include <variant>
#include <vector>

#include "catch.hpp"
#include "exit_code.hpp"

namespace {

using namespace std::chrono_literals;

template <class Options>
Options parse(std::initializer_list<std::string> words) {
  return std::get<Options>(tool::parse_command_line(std::vector<std::string>{words}));
}

/// The text of the error; it must be one of wrong use.
std::string refusal_of(const std::vector<std::string>& words) {
  try {
    (void)tool::parse_command_line(words);
  } catch (const tool::failure& failed) {
    CHECK(failed.code() == tool::exit_code::wrong_use);
    return failed.what();
  }
  return "it was accepted";
}

struct refused {
  std::vector<std::string> words;
  std::string named;    ///< the option that is wrong
  std::string allowed;  ///< a part of what is allowed instead
};

void require_refused(const std::vector<refused>& lines) {
  for (const refused& line : lines) {
    std::string shown;
    for (const std::string& word : line.words) shown += word.substr(0, 40) + ' ';
    INFO(shown);
    const std::string text = refusal_of(line.words);
    CHECK_THAT(text, Catch::Contains(line.named));
    CHECK_THAT(text, Catch::Contains(line.allowed));
  }
}

}  // namespace

TEST_CASE("an agent without options stays on this machine and forms a chain of its own", "[tool][command line]") {
  const auto options = parse<tool::agent_options>({"agent"});
  CHECK(options.bind == artillery::endpoint::v4(127, 0, 0, 1, 0));
  CHECK(options.expect == 1);
  CHECK(options.preset == artillery::timing_preset::local);
  CHECK(options.discover);
  CHECK_FALSE(options.insecure);
  CHECK_THAT(options.common.cluster, Catch::StartsWith("local-"));
}

TEST_CASE("an agent's options arrive", "[tool][command line]") {
  const auto options = parse<tool::agent_options>({"agent",
                                                   "--name",
                                                   "a",
                                                   "--cluster",
                                                   "c",
                                                   "--bind",
                                                   "[::1]:7000",
                                                   "--seed",
                                                   "10.0.0.1:7",
                                                   "--seed",
                                                   "[::1]:8",
                                                   "--seed",
                                                   "host.example:9",
                                                   "--expect",
                                                   "3",
                                                   "--no-discovery",
                                                   "--preset",
                                                   "wan",
                                                   "--value-size-max",
                                                   "8M",
                                                   "--replication-port",
                                                   "7001",
                                                   "--advertise",
                                                   "10.0.0.9",
                                                   "--log-level",
                                                   "debug",
                                                   "-o",
                                                   "jsonl"});
  CHECK(artillery::to_string(options.bind) == "[::1]:7000");
  REQUIRE(options.seeds.size() == 3);
  CHECK(options.seeds[0].host == "10.0.0.1");
  CHECK(options.seeds[1].host == "::1");
  CHECK(options.seeds[1].port == "8");
  CHECK(options.seeds[2].host == "host.example");
  CHECK(options.expect == 3);
  CHECK_FALSE(options.discover);
  CHECK(options.preset == artillery::timing_preset::wan);
  CHECK(options.value_size_max == std::size_t{8} << 20U);
  CHECK(options.replication_port == 7001);
  CHECK(artillery::to_string(options.advertise) == "10.0.0.9:0");
  CHECK(options.log_level == artillery::log_level::debug);
  CHECK(options.common.format == tool::output_format::jsonl);
}

TEST_CASE("an address that others can reach needs --insecure, and gets the timings of a network",
          "[tool][command line]") {
  CHECK_THAT(refusal_of({"agent", "--bind", "10.0.0.5:7946"}), Catch::Contains("--insecure"));
  CHECK_THAT(refusal_of({"agent", "--bind", "0.0.0.0"}), Catch::Contains("--bind"));
  CHECK(parse<tool::agent_options>({"agent", "--bind", "10.0.0.5", "--insecure"}).preset ==
        artillery::timing_preset::lan);
  CHECK(parse<tool::agent_options>({"agent", "--bind", "10.0.0.5", "--insecure", "--preset", "local"}).preset ==
        artillery::timing_preset::local);
}

TEST_CASE("a wrong option of the agent is named, with what is allowed", "[tool][command line]") {
  require_refused({
      {{"agent", "--bind", "localhost"}, "--bind", "a numeric address is"},
      {{"agent", "--bind", "127.0.0.1:99999"}, "--bind", "a numeric address is"},
      {{"agent", "--advertise", "me"}, "--advertise", "a numeric address is"},
      {{"agent", "--seed", "10.0.0.1"}, "--seed", "host:port is"},
      {{"agent", "--seed", "10.0.0.1:0"}, "--seed", "host:port is"},
      {{"agent", "--seed", ":7"}, "--seed", "host:port is"},
      {{"agent", "--expect", "8"}, "--expect", "0 to 7 are"},
      {{"agent", "--expect", "-1"}, "--expect", "0 to 7 are"},
      {{"agent", "--expect", "three"}, "--expect", "0 to 7 are"},
      {{"agent", "--discovery-port", "0"}, "--discovery-port", "1 to 65535 are"},
      {{"agent", "--replication-port", "65536"}, "--replication-port", "1 to 65535 are"},
      {{"agent", "--no-discovery", "--discovery-port", "7"}, "--discovery-port", "--no-discovery"},
      {{"agent", "--preset", "fast"}, "--preset", "local, lan and wan are"},
      {{"agent", "--value-size-max", "65M"}, "--value-size-max", "1 to 64M are"},
      {{"agent", "--log-level", "loud"}, "--log-level", "debug, info, warning and error are"},
      {{"agent", "--cluster", ""}, "--cluster", "1 to 64 bytes are"},
      {{"agent", "--cluster", std::string(65, 'c')}, "--cluster", "1 to 64 bytes are"},
      {{"agent", "--name", std::string(65, 'n')}, "--name", "1 to 64 bytes are"},
      {{"agent", "-o", "xml"}, "--format", "table, json and jsonl are"},
      {{"agent", "--frobnicate"}, "--frobnicate", "artillery agent --help"},
      {{"agent", "surplus"}, "surplus", "artillery agent --help"},
  });
}

TEST_CASE("a wrong option of the other commands is named, with what is allowed", "[tool][command line]") {
  require_refused({
      {{}, "subcommand", "agent members tags join leave watch reachability status version event send query answer"},
      {{"frobnicate"},
       "frobnicate",
       "agent members tags join leave watch reachability status version event send query answer"},
      {{"get"}, "KEY", "artillery get --help"},
      {{"get", ""}, "KEY", "1 to 1024 bytes are"},
      {{"get", std::string(1025, 'k')}, "KEY", "1 to 1024 bytes are"},
      {{"get", "k", "--consistency", "bounded"}, "--consistency", "strong, eventual"},
      {{"get", "k", "--consistency", "bounded:-5ms"}, "--consistency", "bounded:50ms"},
      {{"get", "k", "--timeout", "5"}, "--timeout", "500ms"},
      {{"get", "k", "--timeout", "0s"}, "--timeout", "1ms to 24h"},
      {{"get", "k", "--timeout", "25h"}, "--timeout", "1ms to 24h"},
      {{"get", "k", "--raw", "--output", "f"}, "--raw", "--output"},
      {{"get", "k", "--raw", "-o", "json"}, "--raw", "table"},
      {{"put", "k"}, "VALUE", "--file"},
      {{"put", "k", "v", "--file", "f"}, "--file", "VALUE"},
      {{"put", "k", "v", "w"}, "w", "artillery put --help"},
      {{"cas", "k", "v"}, "--version", "--absent"},
      {{"cas", "k", "v", "--version", "7"}, "--version", "1.42"},
      {{"cas", "k", "v", "--version", "0.1"}, "--version", "1.42"},
      {{"cas", "k", "v", "--version", "1.2", "--absent"}, "--version", "--absent"},
      {{"del"}, "KEY", "artillery del --help"},
      {{"event"}, "TOPIC", "--listen"},
      {{"event", std::string(65, 't')}, "TOPIC", "1 to 64 bytes are"},
      {{"event", "t", "--listen"}, "TOPIC", "--listen"},
      {{"event", "t", "--count", "1"}, "--count", "--listen"},
      {{"event", "--listen", "--count", "0"}, "--count", "from 1 on"},
      {{"members", "--count", "1"}, "--count", "--watch"},
      {{"members", "--tag", "=x"}, "--tag", "key or key=value is"},
      {{"send"}, "MEMBER", "artillery send --help"},
      {{"send", "b"}, "TOPIC", "artillery send --help"},
      {{"send", "b", ""}, "TOPIC", "1 to 64 bytes are"},
      {{"send", "b", "t", "--reliable", "--best-effort"}, "--reliable", "--best-effort"},
      {{"send", "b", "t", "--timeout", "now"}, "--timeout", "1ms to 24h"},
      {{"query"}, "TOPIC", "artillery query --help"},
      {{"query", "t", "--timeout", "61m"}, "--timeout", "1ms to 1h"},
      {{"query", "t", "--tag", "=x"}, "--tag", "key or key=value is"},
      {{"query", "t", "p", "q"}, "q", "artillery query --help"},
      {{"answer"}, "TOPIC", "artillery answer --help"},
      {{"answer", "t", "--count", "0"}, "--count", "from 1 on"},
      {{"leave", "now"}, "now", "artillery leave --help"},
      {{"leave", "--timeout", "0s"}, "--timeout", "1ms to 24h"},
      {{"watch", "--timeout", "soon"}, "--timeout", "500ms"},
      {{"reachability", "--timeout", "2h"}, "--timeout", "1ms to 1h"},
      {{"chain"}, "subcommand", "artillery chain --help"},
      {{"chain", "add"}, "NODE", "artillery chain --help"},
      {{"chain", "status", "a"}, "a", "artillery chain --help"},
      {{"chain", "status", "--force"}, "--force", "artillery chain --help"},
      {{"chain", "repair", "--yes"}, "--force", "artillery chain --help"},
      {{"members", "--watch", "--timeout", "soon"}, "--timeout", "500ms"},
  });
}

TEST_CASE("reads and writes arrive as they were asked for", "[tool][command line]") {
  const auto get =
      parse<tool::get_options>({"get", "k", "--consistency", "bounded:50ms", "--timeout", "2s", "-o", "json"});
  CHECK(get.key == "k");
  CHECK(get.consistency == artillery::replication::bounded(50ms));
  CHECK(get.common.timeout == 2s);
  CHECK(get.common.format == tool::output_format::json);
  CHECK(parse<tool::get_options>({"get", "k"}).consistency == artillery::replication::strong);
  CHECK(parse<tool::get_options>({"get", "k", "--consistency", "bounded:3"}).consistency ==
        artillery::replication::bounded(3));
  CHECK(parse<tool::write_options>({"put", "k", "-"}).value == "-");
  CHECK(parse<tool::write_options>({"put", "k", ""}).value == "");
  CHECK(parse<tool::write_options>({"put", "k", "--", "-5"}).value == "-5");
  CHECK(parse<tool::write_options>({"cas", "k", "v", "--absent"}).expected.none());
  CHECK(parse<tool::write_options>({"cas", "k", "v", "--version", "3.9"}).expected ==
        artillery::replication::version{3, 9});
  CHECK(parse<tool::write_options>({"del", "k"}).what == tool::write_options::kind::del);
}

TEST_CASE("what is said to members arrives as it was asked for", "[tool][command line]") {
  const auto send = parse<tool::send_options>({"send", "b", "t", "-", "--best-effort"});
  CHECK(send.member == "b");
  CHECK(send.topic == "t");
  CHECK(send.payload == "-");
  CHECK(send.best_effort);
  CHECK_FALSE(parse<tool::send_options>({"send", "b", "t", "--reliable"}).best_effort);
  const auto query = parse<tool::query_options>(
      {"query", "t", "p", "--named", "b", "--named", "c", "--tag", "role=db", "--tag", "zone", "--timeout", "2s"});
  CHECK(query.payload == "p");
  CHECK(query.members == std::vector<std::string>{"b", "c"});
  CHECK(query.tags == tool::tag_filter{{"role", "db"}, {"zone", std::nullopt}});
  CHECK(query.common.timeout == 2s);
  CHECK(parse<tool::query_options>({"query", "--tag", "zone", "t"}).topic == "t");
  CHECK(parse<tool::query_options>({"query", "t"}).common.timeout == 5s);
  const auto answer = parse<tool::answer_options>({"answer", "t", "0.7", "--count", "3"});
  CHECK((answer.topic == "t" && answer.payload == "0.7" && answer.stream.count == 3U));
  CHECK(parse<tool::leave_options>({"leave", "--timeout", "30s"}).common.timeout == 30s);
  CHECK(parse<tool::watch_options>({"watch", "--timeout", "1s"}).stream.timeout == 1s);
  CHECK(parse<tool::reachability_options>({"reachability"}).common.timeout == 5s);
}

TEST_CASE("changes of the chain arrive as they were asked for", "[tool][command line]") {
  using kind = tool::chain_options::kind;
  CHECK(parse<tool::chain_options>({"chain", "status"}).what == kind::status);
  const auto removal = parse<tool::chain_options>({"chain", "remove", "b", "--timeout", "2s"});
  CHECK(removal.what == kind::remove);
  CHECK(removal.node == "b");
  CHECK(removal.common.timeout == 2s);
  CHECK(parse<tool::chain_options>({"chain", "add", "b"}).what == kind::add);
  CHECK(parse<tool::chain_options>({"chain", "promote", "b"}).what == kind::promote);
  const auto repair = parse<tool::chain_options>({"chain", "repair"});
  CHECK((repair.node.empty() && !repair.force && !repair.confirmed));
  const auto asked = parse<tool::chain_options>({"chain", "repair", "--force"});
  CHECK((asked.what == kind::repair && asked.force && !asked.confirmed));
  const auto forced = parse<tool::chain_options>({"chain", "repair", "--force", "--yes"});
  CHECK((forced.force && forced.confirmed));
  CHECK(parse<tool::agent_options>({"agent", "--dir", "/var/lib/a"}).directory == "/var/lib/a");
}

TEST_CASE("each command explains itself with an example", "[tool][command line]") {
  for (const char* command : {"agent", "members", "leave", "watch", "reachability", "event", "send", "query", "answer",
                              "status", "get", "put", "cas", "del", "version"}) {
    INFO(command);
    try {
      (void)tool::parse_command_line({command, "--help"});
      FAIL("--help was ignored");
    } catch (const tool::help_requested& help) {
      CHECK_THAT(help.text, Catch::Contains("--socket"));
      CHECK_THAT(help.text, Catch::Contains(std::string{"artillery "} + command));
    }
  }
}
