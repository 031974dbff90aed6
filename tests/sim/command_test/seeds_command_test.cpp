#include <csignal>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

#include "base/assert.hpp"
#include "catch.hpp"
#include "made_up_room.hpp"

using Catch::Contains;
using Catch::StartsWith;
using made_up::command;
using nlohmann::json;

namespace {

/// `name=value` of a summary line.
std::map<std::string, std::string> figures_of(const std::string& summary) {
  std::map<std::string, std::string> figures;
  std::istringstream stream{summary};
  for (std::string word; stream >> word;) {
    const std::size_t sign = word.find('=');
    if (sign != std::string::npos) figures[word.substr(0, sign)] = word.substr(sign + 1);
  }
  return figures;
}

bool is_about_time(const std::string& figure) {
  return figure.find("second") != std::string::npos;
}

}  // namespace

TEST_CASE("a wrong command line is refused with the option, what is wrong and what is allowed", "[simulator]") {
  struct wrong {
    std::vector<std::string> words;
    std::string named;
    std::string allowed;
  };
  const auto [words, named, allowed] = GENERATE(
      wrong{{"chess"}, "there is no command 'chess'", "made-up shrink corpus mutants"},
      wrong{{"made-up", "--sedes", "3"}, "--sedes", "./dev sim made-up --help"},
      wrong{{"made-up", "--seeds", "0"}, "--seeds", "a number from 1 to"},
      wrong{{"made-up", "--seed", "9-3"}, "--seed", "numbers and ranges are: 3,7-9"},
      wrong{{"made-up", "--seed", "3", "--first", "3", "--fresh"}, "--fresh", "--help"},
      wrong{{"made-up", "--faults", "lightning"}, "--faults", "loss duplication reorder"},
      wrong{{"made-up", "--nodes", "many"}, "--nodes", "a number from 1 to 10000"},
      wrong{{"made-up", "--time", "soon"}, "--time", "500ms"},
      wrong{{"made-up", "--within", "0s"}, "--within", "30s, 10m, 2h"},
      wrong{{"made-up", "--without", "a"}, "--without", "3,7-9"},
      wrong{{"made-up", "--at-least", "operations"}, "--at-least", "figure=number"},
      wrong{{"made-up", "--at-least", "speed=3"}, "there is no figure 'speed'", "seeds operations violations"},
      wrong{{"made-up", "--jobs", "0"}, "--jobs", "a number from 1 to"},
      wrong{{"made-up", "-o", "xml"}, "--format", "table, json and jsonl"},
      wrong{{"shrink", "made-up"}, "--seed", "required"}, wrong{{"shrink", "chess", "--seed", "1"}, "room", "made-up"});
  CAPTURE(words);
  const auto said = command(words);
  CHECK(said.code == 2);
  CHECK(said.out.empty());
  CHECK_THAT(said.err, StartsWith("sim: ") && Contains(named) && Contains(allowed));
}

TEST_CASE("the summary has a fixed form: counters added up, of times the largest", "[simulator]") {
  const auto said = command({"made-up", "--first", "10", "--seeds", "4"});
  CHECK(said.code == 0);
  CHECK_THAT(said.out, StartsWith("sim made-up: seeds=4 operations=240 violations=0 crashes=4 events_per_cpu_second="));
  CHECK_THAT(said.out, Contains(" events=4464 writes=80 reads=160 slowest_ms=13 first_seed=10 cpu_seconds="));
  CHECK(std::count(said.out.begin(), said.out.end(), '\n') == 1);
  CHECK(said.err.empty());
}

TEST_CASE("a seed that violates something is named with what it violated and with the command that replays it",
          "[simulator]") {
  const auto said = command({"made-up", "--first", "11", "--seeds", "8", "--faults", "crash,loss"});
  CHECK(said.code == 1);
  CHECK_THAT(said.out, StartsWith("seed 15:\n  13 us: a read is stale: version 3\n  replay: "));
  CHECK_THAT(said.out, Contains(" violations=2 "));
  const std::string replay = made_up::line_behind(said.out.substr(said.out.find("seed 17:")), "replay: ");
  CHECK(replay == "./dev sim made-up --seed 17 --faults loss,crash");
  const auto again = command(made_up::words_behind_dev_sim(replay));
  CHECK(again.code == 1);
  CHECK_THAT(again.out, Contains("12 us: a write is lost: that of client 17"));
}

TEST_CASE("a broken invariant and an exception are violations like any other", "[simulator]") {
  simulator::room falls = made_up::room();
  falls.run = [](std::uint64_t seed, const artillery::sim::run_options& options) {
    if (seed == 2) throw std::runtime_error{"out of cards"};
    ARTILLERY_INVARIANT(seed != 3);
    return made_up::run(seed, options);
  };
  const auto said = command({"made-up", "--seeds", "4"}, {falls});
  CHECK(said.code == 1);
  CHECK_THAT(said.out, Contains("seed 2:\n  exception: out of cards\n"));
  CHECK_THAT(said.out, Contains("seed 3:\n  invariant broken: seed != 3 at "));
  CHECK_THAT(said.out, Contains("sim made-up: seeds=4 operations=120 violations=2 "));
}

