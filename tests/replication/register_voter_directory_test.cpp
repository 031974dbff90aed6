// The voter's directory: what is written is there again, one process has it, and nothing faulty is overwritten.
#include <array>
#include <fstream>
#include <iterator>

#include "catch.hpp"
#include "replication/acceptor.hpp"
#include "replication/voter_directory_binding.hpp"
#include "tool/scratch_directory.hpp"

using namespace artillery;
using namespace artillery::replication;

namespace {

struct directory_of_a_voter {
  tests::scratch_directory scratch;
  std::string path = scratch.file("voter-1");
  voter_directory::meaning meant{7, {1, 1}, {}, 100};

  voter_problem open(voter_directory& into) const { return into.open(path, meant); }
  std::string file() const {
    std::ifstream in{path + "/voter", std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
  }
  void overwrite(const std::string& contents) const { std::ofstream{path + "/voter", std::ios::binary} << contents; }

  static bytes founded_voter(std::uint64_t round) {
    voter_state state;
    state.chain = 7;
    state.self = {{1, 1}, 100};
    state.genesis = 5;
    state.promised = {round, {2, 2}, 9};
    state.value.chain = 7;
    state.value.epoch = 1;
    state.value.replicas = {{{{2, 1}, 1}, endpoint::v4(10, 0, 0, 1, 7000)}};
    state.value.voters = {{{{1, 1}, 100}, endpoint::v4(10, 0, 0, 1, 7400)}};
    return bytes::copy(encode_voter(state));
  }
  /// Leaves a sound file of a founded voter behind.
  void vote() const {
    voter_directory voter;
    REQUIRE_FALSE(open(voter));
    REQUIRE_FALSE(voter.write(std::array{founded_voter(3)}));
  }
  /// Opening fails, says this, and leaves the file as it is.
  void is_refused(std::error_code code, const std::string& saying) const {
    const std::string before = file();
    voter_directory voter;
    const voter_problem problem = open(voter);
    CHECK(problem.code == code);
    const std::string& fault = problem.explanation;
    CAPTURE(fault);
    CHECK(fault.find(saying) != std::string::npos);
    CHECK(fault.find("nothing was changed") != std::string::npos);
    CHECK(fault.find(path) != std::string::npos);
    CHECK(file() == before);
  }
};

}  // namespace

TEST_CASE("a voter begins in an empty directory under a fresh name, and keeps it", "[replication][register][file]") {
  directory_of_a_voter at;
  {
    voter_directory voter;
    REQUIRE_FALSE(at.open(voter));
    CHECK(voter.found().self == replica_id{{1, 1}, 100});
    CHECK_FALSE(voter.found().is_founded());
  }
  at.meant.fresh = 200;
  voter_directory again;
  REQUIRE_FALSE(at.open(again));
  CHECK(again.found().self.incarnation == 100);
}

TEST_CASE("what a voter wrote last is there when it comes back", "[replication][register][file]") {
  directory_of_a_voter at;
  {
    voter_directory voter;
    REQUIRE_FALSE(at.open(voter));
    for (std::uint64_t round = 1; round <= 9; ++round) {
      REQUIRE_FALSE(voter.write(std::array{directory_of_a_voter::founded_voter(round)}));
    }
  }
  voter_directory again;
  REQUIRE_FALSE(at.open(again));
  CHECK(again.found().promised.round == 9);
}

TEST_CASE("a write that was cut off leaves what was there before", "[replication][register][file]") {
  directory_of_a_voter at;
  at.vote();
  std::ofstream{at.path + "/voter.new", std::ios::binary} << "half a f";
  voter_directory voter;
  REQUIRE_FALSE(at.open(voter));
  CHECK(voter.found().promised.round == 3);
  CHECK_FALSE(voter.write(std::array{directory_of_a_voter::founded_voter(4)}));
}

TEST_CASE("a voter's directory has one process at a time", "[replication][register][file]") {
  directory_of_a_voter at;
  voter_directory voter;
  REQUIRE_FALSE(at.open(voter));
  at.is_refused(errc::directory_in_use, "in use by another process");
}

TEST_CASE("a voter's file that is faulty is refused and left as it is", "[replication][register][file]") {
  directory_of_a_voter at;
  at.vote();
  std::string file = at.file();
  SECTION("cut short") {
    at.overwrite(file.substr(0, file.size() / 2));
    at.is_refused(errc::damaged_data, "cut short");
  }
  SECTION("empty") {
    at.overwrite("");
    at.is_refused(errc::damaged_data, "cut short");
  }
  SECTION("edited") {
    file[40] = static_cast<char>(file[40] ^ 1);
    at.overwrite(file);
    at.is_refused(errc::damaged_data, "does not match its checksum");
  }
  SECTION("of a newer format") {
    file[16] = 2;
    at.overwrite(file);
    at.is_refused(errc::newer_format, "newer version");
  }
  SECTION("something else") {
    at.overwrite("# a shopping list\n");
    at.is_refused(errc::damaged_data, "is not one");
  }
  SECTION("something large") {
    at.overwrite(std::string(voter_file_size_max + 1, 'x'));
    at.is_refused(errc::damaged_data, "is not one");
  }
  SECTION("of another chain") {
    at.meant.chain = 8;
    at.is_refused(errc::foreign_data, "another chain");
  }
  SECTION("of another node") {
    at.meant.node = {1, 2};
    at.is_refused(errc::foreign_data, "another node");
  }
  SECTION("of other voters than are configured") {
    at.meant.voters = {{{{3, 3}, 1}, endpoint::v4(10, 0, 0, 1, 7400)}};
    at.is_refused(errc::voters_disagree, "other voters");
  }
}

TEST_CASE("a directory that cannot be made is named", "[replication][register][file]") {
  directory_of_a_voter at;
  at.path = at.scratch.file("not/there");
  voter_directory voter;
  CHECK(at.open(voter).explanation.find("cannot be opened") != std::string::npos);
}
