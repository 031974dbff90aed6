#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <chrono>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "byte_json.hpp"
#include "catch.hpp"
#include "control/client.hpp"
#include "exit_code.hpp"
#include "nlohmann/json.hpp"
#include "tool/processes.hpp"

// A real agent, hosting a chain of one, and the real command.

using nlohmann::json;
using namespace std::chrono_literals;
using tests::finished;
using tests::running_agent;

namespace {

std::string every_byte(std::size_t size) {
  std::string bytes;
  for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(i * 131 % 257);
  return bytes;
}

/// Sends bytes of our own making and returns the line that comes back, empty when the agent just hangs up.
std::string answer_to(const running_agent& agent, const std::string& bytes) {
  tool::control::client client{agent.socket()};
  const auto deadline = artillery::clock::now() + 10s;
  client.send(bytes, deadline);
  try {
    return client.receive(deadline).head.dump();
  } catch (const tool::failure&) {
    return {};
  }
}

/// Three agents that formed a chain, in which `k` is "v".
struct chain_of_three {
  chain_of_three() {
    for (const running_agent* one : {&a, &b, &c}) {
      REQUIRE(one->command({"status", "--wait", "--timeout", "20s"}).code == 0);
    }
    REQUIRE(a.command({"put", "k", "v"}).code == 0);
  }

  running_agent a{{"--expect", "3", "--name", "a"}};
  std::string seed = json::parse(a.command({"status", "-o", "json"}).out).at("membership");
  running_agent b{{"--expect", "3", "--name", "b", "--seed", seed}};
  running_agent c{{"--expect", "3", "--name", "c", "--seed", seed}};
};

}  // namespace

TEST_CASE("an agent says where it is as soon as it serves", "[tool][agent]") {
  running_agent agent{{"--name", "alpha", "--cluster", "tests"}};
  const json ready = json::parse(agent.ready());
  CHECK(ready.at("event") == "ready");
  CHECK(ready.at("name") == "alpha");
  CHECK(ready.at("cluster") == "tests");
  CHECK(ready.at("socket") == agent.socket());
  CHECK(ready.at("pid") == agent.process().pid());
  CHECK_THAT(ready.at("membership").get<std::string>(), Catch::StartsWith("127.0.0.1:"));
}

TEST_CASE("what is put is got, changed under a condition, and erased", "[tool][agent]") {
  running_agent agent;
  const finished put = agent.command({"put", "limit", "100", "-o", "json"});
  REQUIRE(put.code == 0);
  const std::string version = json::parse(put.out).at("version");
  CHECK(agent.command({"get", "limit", "--raw"}).out == "100");

  const json got = json::parse(agent.command({"get", "limit", "-o", "json"}).out);
  CHECK(got.at("value") == "100");
  CHECK(got.at("version") == version);
  CHECK(got.at("found") == true);

  CHECK(agent.command({"cas", "limit", "200", "--version", version}).code == 0);
  const finished late = agent.command({"cas", "limit", "300", "--version", version});
  CHECK(late.code == 7);
  CHECK_THAT(late.err, Catch::Contains("not written"));
  CHECK(agent.command({"cas", "limit", "300", "--absent"}).code == 7);
  CHECK(agent.command({"get", "limit", "--raw"}).out == "200");
  CHECK(agent.command({"cas", "lock", "me", "--absent"}).code == 0);

  CHECK(agent.command({"del", "limit"}).code == 0);
  CHECK(agent.command({"del", "limit"}).code == 0);
  CHECK(agent.command({"get", "limit"}).code == 6);
}

TEST_CASE("an absent object is told apart from an empty one", "[tool][agent]") {
  running_agent agent;
  const finished absent = agent.command({"get", "nothing", "--raw"});
  CHECK(absent.code == 6);
  CHECK(absent.out.empty());
  CHECK_THAT(absent.err, Catch::Contains("there is no object 'nothing'"));
  CHECK(json::parse(agent.command({"get", "nothing", "-o", "json"}).out).at("found") == false);
  REQUIRE(agent.command({"put", "empty", ""}).code == 0);
  CHECK(agent.command({"get", "empty", "--raw"}).code == 0);
  CHECK(json::parse(agent.command({"get", "empty", "-o", "json"}).out).at("value") == "");
}

