#include <nlohmann/json.hpp>

#include "catch.hpp"
#include "made_up_room.hpp"

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
