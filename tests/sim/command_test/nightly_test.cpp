#include <sys/wait.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "catch.hpp"
#include "tool/scratch_directory.hpp"

using Catch::Contains;

namespace {

/// Programs that print what they are told, in place of those that take hours.
class stand_ins {
public:
  stand_ins() {
    std::filesystem::create_directory(folder_.file("command"));
    write("artillery_explorer", R"(if [ "$1" = --list ]; then echo "small (quick): a bound"; echo "large: another";
else echo "sim explore: scope=$2 complete=yes"; fi)");
    write("command/artillery_mutants", R"(echo "a line of a table"; echo "sim mutants: mutants=2 found=2")");
    write("command/artillery_simulator", R"(echo "sim $1: seeds=$4 violations=0 with $*")");
  }

  void write(const std::string& name, const std::string& script) const {
    const std::string file = folder_.file(name);
    std::ofstream{file} << "#!/bin/sh\n" << script << "\n";
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
  }

  struct outcome {
    int code = 0;
    std::string out;
  };
  [[nodiscard]] outcome nightly(const std::string& words) const {
    const std::string line = std::string{ARTILLERY_NIGHTLY} + " '" + folder_.file("") + "' " + words + " 2>&1";
    std::FILE* const pipe = ::popen(line.c_str(), "r");
    REQUIRE(pipe != nullptr);
    outcome said;
    for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) said.out += static_cast<char>(c);
    const int status = ::pclose(pipe);
    said.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return said;
  }

private:
  tests::scratch_directory folder_;
};

}  // namespace

TEST_CASE("a night's run has every room, mistake and set-up in its summary", "[simulator]") {
  const auto said = stand_ins{}.nightly("");
  CHECK(said.code == 0);
  const std::string summary = said.out.substr(said.out.find("==== sim nightly"));
  CHECK_THAT(summary, Contains("ok           sim explore: scope=small") && Contains("sim explore: scope=large") &&
                          Contains("ok           sim mutants: mutants=2 found=2"));
  CHECK_THAT(summary, Contains("sim membership: ") && Contains("sim discovery: ") && Contains("sim chain: "));
  CHECK_THAT(summary, Contains("chain --fresh --seeds 1000000\n"));
  CHECK_THAT(summary, Contains("sim nightly: parts=6 failed=0 out_of_time=0 seconds="));
}

TEST_CASE("a night's run goes on after a part that failed, and fails at its end", "[simulator]") {
  const stand_ins programs;
  programs.write("command/artillery_mutants", R"(echo "sim mutants: mutants=2 found=1"; exit 1)");
  const auto said = programs.nightly("");
  CHECK(said.code == 1);
  CHECK_THAT(said.out, Contains("FAILED       sim mutants: mutants=2 found=1\n"));
  CHECK_THAT(said.out,
             Contains("ok           sim chain: ") && Contains("sim nightly: parts=6 failed=1 out_of_time=0 "));
}

TEST_CASE("a night's run with a budget shares it out, and says what did not fit", "[simulator]") {
  const stand_ins programs;
  programs.write("command/artillery_simulator", R"(echo "sim $1: seeds=900 violations=0 with $*")");
  const auto said = programs.nightly("--within 10m");
  CHECK(said.code == 0);
  CHECK_THAT(said.out, Contains("out-of-time  sim chain: seeds=900 ") && Contains(" --within "));
  CHECK_THAT(said.out, Contains("sim nightly: parts=6 failed=0 out_of_time=3 "));
}

TEST_CASE("a night's run refuses what it does not know", "[simulator]") {
  const stand_ins programs;
  const auto budget = programs.nightly("--within soon");
  CHECK(budget.code == 2);
  CHECK_THAT(budget.out, Contains("--within: 'soon' is not allowed") && Contains("30m, 8h"));
  CHECK(programs.nightly("--seeds 3").code == 2);
}