TEST_CASE("values of any bytes go through standard input, files and JSON", "[tool][agent]") {
  running_agent agent;
  const std::string value = every_byte(3000);
  REQUIRE(agent.command({"put", "binary", "-"}, value).code == 0);
  CHECK(agent.command({"get", "binary", "--raw"}).out == value);
  const json got = json::parse(agent.command({"get", "binary", "-o", "jsonl"}).out);
  CHECK(tool::bytes_from_json(got.at("value")) == value);
  CHECK(agent.command({"put", "k\xff", "v"}).code == 0);
  CHECK(agent.command({"get", "k\xff", "--raw"}).out == "v");
}

TEST_CASE("a file of a mebibyte comes back as it was, a larger one is refused with the limit", "[tool][agent]") {
  running_agent agent;
  const std::string path = agent.scratch().file("large");
  const std::string value = every_byte(std::size_t{1} << 20U);
  std::ofstream{path, std::ios::binary} << value;
  REQUIRE(agent.command({"put", "large", "--file", path}).code == 0);
  REQUIRE(agent.command({"get", "large", "--output", path + ".back"}).code == 0);
  CHECK(tests::content_of(path + ".back") == value);

  std::ofstream{path, std::ios::app} << 'x';
  const finished refused = agent.command({"put", "large", "--file", path});
  CHECK(refused.code == 1);
  CHECK_THAT(refused.err, Catch::Contains("1048577 bytes; at most 1048576 are allowed"));
  CHECK(agent.command({"get", "large", "--raw"}).out == value);
  CHECK(agent.command({"put", "large", "--file", path + ".missing"}).code == 1);
}

TEST_CASE("every consistency reads", "[tool][agent]") {
  running_agent agent;
  REQUIRE(agent.command({"put", "k", "v"}).code == 0);
  for (const char* level : {"strong", "bounded:50ms", "bounded:3", "eventual"}) {
    INFO(level);
    CHECK(agent.command({"get", "k", "--raw", "--consistency", level}).out == "v");
  }
}

TEST_CASE("members and status tell of the node", "[tool][agent]") {
  running_agent agent{{"--name", "alpha"}};
  REQUIRE(agent.command({"status", "--wait"}).code == 0);
  const json members = json::parse(agent.command({"members", "-o", "json"}).out);
  REQUIRE(members.size() == 1);
  CHECK(members[0].at("name") == "alpha");
  CHECK(members[0].at("state") == "alive");
  CHECK(members[0].at("self") == true);
  CHECK_THAT(agent.command({"members"}).out, Catch::Contains("alpha (this)"));

  REQUIRE(agent.command({"put", "k", "v"}).code == 0);
  const json status = json::parse(agent.command({"status", "--counters", "-o", "json"}).out);
  CHECK(status.at("chain").at("state") == "formed");
  CHECK(status.at("chain").at("role") == "single");
  CHECK(status.at("replica").at("commit") >= 1);
  CHECK(status.at("pid") == agent.process().pid());
  CHECK(status.at("counters").size() > 10);
  CHECK_THAT(agent.command({"status"}).out, Catch::Contains("role"));
}

