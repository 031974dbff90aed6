#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "catch.hpp"
#include "made_up_room.hpp"
#include "tool/scratch_directory.hpp"

using Catch::Contains;
using made_up::command;
using nlohmann::json;

namespace {

std::size_t planted = 2;

/// A room that is sound but for its mistakes: the first shows in every third seed, the second in none.
simulator::room with_mistakes() {
  simulator::room room = made_up::room();
  room.mutants = {"seen", "unseen"};
  room.plant = [](std::size_t mutant) { planted = mutant; };
  room.run = [](std::uint64_t seed, const artillery::sim::run_options& options) {
    artillery::sim::run_result result = made_up::run(10, options);
    if (planted == 0 && seed % 3 == 0) result.violations.push_back("14 us: a card is missing");
    return result;
  };
  return room;
}

/// A folder in which this is noted of the room's mistakes.
struct folder_with_notes {
  explicit folder_with_notes(const std::string& text) { std::ofstream{file} << text; }
  [[nodiscard]] std::string text() const {
    std::ifstream stream{file};
    return {std::istreambuf_iterator<char>{stream}, {}};
  }
  tests::scratch_directory folder;
  std::string at = folder.file("");
  std::string file = folder.file("made-up.mutants.txt");
};

json tried(const folder_with_notes& notes, std::vector<std::string> more = {}) {
  std::vector<std::string> words{"mutants", "--mutant", "seen", "--folder", notes.at, "-o", "json"};
  words.insert(words.end(), more.begin(), more.end());
  const auto said = command(words, {with_mistakes()});
  REQUIRE(said.code == 0);
  return json::parse(said.out).at("trials").at(0);
}

}  // namespace

TEST_CASE("a planted mistake is found, with how many seeds it took", "[simulator]") {
  const auto said = command({"mutants", "--mutant", "seen", "-o", "json"}, {with_mistakes()});
  CHECK(said.code == 0);
  const json all = json::parse(said.out);
  CHECK(all.at("found") == 1);
  CHECK(all.at("unclean").empty());
  CHECK(all.at("trials").at(0).at("seeds") == 3);
  CHECK_THAT(all.at("trials").at(0).at("violation").get<std::string>(), Contains("a card is missing"));
}

TEST_CASE("a planted mistake that no checker sees fails the command", "[simulator]") {
  const auto said = command({"mutants", "--seeds-max", "50"}, {with_mistakes()});
  CHECK(said.code == 1);
  CHECK_THAT(said.out, Contains("NOT FOUND") && Contains("sim mutants: mutants=2 found=1 "));
}

TEST_CASE("a mistake that only a test finds is named, and looked for only where it is asked for", "[simulator]") {
  simulator::room room = with_mistakes();
  room.left_to_tests = {"unseen"};
  const auto said = command({"mutants"}, {room});
  CHECK(said.code == 0);
  CHECK_THAT(said.out, Contains("left to a test, since hardly a seed finds it: unseen\n") &&
                           Contains("mutants=1 found=1 ") && Contains(" left_to_tests=1\n"));
  CHECK(json::parse(command({"mutants", "-o", "json"}, {room}).out).at("left_to_tests").at(0) == "unseen");
  const auto asked = command({"mutants", "--mutant", "unseen", "--seeds-max", "20"}, {room});
  CHECK(asked.code == 1);
  CHECK_THAT(asked.out, Contains("NOT FOUND") && Contains(" left_to_tests=0\n"));
}

TEST_CASE("a room that violates something without a mistake proves nothing about its mistakes", "[simulator]") {
  simulator::room unsound = with_mistakes();
  unsound.run = made_up::run;
  const auto said = command({"mutants", "--seeds-max", "50"}, {unsound});
  CHECK(said.code == 1);
  CHECK_THAT(said.out, Contains("without a mutant made-up's seed 5 is not clean: ") &&
                           Contains("replay: ./dev sim made-up --seed 5\n"));
}

