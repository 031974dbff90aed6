#include <filesystem>
#include <fstream>

#include "catch.hpp"
#include "corpus.hpp"
#include "exit_code.hpp"
#include "made_up_room.hpp"
#include "run_words.hpp"
#include "tool/scratch_directory.hpp"

using Catch::Contains;
using Catch::StartsWith;
using made_up::command;

namespace {

/// The room once its mistake is mended.
simulator::room mended() {
  simulator::room sound = made_up::room();
  sound.run = [](std::uint64_t, const artillery::sim::run_options& options) { return made_up::run(10, options); };
  return sound;
}

}  // namespace

TEST_CASE("a failing seed is made as small as it can be, and what remains violates the same", "[simulator]") {
  const auto said = command({"shrink", "made-up", "--seed", "17"});
  CHECK(said.code == 0);
  CHECK_THAT(said.out, StartsWith("seed 17: 12 us: a write is lost: that of client 17\nsim shrink made-up: attempts="));
  CHECK_THAT(said.out, Contains(" events=1116 -> 8 choices=16 -> 2\n"));
  const std::string replay = made_up::line_behind(said.out, "replay: ");
  CHECK(replay ==
        "./dev sim made-up --seed 17 --faults crash --nodes 2 --time 0s --operations 3 --without 0-4,6-10,12-15");

  // Any smaller run of this seed still reads something stale; that is not what it was shrunk for.
  const auto again = command(made_up::words_behind_dev_sim(replay));
  CHECK(again.code == 1);
  CHECK_THAT(again.out, Contains("a write is lost"));
}

TEST_CASE("a run that is sound already is not shrunk", "[simulator]") {
  const auto said = command({"shrink", "made-up", "--seed", "17", "--faults", "none", "--without", "5"}, {mended()});
  CHECK(said.code == 1);
  CHECK(said.err ==
        "sim: nothing to shrink, this run is sound: ./dev sim made-up --seed 17 --faults none --without 5\n");
}

TEST_CASE("what was shrunk and kept fails in the corpus until the cause is mended", "[simulator]") {
  const tests::scratch_directory folder;
  const std::string at = folder.file("");
  std::ofstream{folder.file("made-up.txt")} << "# Runs that failed once\n\n";
  CHECK(command({"shrink", "made-up", "--seed", "17", "--keep", "--folder", at}).code == 0);

  const auto said = command({"corpus", "--folder", at});
  CHECK(said.code == 1);
  CHECK_THAT(said.out, Contains("made-up.txt:3: 12 us: a write is lost: that of client 17\n"));
  CHECK_THAT(said.out, Contains("replay: ./dev sim made-up --seed 17 --faults crash "));
  CHECK_THAT(said.out, Contains("sim corpus: seeds=1 violations=1 changed=0\n"));

  const auto then = command({"corpus", "made-up", "--folder", at}, {mended()});
  CHECK(then.code == 0);
  CHECK(then.out == "sim corpus: seeds=1 violations=0 changed=0\n");
}

TEST_CASE("a line of the corpus is read as it was written", "[simulator]") {
  const tests::scratch_directory folder;
  const std::string file = folder.file("made-up.txt");
  simulator::seed_and_options run{18'446'744'073'709'551'615U, {}};
  run.fixed.families = *simulator::parse_families("loss,one-way,disk");
  run.fixed.nodes = 3;
  run.fixed.time = std::chrono::milliseconds{1500};
  run.fixed.operations = 0;
  run.fixed.without = {0, 1, 2, 7, 9, 10};
  const std::string line = simulator::corpus_text(run, "12 us: a write is lost: a\nb");
  CHECK(line ==
        "--seed 18446744073709551615 --faults loss,one-way,disk --nodes 3 --time 1500ms --operations 0 "
        "--without 0-2,7,9-10  # 12 us: a write is lost: a b");
  simulator::append_to_corpus(file, line);
  simulator::append_to_corpus(file, simulator::corpus_text({5, {}}, "something else"));

  const auto lines = simulator::read_corpus(file);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].run.seed == run.seed);
  CHECK(simulator::words_of(lines[0].run.fixed) == simulator::words_of(run.fixed));
  CHECK(lines[0].found == "12 us: a write is lost: a b");
  CHECK(lines[1].run.seed == 5);
  CHECK(simulator::is_unrestricted(lines[1].run.fixed));
  CHECK(lines[1].number == 2);
}

TEST_CASE("a line of the corpus that is none is named", "[simulator]") {
  const tests::scratch_directory folder;
  const std::string file = folder.file("made-up.txt");
  std::ofstream{file} << "--seed 1\n--seed 2 --faults lightning\n";
  const auto said = command({"corpus", "--folder", folder.file("")});
  CHECK(said.code == 2);
  CHECK_THAT(said.err, Contains("made-up.txt:2: ") && Contains("--faults"));

  std::filesystem::remove(file);
  const auto none = command({"corpus", "--folder", folder.file("")});
  CHECK(none.code == 2);
  CHECK_THAT(none.err, StartsWith("sim: there is no corpus "));
}