TEST_CASE("an agent's tags are changed, and members are picked by them", "[tool][agent]") {
  running_agent agent{{"--name", "alpha", "--tag", "zone=eu"}};
  REQUIRE(agent.command({"status", "--wait"}).code == 0);
  const auto tags_of = [](const finished& done) { return json::parse(done.out).at("tags"); };
  CHECK(tags_of(agent.command({"tags", "-o", "json"})) == json{{"zone", "eu"}});
  CHECK(tags_of(agent.command({"tags", "role=db", "--remove", "zone", "-o", "json"})) == json{{"role", "db"}});
  const auto picked = [&](std::vector<std::string> by) {
    std::vector<std::string> arguments{"members", "-o", "json"};
    arguments.insert(arguments.end(), by.begin(), by.end());
    return json::parse(agent.command(arguments).out).size();
  };
  CHECK(picked({"--tag", "role=db"}) == 1);
  CHECK(picked({"--tag", "role", "--named", "alpha", "--state", "alive"}) == 1);
  CHECK(picked({"--tag", "role=web"}) == 0);
  CHECK(picked({"--tag", "zone"}) == 0);
  CHECK(picked({"--named", "beta"}) == 0);
  CHECK(picked({"--state", "failed"}) == 0);
  const finished reserved = agent.command({"tags", "chain=x"});
  CHECK(reserved.code == 1);
  const finished large = agent.command({"tags", "k=" + std::string(300, 'x')});
  CHECK(large.code == 1);
  CHECK_FALSE(large.err.empty());
  CHECK(tags_of(agent.command({"tags", "-o", "json"})) == json{{"role", "db"}});
}

TEST_CASE("an agent is told where to look for others, by name", "[tool][agent]") {
  running_agent first{{"--name", "alpha", "--no-discovery"}};
  running_agent second{{"--name", "beta", "--no-discovery"}};
  const json status = json::parse(first.command({"status", "-o", "json"}).out);
  const std::string address = status.at("membership").get<std::string>();
  const std::string port = address.substr(address.rfind(':') + 1);
  CHECK(second.command({"join", "localhost:" + port}).code == 0);
  const auto deadline = artillery::clock::now() + 10s;
  const auto members = [&] { return json::parse(second.command({"members", "-o", "json"}).out).size(); };
  while (members() < 2 && artillery::clock::now() < deadline) continue;
  CHECK(members() == 2);
  const finished wrong = second.command({"join", "a host:x"});
  CHECK(wrong.code != 0);
  CHECK_THAT(wrong.err, Catch::Contains("host:port"));
}

TEST_CASE("the chain of a lone agent shows itself, and never changes", "[tool][agent]") {
  running_agent agent{{"--name", "alpha"}};
  REQUIRE(agent.command({"status", "--wait"}).code == 0);
  const finished shown = agent.command({"chain", "status"});
  CHECK(shown.code == 0);
  CHECK_THAT(shown.out, Catch::Contains("single") && Catch::Contains("alpha") && Catch::Contains("endless"));
  const json status = json::parse(agent.command({"chain", "status", "-o", "json"}).out);
  CHECK(status.at("epoch") == 1);
  CHECK(status.at("here").at("lease_ms").is_null());
  const finished refused = agent.command({"chain", "repair"});
  CHECK(refused.code == 1);
  const finished unknown = agent.command({"chain", "remove", "omega"});
  CHECK(unknown.code == 1);
  CHECK_THAT(unknown.err, Catch::Contains("there is no member 'omega'; the members are: alpha"));
}

