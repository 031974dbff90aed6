#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "byte_json.hpp"
#include "catch.hpp"
#include "control/client.hpp"
#include "exit_code.hpp"
#include "nlohmann/json.hpp"
#include "tool/processes.hpp"

// Real agents that know each other, and what their users say to each other by the real command.

using nlohmann::json;
using namespace std::chrono_literals;
using tests::finished;
using tests::running_agent;

namespace {

/// Asks for events of these kinds; what comes from then on is heard.
tool::control::client listener_at(const running_agent& agent, const json& wanted) {
  tool::control::client client{agent.socket()};
  json request = wanted;
  request["op"] = "watch";
  (void)client.request(request, 5s);
  return client;
}

json heard_by(tool::control::client& listener) {
  return listener.receive(artillery::clock::now() + 10s).head;
}

/// The next event of this name.
json heard_by(tool::control::client& listener, const std::string& event) {
  json heard;
  do heard = heard_by(listener);
  while (heard.at("event") != event);
  return heard;
}

json status_of(const running_agent& agent) {
  return json::parse(agent.command({"status", "-o", "json"}).out);
}

/// Waits until `agent` knows of so many others.
void await_others(const running_agent& agent, std::size_t count) {
  tool::control::client events = listener_at(agent, {{"kinds", {"member"}}});
  while (status_of(agent).at("members") < count + 1) (void)heard_by(events);
}

struct three_agents {
  three_agents() {
    for (const running_agent* one : {&a, &b, &c}) await_others(*one, 2);
  }

  // With timings of a network, so that who stands still for a moment is not reported failed.
  running_agent a{{"--name", "a", "--preset", "lan"}};
  std::string seed = status_of(a).at("membership");
  running_agent b{{"--name", "b", "--preset", "lan", "--seed", seed, "--tag", "role=db"}};
  running_agent c{{"--name", "c", "--preset", "lan", "--seed", seed, "--tag", "role=web"}};
};

std::vector<json> lines_of(const std::string& text) {
  std::vector<json> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    lines.push_back(json::parse(text.substr(at, end - at)));
    at = end + 1;
  }
  return lines;
}

/// `artillery answer …` as a process, which answers by the time this is made.
class answerer {
public:
  answerer(const running_agent& agent, std::vector<std::string> words) {
    words.insert(words.begin(), {ARTILLERY_COMMAND, "answer"});
    words.insert(words.end(), {"--socket", agent.socket(), "-o", "jsonl"});
    process_ = std::make_unique<demo::child>(words, agent.scratch().file("answerer"));
  }
  [[nodiscard]] demo::child& process() { return *process_; }

private:
  std::unique_ptr<demo::child> process_;
};

/// Asks until so many answer: who answers listens some time after its process begins.
std::vector<json> answered_by(const running_agent& asker, const std::vector<std::string>& words, std::size_t count) {
  std::vector<json> lines;
  const auto deadline = artillery::clock::now() + 20s;
  do {
    const finished asked = asker.command(words);
    INFO(asked.err);
    REQUIRE(asked.code == 0);
    lines = lines_of(asked.out);
  } while (lines.size() <= count && artillery::clock::now() < deadline);
  return lines;
}

}  // namespace

TEST_CASE("a message reaches the member that it is sent to, and nobody else", "[tool][talk]") {
  three_agents all;
  auto at_b = listener_at(all.b, {{"kinds", {"user"}}});
  auto at_c = listener_at(all.c, {{"kinds", {"user"}}});
  REQUIRE(all.a.command({"send", "b", "reload", "-"}, "\xff now").code == 0);
  const json message = heard_by(at_b);
  CHECK(message.at("event") == "message");
  CHECK(message.at("topic") == "reload");
  CHECK(message.at("origin") == status_of(all.a).at("id"));
  CHECK(tool::bytes_from_json(message.at("payload")) == "\xff now");

  const std::string id = status_of(all.c).at("id");
  const finished sent = all.a.command({"send", id.substr(0, 8), "reload", "--best-effort", "-o", "json"});
  CHECK(sent.code == 0);
  CHECK(json::parse(sent.out).at("arrived").is_null());
  CHECK(heard_by(at_c).at("payload") == "");  // and not the message to b
}

