#include <fstream>
#include <iterator>

#include "catch.hpp"
#include "made_up_room.hpp"
#include "tool/scratch_directory.hpp"

using Catch::Contains;
using Catch::StartsWith;
using made_up::command;

namespace {

namespace sim = artillery::sim;
using kind = sim::happening::kind;

/// A room whose seeds draw a number of cards, and in whose runs three things happen.
simulator::room with_words() {
  simulator::room room = made_up::room();
  room.describe = [](std::uint64_t seed, const sim::run_options& options) -> simulator::drawn {
    return {{"cards", std::to_string(seed % 10)}, {"nodes", std::to_string(options.nodes.value_or(5))}};
  };
  room.words = [](std::uint64_t, const sim::run_options&) -> simulator::room_words {
    return {.name_of = [](sim::host which) { return std::string(1, static_cast<char>('a' + which)); },
            .text_of = [](const artillery::scenarios::utterance& said) { return std::string{said.message.text()}; }};
  };
  room.run = [](std::uint64_t seed, const sim::run_options& options) {
    const artillery::time_point now{std::chrono::milliseconds{7}};
    const auto tell = [&](sim::happening what) {
      what.at = now;
      if (options.watch) options.watch(what);
    };
    const auto stream = artillery::connection::stream(2);
    tell({.what = kind::pause, .where = 1});
    tell({.what = kind::link, .where = 1, .other = 0, .on = stream, .state = artillery::link_state::up});
    tell({.what = kind::frame, .where = 1, .other = 0, .on = stream, .message = artillery::as_bytes("a card\n")});
    tell({.what = kind::lost, .where = 1, .other = 0, .message = artillery::as_bytes("another")});
    return made_up::run(seed, options);
  };
  return room;
}

constexpr const char* trace =
    "7000 us  b: the process is stopped\n"
    "7000 us  b: the stream from a opens\n"
    "7000 us  a => b  a card\\x0a\n"
    "7000 us  b -> a  another   (lost)\n";

std::string text_of(const std::string& file) {
  std::ifstream stream{file};
  return {std::istreambuf_iterator<char>{stream}, {}};
}

}  // namespace

TEST_CASE("a seed that is run alone says what it draws", "[simulator]") {
  const auto said = command({"made-up", "--seed", "23", "--nodes", "3"}, {with_words()});
  CHECK(said.code == 0);
  CHECK_THAT(said.out, StartsWith("seed 23 draws (") && Contains("):\n  cards  3\n  nodes  3\nseed 23: sound, trace "));
  CHECK_THAT(said.out, Contains(", 16 choices that --without can leave out\n"));
  CHECK_THAT(command({"made-up", "--seed", "23,24"}, {with_words()}).out, !Contains("draws"));
  CHECK_THAT(command({"made-up", "--seed", "23", "-o", "json"}, {with_words()}).out, StartsWith("{"));
}

TEST_CASE("a trace tells all that happens in a seed, line by line", "[simulator]") {
  const auto said = command({"made-up", "--seed", "23", "--trace"}, {with_words()});
  CHECK(said.code == 0);
  CHECK_THAT(said.out, Contains("  nodes  5\n" + std::string{trace} + "seed 23: sound, "));
}

TEST_CASE("a trace is written to a file, and what it is of to the terminal", "[simulator]") {
  const tests::scratch_directory folder;
  const std::string file = folder.file("run.txt");
  const auto said = command({"made-up", "--seed", "25", "--trace", file}, {with_words()});
  CHECK(said.code == 1);  // the run violates something, and is told all the same
  CHECK(text_of(file) == trace);
  CHECK_THAT(said.out, !Contains("the process is stopped"));

  const auto nowhere = command({"made-up", "--seed", "23", "--trace", folder.file("none/run.txt")}, {with_words()});
  CHECK(nowhere.code == 1);
  CHECK_THAT(nowhere.err, Contains("cannot write to "));
}

TEST_CASE("only one seed at a time is traced", "[simulator]") {
  const auto many = command({"made-up", "--seeds", "3", "--trace"}, {with_words()});
  CHECK(many.code == 2);
  CHECK_THAT(many.err, Contains("--trace") && Contains("--seed 17"));
  const auto mixed = command({"made-up", "--seed", "3", "-o", "json", "--trace"}, {with_words()});
  CHECK(mixed.code == 2);
  CHECK_THAT(mixed.err, Contains("--trace") && Contains("--trace run.txt"));
}

TEST_CASE("the corpus says which of its runs are drawn otherwise than they were kept", "[simulator]") {
  const tests::scratch_directory folder;
  const std::string at = folder.file("");
  std::ofstream{folder.file("made-up.txt")} << "";
  CHECK(command({"shrink", "made-up", "--seed", "17", "--keep", "--folder", at}, {with_words()}).code == 0);
  CHECK_THAT(text_of(folder.file("made-up.txt")), Contains(" --draws "));
  CHECK_THAT(command({"corpus", "--folder", at}, {with_words()}).out, Contains("violations=1 changed=0\n"));

  simulator::room redrawn = with_words();
  redrawn.describe = [](std::uint64_t, const sim::run_options&) -> simulator::drawn { return {{"cards", "52"}}; };
  redrawn.run = [](std::uint64_t, const sim::run_options& options) { return made_up::run(10, options); };
  const auto said = command({"corpus", "--folder", at}, {redrawn});
  CHECK(said.code == 0);
  CHECK_THAT(said.out, Contains("made-up.txt:1: draws another run than the one that was kept (--draws ") &&
                           Contains(" now): 12 us: a write is lost") && Contains("violations=0 changed=1\n"));
}