TEST_CASE("three agents form a chain; one is taken out by hand, and back", "[tool][agent]") {
  chain_of_three chain;
  running_agent& a = chain.a;
  running_agent& b = chain.b;
  running_agent& c = chain.c;

  const json before = json::parse(a.command({"chain", "status", "-o", "json"}).out);
  REQUIRE(before.at("replicas").size() == 3);
  CHECK(before.at("voters").size() == 3);
  const std::string tail_id = before.at("replicas")[2].at("id");
  const auto id_of = [](const running_agent& one) {
    return json::parse(one.command({"status", "-o", "json"}).out).at("id").get<std::string>();
  };
  running_agent* tail = nullptr;
  running_agent* other = nullptr;
  for (running_agent* one : {&a, &b, &c}) (id_of(*one) == tail_id ? tail : other) = one;
  REQUIRE(tail != nullptr);

  REQUIRE(other->command({"chain", "remove", tail_id.substr(0, 8)}).code == 0);
  const json without = json::parse(other->command({"chain", "status", "-o", "json"}).out);
  CHECK(without.at("replicas").size() == 2);
  CHECK(other->command({"get", "k", "--raw"}).out == "v");
  CHECK(tail->command({"get", "k", "--raw"}).out == "v");  // as a client

  const std::string new_tail_id = without.at("replicas")[1].at("id");
  for (running_agent* one : {&a, &b, &c}) {
    if (id_of(*one) == new_tail_id) other = one;
  }
  const finished too_soon = other->command({"chain", "promote", tail_id});
  CHECK(too_soon.code == 1);
  CHECK_THAT(too_soon.err, Catch::Contains("neither a learner nor a replica") && Catch::Contains("chain add"));
  REQUIRE(other->command({"chain", "add", tail_id}).code == 0);
  json again;
  for (int asked = 0; asked < 500 && (again.empty() || again.at("replicas").size() < 3); ++asked) {
    again = json::parse(other->command({"chain", "status", "-o", "json"}).out);
  }
  REQUIRE(again.at("replicas").size() == 3);
  CHECK(again.at("replicas")[2].at("id") == tail_id);
}

TEST_CASE("a change that nothing comes of in time says what to look at", "[tool][agent]") {
  chain_of_three chain;
  for (running_agent* one : {&chain.a, &chain.b, &chain.c}) {
    const std::string nobody(32, '1');
    const finished added = one->command({"chain", "add", nobody, "--timeout", "1s"});
    if (added.code == 1) {
      CHECK_THAT(added.err, Catch::Contains("only the tail can do this: ask the agent "));
      continue;
    }
    CHECK(added.code == 4);
    CHECK_THAT(added.err, Catch::Contains("has not asked to take part") && Catch::Contains("nothing was changed"));
  }
}

TEST_CASE("a chain that lost its voters is forced to go on at the agent that is left, once that is confirmed",
          "[tool][agent][force]") {
  chain_of_three chain;
  running_agent& a = chain.a;
  running_agent& b = chain.b;
  running_agent& c = chain.c;

  const finished refused = a.command({"chain", "repair", "--force", "--yes"});
  CHECK(refused.code == 1);
  CHECK_THAT(refused.err, Catch::Contains("a majority of the voters answers"));

  const json before = json::parse(a.command({"chain", "status", "-o", "json"}).out);
  for (running_agent* one : {&b, &c}) one->process().signal(SIGKILL);
  const finished warned = a.command({"chain", "repair", "--force"});
  CHECK(warned.code == 8);
  CHECK(warned.out.empty());
  CHECK_THAT(warned.err, Catch::Contains("What may be lost") && Catch::Contains("Nothing was done. Add --yes"));
  CHECK(json::parse(a.command({"chain", "status", "-o", "json"}).out).at("epoch") == before.at("epoch"));

  const finished forced = a.command({"chain", "repair", "--force", "--yes", "-o", "json"});
  INFO(forced.err);
  REQUIRE(forced.code == 0);
  CHECK_THAT(forced.err, Catch::Contains("What may be lost"));
  const json made = json::parse(forced.out);
  CHECK(made.at("epoch") > before.at("epoch"));
  CHECK_THAT(made.at("former_vote").get<std::string>(), Catch::Contains("voter-of-"));
  CHECK(a.command({"get", "k", "--raw"}).out == "v");
  CHECK(a.command({"put", "k", "on"}).code == 0);
  const json after = json::parse(a.command({"chain", "status", "-o", "json"}).out);
  CHECK(after.at("replicas").size() == 1);
  CHECK(after.at("voters").size() == 1);
  CHECK(after.at("epoch") == made.at("epoch"));
}