TEST_CASE("a message to nobody, to more than one, or to the agent itself is refused with what there is",
          "[tool][talk]") {
  running_agent a{{"--name", "a"}};
  const std::string seed = status_of(a).at("membership");
  running_agent first{{"--name", "twin", "--seed", seed}};
  await_others(a, 1);
  CHECK(a.command({"send", "twin", "t"}).code == 0);
  running_agent second{{"--name", "twin", "--seed", seed}};
  await_others(a, 2);
  const finished unknown = a.command({"send", "omega", "t"});
  CHECK(unknown.code == 1);
  CHECK_THAT(unknown.err, Catch::Contains("there is no member 'omega'; the members are: ") && Catch::Contains("twin"));
  const finished ambiguous = a.command({"send", "twin", "t"});
  CHECK(ambiguous.code == 1);
  CHECK_THAT(ambiguous.err, Catch::Contains("there is more than one member 'twin'"));
  const finished itself = a.command({"send", "a", "t"});
  CHECK(itself.code == 1);
  CHECK_THAT(itself.err, Catch::Contains("'a' is this agent itself"));
  const finished gone = a.command({"send", std::string(32, '1'), "t"});
  CHECK(gone.code == 1);
  CHECK_THAT(gone.err, Catch::Contains("is not there"));

  const finished reached = a.command({"reachability"});
  CHECK(reached.code == 0);
  CHECK_THAT(reached.out, Catch::Contains("More than one member is called 'twin'"));

  // One who is gone does not stand in the way of its name.
  auto events = listener_at(a, {{"kinds", {"member"}}});
  REQUIRE(first.command({"leave"}).code == 0);
  CHECK(heard_by(events, "left").at("member").at("name") == "twin");
  CHECK(a.command({"send", "twin", "t"}).code == 0);
}

TEST_CASE("a message that is not confirmed in time may or may not have arrived", "[tool][talk]") {
  three_agents all;
  all.b.process().signal(SIGSTOP);
  const finished sent = all.a.command({"send", "b", "t", "--timeout", "50ms"});
  all.b.process().signal(SIGCONT);
  CHECK(sent.code == 5);
  CHECK_THAT(sent.err, Catch::Contains("may or may not have arrived"));
}

TEST_CASE("a query is answered by those who listen for it, and its end tells how many did", "[tool][talk]") {
  three_agents all;
  answerer at_b{all.b, {"load", "0.5"}};
  answerer at_c{all.c, {"load", "0.9"}};
  const auto lines = answered_by(all.a, {"query", "load", "--timeout", "500ms", "-o", "jsonl"}, 2);
  REQUIRE(lines.size() == 3);
  std::set<std::string> answers;
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(lines[i].at("event") == "answer");
    answers.insert(lines[i].at("name").get<std::string>() + " " + lines[i].at("payload").get<std::string>());
  }
  CHECK(answers == std::set<std::string>{"b 0.5", "c 0.9"});
  CHECK(lines[2].at("event") == "query_end");
  CHECK(lines[2].at("asked") == 2);
  CHECK(lines[2].at("heard") == 2);
  CHECK(lines[2].at("answered") == 2);
  CHECK(json::parse(tests::next_line(at_b.process())).at("topic") == "load");
  CHECK_THAT(all.a.command({"query", "load"}).out, Catch::Contains("2 of 2 answered, 2 have the question"));

  SECTION("those who are named are asked, or have the tags") {
    const auto asked = [&](std::vector<std::string> by) {
      by.insert(by.begin(), {"query", "load", "-o", "jsonl"});
      std::set<std::string> names;
      for (const json& line : lines_of(all.a.command(by).out)) {
        if (line.at("event") == "answer") names.insert(line.at("name"));
      }
      return names;
    };
    CHECK(asked({"--named", "b"}) == std::set<std::string>{"b"});
    CHECK(asked({"--named", "b", "--named", "c"}) == std::set<std::string>{"b", "c"});
    CHECK(asked({"--tag", "role=web"}) == std::set<std::string>{"c"});
    CHECK(asked({"--tag", "role"}) == std::set<std::string>{"b", "c"});
    CHECK(asked({"--tag", "role", "--named", "b"}) == std::set<std::string>{"b"});
    const finished nobody = all.a.command({"query", "load", "--tag", "zone"});
    CHECK(nobody.code == 1);
    CHECK_THAT(nobody.err, Catch::Contains("no other member has all of these 'tags'"));
    CHECK_THAT(all.a.command({"query", "load", "--named", "omega"}).err, Catch::Contains("there is no member 'omega'"));
  }
}