TEST_CASE("mistakes are refused where there are none of that name", "[simulator]") {
  const auto none = command({"mutants"});
  CHECK(none.code == 2);
  CHECK_THAT(none.err, Contains("built without mutants"));
  const auto other = command({"mutants", "--mutant", "other"}, {with_mistakes()});
  CHECK(other.code == 2);
  CHECK_THAT(other.err, Contains("there is no 'other'") && Contains("seen unseen"));
}

TEST_CASE("the seed that is noted for a mistake is tried first", "[simulator]") {
  const folder_with_notes notes{"# what found them\n\nseen 99  # the first ones are slow\n"};
  CHECK(tried(notes).at("seeds") == 99);
  CHECK(tried(notes).at("known") == true);
  const auto said = command({"mutants", "--mutant", "seen", "--folder", notes.at}, {with_mistakes()});
  CHECK_THAT(said.out, !Contains("to be noted"));
}

TEST_CASE("a mistake that its noted seed does not find any more is found by another, which is said", "[simulator]") {
  const folder_with_notes notes{"seen 98\n"};
  CHECK(tried(notes).at("seeds") == 3);
  CHECK(tried(notes).at("known") == false);
  const auto said = command({"mutants", "--mutant", "seen", "--folder", notes.at}, {with_mistakes()});
  CHECK(said.code == 0);
  CHECK_THAT(said.out, Contains("to be noted (--record does it) in " + notes.at + "/made-up.mutants.txt, ") &&
                           Contains("\n  seen 3\n"));
  CHECK(notes.text() == "seen 98\n");
}

TEST_CASE("a noted seed beyond those that are allowed is not tried", "[simulator]") {
  const folder_with_notes notes{"seen 99\n"};
  CHECK(tried(notes, {"--seeds-max", "98"}).at("seeds") == 3);
  CHECK(tried(notes, {"--seeds-max", "99"}).at("seeds") == 99);
}

TEST_CASE("a noted seed under which an unseen mistake stays unseen does not make it found", "[simulator]") {
  const folder_with_notes notes{"unseen 3\n"};
  const auto said = command({"mutants", "--seeds-max", "20", "--folder", notes.at, "--record"}, {with_mistakes()});
  CHECK(said.code == 1);
  CHECK_THAT(said.out, Contains("NOT FOUND") && Contains("mutants=2 found=1 "));
  CHECK(notes.text() == "unseen 3\nseen 3\n");
}

TEST_CASE("the seeds that found mistakes are noted in their places, and what else stands there stays", "[simulator]") {
  const folder_with_notes notes{"# what found them\nseen 98\n\nunseen 5  # never\n"};
  tried(notes, {"--record"});
  CHECK(notes.text() == "# what found them\nseen 3\n\nunseen 5  # never\n");

  std::filesystem::remove(notes.file);
  tried(notes, {"--record"});
  CHECK_THAT(notes.text(), Catch::StartsWith("# Seeds of made-up ") && Catch::EndsWith("\nseen 3\n"));
  CHECK(tried(notes).at("known") == true);
}

TEST_CASE("a note that is none is refused, with its line and what is allowed", "[simulator]") {
  struct wrong {
    const char* text;
    const char* said;
  };
  for (const wrong& one : {wrong{"seen 3\nother 4\n", ":2: made-up has no mistake 'other'; it has: seen unseen"},
                           wrong{"seen\n", ":1: 'seen' is not a mistake and its seed, such as: name 17"},
                           wrong{"seen -3\n", ":1: 'seen -3' is not a mistake and its seed, such as: name 17"},
                           wrong{"seen 3 4\n", ":1: 'seen 3 4' is not a mistake and its seed, such as: name 17"},
                           wrong{"# both\nseen 3\nseen 6\n", ":3: 'seen' has a seed already, in line 2"}}) {
    const folder_with_notes notes{one.text};
    const auto said = command({"mutants", "--folder", notes.at, "--record"}, {with_mistakes()});
    CHECK(said.code == 2);
    CHECK(said.err == "sim: " + notes.at + "/made-up.mutants.txt" + one.said + "\n");
    CHECK(notes.text() == one.text);
  }
}