TEST_CASE("nothing is forced at an agent that is no replica of a chain of several", "[tool][agent][force]") {
  running_agent agent;
  REQUIRE(agent.command({"status", "--wait"}).code == 0);
  const finished refused = agent.command({"chain", "repair", "--force", "--yes"});
  CHECK(refused.code == 1);
  CHECK_THAT(refused.err, Catch::Contains("is no replica of the chain"));
}

TEST_CASE("who listens hears an event, of its own topic only", "[tool][agent]") {
  running_agent agent;
  tool::control::client listener{agent.socket()};
  (void)listener.request({{"op", "watch"}, {"kinds", {"user"}}, {"topic", "wanted"}}, 5s);
  REQUIRE(agent.command({"event", "other", "no"}).code == 0);
  REQUIRE(agent.command({"event", "wanted", "-"}, "\xff payload").code == 0);
  const json event = listener.receive(artillery::clock::now() + 5s).head;
  CHECK(event.at("topic") == "wanted");
  CHECK(tool::bytes_from_json(event.at("payload")) == "\xff payload");
  CHECK(agent.command({"event", "wanted", "-"}, std::string(20'000, 'x')).code == 0);
  CHECK(agent.command({"event", "wanted", "-"}, std::string((1U << 20U) + 1, 'x')).code == 1);
}

TEST_CASE("listening ends when its time is over, with 4 if events were counted on", "[tool][agent]") {
  running_agent agent;
  CHECK(agent.command({"event", "--listen", "--timeout", "50ms"}).code == 0);
  const finished counted = agent.command({"event", "--listen", "--timeout", "50ms", "--count", "1"});
  CHECK(counted.code == 4);
  CHECK_THAT(counted.err, Catch::Contains("0 of 1 events"));
  CHECK(agent.command({"members", "--watch", "--timeout", "50ms"}).code == 0);
}

TEST_CASE("without its chain an agent answers that it is waiting, in time", "[tool][agent]") {
  running_agent agent{{"--expect", "2"}};
  const finished waited = agent.command({"status", "--wait", "--timeout", "100ms"});
  CHECK(waited.code == 4);
  CHECK_THAT(waited.err, Catch::Contains("no chain is in force"));
  CHECK(agent.command({"get", "k", "--timeout", "100ms"}).code == 4);
  CHECK(agent.command({"put", "k", "v", "--timeout", "100ms"}).code == 4);
  CHECK(json::parse(agent.command({"status", "-o", "json"}).out).at("chain").at("state") == "waiting");
}

TEST_CASE("requests that make no sense are refused and the next one is served", "[tool][agent]") {
  running_agent agent;
  CHECK_THAT(answer_to(agent, "hello\n"), Catch::Contains("bad_request"));
  CHECK_THAT(answer_to(agent, std::string(20'000, 'x')), Catch::Contains("at most 16384 bytes"));
  CHECK_THAT(answer_to(agent, "{\"op\":\"get\",\"body\":99999999999}\n"), Catch::Contains("body must be"));
  CHECK_THAT(answer_to(agent, "{\"op\":\"get\",\"version\":99}\n"), Catch::Contains("other_protocol"));
  for (const char* line : {"{}", R"({"op":5})", R"({"op":"fly"})", R"({"op":"get"})", R"({"op":"get","key":5})",
                           R"({"op":"get","key":{"base64":"?"}})", R"({"op":"get","key":"k","timeout_ms":0})",
                           R"({"op":"get","key":"k","timeout_ms":-1})", R"({"op":"get","key":"k","consistency":"x"})",
                           R"({"op":"cas","key":"k"})", R"({"op":"cas","key":"k","expected":"x"})",
                           R"({"op":"watch","kinds":"user"})", R"({"op":"watch","kinds":[5]})", R"({"op":"event"})"}) {
    INFO(line);
    CHECK_THAT(answer_to(agent, std::string{line} + "\n"), Catch::Contains("bad_request"));
  }
  CHECK_THAT(answer_to(agent, "{\"op\":\"get\",\"key\":\"\"}\n"), Catch::Contains("invalid_argument"));
  CHECK(agent.command({"put", "k", "v"}).code == 0);
}

TEST_CASE("clients that hang up at any moment harm nobody", "[tool][agent]") {
  running_agent agent;
  const std::string request = tool::control::encode({{"op", "put"}, {"key", "k"}}, "value");
  for (std::size_t size = 0; size <= request.size(); ++size) {
    tool::control::client client{agent.socket()};
    client.send(request.substr(0, size), artillery::clock::now() + 5s);
  }
  {
    tool::control::client watching{agent.socket()};
    (void)watching.request({{"op", "watch"}}, 5s);
  }
  CHECK(agent.command({"event", "t", "p"}).code == 0);
  CHECK(agent.command({"get", "k", "--raw"}).out == "value");
}

TEST_CASE("the socket is the owner's alone, and a second agent is told who has it", "[tool][agent]") {
  running_agent agent;
  struct stat found{};
  REQUIRE(::stat(agent.socket().c_str(), &found) == 0);
  CHECK((found.st_mode & 0777U) == 0600);
  const finished second = agent.command({"agent"});
  CHECK(second.code == 1);
  CHECK_THAT(second.err, Catch::Contains("already running"));
  CHECK_THAT(second.err, Catch::Contains("pid " + std::to_string(agent.process().pid())));
  CHECK(agent.command({"put", "k", "v"}).code == 0);
}

TEST_CASE("an agent that is told to end ends with 0 and takes its socket along", "[tool][agent]") {
  for (const int number : {SIGTERM, SIGINT}) {
    running_agent agent;
    agent.process().signal(number);
    CHECK(agent.process().wait() == 0);
    CHECK(::access(agent.socket().c_str(), F_OK) != 0);
    CHECK(agent.command({"members"}).code == 3);
  }
}

TEST_CASE("a killed agent does not hinder the next one", "[tool][agent]") {
  running_agent agent;
  agent.process().signal(SIGKILL);
  (void)agent.process().wait();
  const finished between = agent.command({"members"});
  CHECK(between.code == 3);
  CHECK_THAT(between.err, Catch::Contains("no agent is running there"));
  agent.start_again();
  CHECK(agent.command({"put", "k", "v"}).code == 0);
}

TEST_CASE("a port that is taken and an address that is not ours are said so", "[tool][agent]") {
  running_agent agent;
  const std::string taken = json::parse(agent.ready()).at("membership");
  const std::vector<std::string> common{"agent", "--no-discovery", "--socket", agent.scratch().file("b.sock")};
  auto words = common;
  words.insert(words.end(), {"--bind", taken});
  const finished refused = tests::run_command(agent.scratch(), words);
  CHECK(refused.code == 1);
  CHECK_THAT(refused.err, Catch::Contains(taken));
  CHECK_THAT(refused.err, Catch::Contains("in use"));
  words = common;
  words.insert(words.end(), {"--bind", "192.0.2.1", "--insecure"});
  const finished foreign = tests::run_command(agent.scratch(), words);
  CHECK(foreign.code == 1);
  CHECK_THAT(foreign.err, Catch::Contains("no interface of this machine has the address"));
  CHECK_THAT(foreign.err, Catch::Contains("warning: --insecure"));
}

TEST_CASE("the command's exit codes and help reach the shell", "[tool][agent]") {
  tests::scratch_directory scratch;
  const finished wrong = tests::run_command(scratch, {"agent", "--expect", "9"});
  CHECK(wrong.code == 2);
  CHECK(wrong.out.empty());
  CHECK_THAT(wrong.err, Catch::Contains("--expect"));
  const finished help = tests::run_command(scratch, {"--help"});
  CHECK(help.code == 0);
  CHECK_THAT(help.out, Catch::Contains("Exit codes"));
  CHECK_THAT(tests::run_command(scratch, {"version"}).out, Catch::StartsWith("artillery "));
  CHECK(tests::run_command(scratch, {"members", "--socket", scratch.file("none")}).code == 3);
}