TEST_CASE("whoever listens sees the query and may answer it once, through the control socket", "[tool][talk]") {
  three_agents all;
  auto at_b = listener_at(all.b, {{"kinds", {"user"}}, {"topic", "load"}});
  tool::control::client asking{all.a.socket()};
  (void)asking.request({{"op", "query"}, {"topic", "load"}, {"members", {"b"}}}, "which?", 10s);
  const json query = heard_by(at_b);
  CHECK(query.at("event") == "query");
  CHECK(query.at("payload") == "which?");
  CHECK(query.at("timeout_ms") == 10'000);
  tool::control::client answering{all.b.socket()};
  const json request{{"op", "answer"}, {"origin", query.at("origin")}, {"number", query.at("number")}};
  (void)answering.request(request, "this", 5s);
  CHECK_THROWS(answering.request(request, "that", 5s));
  const json answer = heard_by(asking);
  CHECK(answer.at("event") == "answer");
  CHECK(answer.at("payload") == "this");
  CHECK(heard_by(asking).at("event") == "query_end");
  CHECK_THROWS(heard_by(asking));  // the agent hangs up
}

TEST_CASE("who asks and hangs up leaves nothing behind", "[tool][talk]") {
  three_agents all;
  auto at_b = listener_at(all.b, {{"kinds", {"user"}}});
  tool::control::client answering{all.b.socket()};
  for (int i = 0; i < 70; ++i) {  // more than a node can have open
    {
      tool::control::client asking{all.a.socket()};
      (void)asking.request({{"op", "query"}, {"topic", "load"}, {"members", {"b"}}}, 60s);
    }
    const json query = heard_by(at_b, "query");
    const json answer{{"op", "answer"}, {"origin", query.at("origin")}, {"number", query.at("number")}};
    (void)answering.request(answer, "late", 5s);
  }
  const finished asked = all.a.command({"query", "load", "--timeout", "100ms"});
  INFO(asked.err);
  CHECK(asked.code == 0);
}

TEST_CASE("all agents answer that they are reached, without anybody who listens", "[tool][talk]") {
  three_agents all;
  auto at_b = listener_at(all.b, {{"kinds", {"user"}}});
  const finished reached = all.a.command({"reachability", "-o", "json"});
  REQUIRE(reached.code == 0);
  const json found = json::parse(reached.out);
  CHECK(found.at("answered") == 2);
  CHECK(found.at("silent") == 0);
  REQUIRE(found.at("members").size() == 2);
  for (const json& member : found.at("members")) CHECK(member.at("after_ms").is_number_unsigned());
  CHECK_THAT(all.a.command({"reachability"}).out, Catch::Contains("All other members (2) have the question"));
  REQUIRE(all.a.command({"event", "t", "p"}).code == 0);
  CHECK(heard_by(at_b).at("event") == "user");  // and no query before it
}

TEST_CASE("who does not answer is named, and what that may mean", "[tool][talk]") {
  three_agents all;
  for (running_agent* one : {&all.b, &all.c}) one->process().signal(SIGSTOP);
  const finished reached = all.a.command({"reachability", "--timeout", "100ms"});
  for (running_agent* one : {&all.b, &all.c}) one->process().signal(SIGCONT);
  CHECK(reached.code == 1);
  CHECK_THAT(reached.out, Catch::Contains("none") && Catch::Contains("2 of 2 other members gave no answer in 100ms"));
  CHECK_THAT(reached.out, Catch::Contains("Nobody answered"));
}

TEST_CASE("a lone agent is not cut off from anybody", "[tool][talk]") {
  running_agent agent;
  const finished reached = agent.command({"reachability", "--timeout", "100ms"});
  CHECK(reached.code == 0);
  CHECK_THAT(reached.out, Catch::Contains("knows of no other member"));
}

TEST_CASE("an agent that leaves is reported so, ends with 0, and is gone when the command is", "[tool][talk]") {
  three_agents all;
  auto at_a = listener_at(all.a, {{"kinds", {"member"}}});
  CHECK(all.b.command({"leave", "--timeout", "20s"}).code == 0);
  CHECK(::access(all.b.socket().c_str(), F_OK) != 0);
  CHECK(all.b.process().wait() == 0);
  CHECK(heard_by(at_a, "left").at("member").at("name") == "b");
  const json members = json::parse(all.a.command({"members", "--all", "--named", "b", "-o", "json"}).out);
  REQUIRE(members.size() == 1);
  CHECK(members[0].at("state") == "left");
  CHECK(members[0].at("state_for_ms").is_number_unsigned());
  CHECK(all.b.command({"leave"}).code == 3);
}

TEST_CASE("an agent that stands still is not waited for longer than was asked", "[tool][talk]") {
  running_agent agent;
  tool::control::client client{agent.socket()};
  agent.process().signal(SIGSTOP);
  CHECK_FALSE(client.wait_for_end(artillery::clock::now() + 50ms));
  agent.process().signal(SIGCONT);
  CHECK(agent.command({"leave"}).code == 0);
  CHECK(client.wait_for_end(artillery::clock::now() + 10s));
}

TEST_CASE("what is watched shows who is there first, and then each change", "[tool][talk][watch]") {
  running_agent a{{"--name", "alpha"}};
  demo::child watch{{ARTILLERY_COMMAND, "watch", "--socket", a.socket(), "--count", "1", "-o", "jsonl"},
                    a.scratch().file("watch")};
  const json present = json::parse(tests::next_line(watch));
  CHECK(present.at("event") == "present");
  CHECK(present.at("member").at("name") == "alpha");
  running_agent b{{"--name", "beta", "--seed", status_of(a).at("membership")}};
  const json joined = json::parse(tests::next_line(watch));
  CHECK(joined.at("event") == "joined");
  CHECK(joined.at("member").at("name") == "beta");
  CHECK(watch.wait() == 0);
  CHECK(a.command({"watch", "--count", "1", "--timeout", "50ms"}).code == 4);
}

TEST_CASE("on a terminal a live table is drawn anew with each change", "[tool][talk][watch]") {
  running_agent a{{"--name", "alpha", "--tag", "zone=eu"}};
  demo::child terminal{{"/usr/bin/script", "-qec",
                        std::string{ARTILLERY_COMMAND} + " watch --count 1 --socket " + a.socket(), "/dev/null"},
                       a.scratch().file("terminal")};
  const auto shown = [&](const std::string& text) {
    std::string line;
    do line = tests::next_line(terminal);
    while (line.find(text) == std::string::npos);
    return line;
  };
  CHECK_THAT(shown("1 alive"), Catch::Contains("\x1b[H"));
  CHECK_THAT(shown("alpha (this)"), Catch::Contains("alive") && Catch::Contains("zone=eu"));
  running_agent b{{"--name", "beta", "--seed", status_of(a).at("membership")}};
  CHECK_THAT(shown("2 alive"), Catch::Contains("\x1b[H"));
  CHECK_THAT(shown("beta"), Catch::Contains("alive"));
  CHECK(terminal.wait() == 0);
}

TEST_CASE("requests about other members that make no sense are refused, each by its field", "[tool][talk]") {
  running_agent agent{{"--name", "alpha"}};
  const std::string id(32, '1');
  for (const auto& [line, named] : std::vector<std::pair<std::string, std::string>>{
           {R"({"op":"send"})", "'to'"},
           {R"({"op":"send","to":"x"})", "'topic'"},
           {R"({"op":"send","to":"x","topic":""})", "'topic'"},
           {R"({"op":"send","to":"x","topic":"artillery.ping"})", "'topic'"},
           {R"({"op":"send","to":"x","topic":"t"})", "no member 'x'"},
           {R"({"op":"send","to":"alpha","topic":"t"})", "this agent itself"},
           {R"({"op":"send","to":"x","topic":"t","delivery":"fast"})", "'delivery'"},
           {R"({"op":"send","to":"x","topic":"t","timeout_ms":0})", "'timeout_ms'"},
           {R"({"op":"query"})", "'topic'"},
           {R"({"op":"query","topic":"artillery.x"})", "'topic'"},
           {R"({"op":"query","topic":"t","members":"b"})", "'members'"},
           {R"({"op":"query","topic":"t","members":["b"]})", "no member 'b'"},
           {R"({"op":"query","topic":"t","members":["alpha"]})", "this agent itself"},
           {R"({"op":"query","topic":"t","tags":["b"]})", "'tags'"},
           {R"({"op":"query","topic":"t","tags":{"k":5}})", "'tags'"},
           {R"({"op":"query","topic":"t","timeout_ms":3600001})", "'timeout_ms'"},
           {R"({"op":"answer"})", "'origin'"},
           {R"({"op":"answer","origin":"b"})", "'origin'"},
           {R"({"op":"answer","origin":")" + id + R"("})", "'number'"},
           {R"({"op":"answer","origin":")" + id + R"(","number":-1})", "'number'"},
           {R"({"op":"event","topic":"artillery.x"})", "'topic'"},
           {R"({"op":"leave","version":2})", "version"}}) {
    INFO(line);
    tool::control::client client{agent.socket()};
    client.send(line + "\n", artillery::clock::now() + 10s);
    const json error = heard_by(client).at("error");
    CHECK((error.at("code") == "bad_request" || error.at("code") == "other_protocol"));
    CHECK_THAT(error.at("message").get<std::string>(), Catch::Contains(named));
  }
  // Refused by the node: there is no such query, and a question is for a datagram.
  tool::control::client client{agent.socket()};
  CHECK_THROWS(client.request({{"op", "answer"}, {"origin", id}, {"number", 1}}, "x", 5s));
  const auto refusal_of = [&](json request, std::size_t size) -> std::string {
    try {
      (void)client.request(std::move(request), std::string(size, 'x'), 5s);
    } catch (const tool::failure& refused) {
      return refused.what();
    }
    return {};
  };
  CHECK_THAT(refusal_of({{"op", "query"}, {"topic", "t"}}, 5'000),
             Catch::Contains("has 5000 bytes; a question goes into a datagram"));
  CHECK_THAT(refusal_of({{"op", "query"}, {"topic", "t"}}, (std::size_t{1} << 20U) + 1),
             Catch::Contains("at most 1048576 are taken here (agent --value-size-max)"));
  CHECK(agent.command({"members"}).code == 0);
}