TEST_CASE("JSON has the figures of the summary, and the failures", "[simulator]") {
  const std::vector<std::string> words{"made-up", "--seeds", "20"};
  const auto table = command(words);
  const auto figures = figures_of(table.out.substr(table.out.rfind("sim made-up: ")));
  const auto said = command({"made-up", "--seeds", "20", "-o", "json"});
  CHECK(said.code == 1);
  const json all = json::parse(said.out);
  CHECK(all.at("sim") == "made-up");
  for (const auto& [name, value] : figures) {
    CAPTURE(name);
    REQUIRE(all.contains(name));
    if (!is_about_time(name)) CHECK(all.at(name).dump() == value);
  }
  CHECK(all.at("failures").size() == 4);
  CHECK(all.at("failures").at(1).at("seed") == 7);
  CHECK(all.at("failures").at(1).at("violations").size() == 2);
  CHECK(all.at("failures").at(1).at("replay") == "./dev sim made-up --seed 7");
  CHECK(all.at("less_than_stated").empty());
}

TEST_CASE("as lines of JSON each seed is one, in the order of the seeds", "[simulator]") {
  const auto said = command({"made-up", "--seeds", "30", "-o", "jsonl", "--jobs", "4"});
  CHECK(said.code == 1);
  std::istringstream lines{said.out};
  std::uint64_t seed = 0;
  for (std::string line; std::getline(lines, line);) {
    const json one = json::parse(line);
    CHECK(one.at("seed") == ++seed);
    CHECK(one.at("counters").at("writes") == 20);
    CHECK(one.contains("replay") == !one.at("violations").empty());
  }
  CHECK(seed == 30);
}

TEST_CASE("a run that reaches less than the room's floor fails, unless the caller chose the mix", "[simulator]") {
  simulator::room easy = made_up::room();
  easy.run = [](std::uint64_t, artillery::sim::run_options options) {
    options.families = 0;
    return made_up::run(10, options);
  };
  const auto said = command({"made-up", "--seeds", "1000"}, {easy});
  CHECK(said.code == 1);
  CHECK_THAT(said.out, Contains("less than stated: crashes=0, and at least 900 were stated\nsim made-up: "));
  CHECK(command({"made-up", "--seeds", "1000", "--nodes", "3"}, {easy}).code == 0);
  CHECK(command({"made-up", "--seeds", "10"}, {easy}).code == 0);  // too few to tell

  const json all = json::parse(command({"made-up", "--seeds", "1000", "-o", "json"}, {easy}).out);
  CHECK(all.at("less_than_stated").at(0).at("figure") == "crashes");
  const auto lines = command({"made-up", "--seeds", "1000", "-o", "jsonl"}, {easy});
  CHECK(lines.code == 1);
  CHECK_THAT(lines.err, Contains("less than stated: crashes=0"));
}

TEST_CASE("a run that reaches less than the caller stated fails", "[simulator]") {
  CHECK(command({"made-up", "--first", "10", "--seeds", "4", "--at-least", "operations=240"}).code == 0);
  const auto said = command({"made-up", "--first", "10", "--seeds", "4", "--at-least", "operations=241"});
  CHECK(said.code == 1);
  CHECK_THAT(said.out, StartsWith("less than stated: operations=240, and at least 241 were stated\n"));
}

TEST_CASE("Ctrl-C ends a run early: it tells what it came to, and that this is less than was stated", "[simulator]") {
  simulator::room pressed = made_up::room();
  pressed.run = [](std::uint64_t seed, const artillery::sim::run_options& options) {
    if (seed == 14) std::raise(SIGINT);
    return made_up::run(10, options);
  };
  const auto said = command({"made-up", "--first", "10", "--seeds", "20", "--jobs", "1"}, {pressed});
  CHECK(said.code == 1);
  CHECK_THAT(said.out, StartsWith("less than stated: seeds=5, and at least 20 were stated\nsim made-up: seeds=5 "));
}

TEST_CASE("a seed has the same hash each time, whoever ran it", "[simulator]") {
  const auto alone = command({"made-up", "--seeds", "40", "--hashes", "--jobs", "1"});
  const auto together = command({"made-up", "--seeds", "40", "--hashes", "--jobs", "4"});
  const auto hashes = [](const std::string& text) { return text.substr(0, text.rfind("seed 40 trace ") + 31); };
  CHECK(hashes(alone.out) == hashes(together.out));
  const std::string hash = made_up::line_behind(alone.out, "seed 23 trace ");
  CHECK(hash.size() == 16);
  CHECK_THAT(command({"made-up", "--seed", "23"}).out, Contains(hash));
  CHECK_THAT(command({"made-up", "--seed", "24"}).out, !Contains(hash));
}
