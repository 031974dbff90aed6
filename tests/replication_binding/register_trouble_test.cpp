#include <filesystem>
#include <string>

#include "catch.hpp"
#include "loopback_register.hpp"

// What is wrong with a voter's directory, its list of voters or its first view is said, and nothing is overwritten.

namespace artillery::replication {
namespace {

/// A founded register, of which voter 2 is started anew with something wrong.
struct troubled_voter {
  loopback_register voters{3};

  troubled_voter() {
    REQUIRE_FALSE(voters.found(0, loopback_register::first({0, 1, 2})).error());
    voters.kill(2);
  }
  /// It does not start, says why, and leaves its file as it is; the others go on.
  void is_refused(const quorum_config& config, std::error_code code, const std::string& saying) {
    const std::string before = voters.file(2);
    const auto ended = voters.wait(voters.start(2, config));
    CHECK(ended.error() == code);
    CHECK(voters.errors().find(saying) != std::string::npos);
    CHECK(voters.errors().find("nothing was changed") != std::string::npos);
    CHECK(voters.file(2) == before);
    CHECK_FALSE(voters.read(0).error());
  }
};

TEST_CASE("a voter does not start with a file that it cannot trust", "[replication][register][sockets]") {
  troubled_voter at;
  const std::string sound = at.voters.file(2);
  std::string file = sound;
  SECTION("cut short") {
    at.voters.overwrite(2, sound.substr(0, sound.size() / 2));
    at.is_refused(at.voters.config_of(2), errc::damaged_data, "cut short");
  }
  SECTION("edited") {
    file[sound.size() / 2] = static_cast<char>(file[sound.size() / 2] ^ 4);
    at.voters.overwrite(2, file);
    at.is_refused(at.voters.config_of(2), errc::damaged_data, "does not match its checksum");
  }
  SECTION("of a newer version") {
    file[16] = 9;
    at.voters.overwrite(2, file);
    at.is_refused(at.voters.config_of(2), errc::newer_format, "newer version");
  }
  SECTION("of another chain") {
    quorum_config config = at.voters.config_of(2);
    config.chain = 5;
    at.is_refused(config, errc::foreign_data, "another chain");
  }
  SECTION("of another node") {
    quorum_config config = at.voters.config_of(2);
    config.directory = at.voters.directory(1);
    at.voters.kill(1);
    const auto ended = at.voters.wait(at.voters.start(2, config));
    CHECK(ended.error() == errc::foreign_data);
    CHECK(at.voters.errors().find("another node's") != std::string::npos);
  }
  SECTION("founded with other voters") {
    quorum_config config = at.voters.config_of(2);
    config.voters[0].node = {7, 7};
    at.is_refused(config, errc::voters_disagree, "other voters");
  }
}

TEST_CASE("two processes do not vote from one directory", "[replication][register][sockets]") {
  loopback_register voters{2};
  quorum_config config = voters.config_of(1);
  config.bind = endpoint::v4(127, 0, 0, 1, 0);
  quorum_authority second{voters.io().get_executor(), config};
  run_outcome ended;
  second.async_run(ended);
  CHECK(voters.wait(ended).error() == errc::directory_in_use);
  CHECK(voters.errors().find("in use by another process") != std::string::npos);
}

TEST_CASE("a configuration that cannot be meant is refused", "[replication][register][sockets]") {
  const voter_place one{{1, 1}, endpoint::v4(127, 0, 0, 1, 7400)};
  quorum_config config;
  CHECK(config.validate().find("node is empty") != std::string::npos);
  config.node = {1, 1};
  CHECK(config.validate().empty());
  config.voters = {one, {{1, 1}, endpoint::v4(127, 0, 0, 1, 7401)}};
  CHECK(config.validate().find("node id") != std::string::npos);
  config.voters = {one, {{1, 2}, one.at}};
  CHECK(config.validate().find("listens where") != std::string::npos);
  config.voters = {one, {{1, 2}, endpoint{}}};
  CHECK(config.validate().find("no address") != std::string::npos);

  asio::io_context io;
  quorum_authority refused{io.get_executor(), config};
  CHECK(refused.use_voters({}) == errc::invalid_argument);
  run_outcome ended;
  refused.async_run(ended);
  REQUIRE(net::runs_until(io, [&] { return ended.done(); }));
  CHECK(ended.error() == errc::invalid_configuration);
}

TEST_CASE("a first view that is none is refused", "[replication][register][sockets]") {
  loopback_register voters{1};
  view second = loopback_register::first({0});
  second.epoch = 2;
  CHECK(voters.found(0, second).error() == errc::invalid_argument);
  view elsewhere = loopback_register::first({0});
  elsewhere.chain = 9;
  CHECK(voters.found(0, elsewhere).error() == errc::invalid_argument);
}

TEST_CASE("a chain is founded once: another first view is refused loudly", "[replication][register][sockets]") {
  loopback_register voters{3};
  const auto founded = voters.found(0, loopback_register::first({0, 1, 2}));
  REQUIRE_FALSE(founded.error());
  CHECK(voters.found(1, loopback_register::first({1, 0})).error() == errc::other_genesis);
  CHECK(voters.errors().find("founded with another first view") != std::string::npos);
  CHECK(voters.read(1).result().now.view == founded.result());
}

TEST_CASE("a voter that lost its directory never votes again, the others go on", "[replication][register][sockets]") {
  loopback_register voters{3};
  REQUIRE_FALSE(voters.found(0, loopback_register::first({0, 1, 2})).error());
  voters.kill(2);
  std::filesystem::remove_all(voters.directory(2));
  voters.restart(2);
  const auto newest = voters.read(0);
  REQUIRE_FALSE(newest.error());
  const quorum_alarm alarm = voters.alarm(0);
  CHECK(alarm.why == quorum_alarm::reason::voter_lost);
  CHECK(alarm.voter == loopback_register::node(2));
  CHECK(voters.at(2).status().epoch == 0);
  voters.kill(1);
  CHECK(voters.read(0).error() == errc::timed_out);
}

TEST_CASE("a process that goes by another's id is found out", "[replication][register][sockets]") {
  loopback_register voters{3};
  voters.kill(2);
  quorum_config config = voters.config_of(2);
  config.node = loopback_register::node(1);
  config.directory += "-new";
  config.voters.clear();
  voters.start(2, config);
  view_outcome founded;
  voters.at(0).async_found(loopback_register::first({0, 1}), founded);
  const quorum_alarm alarm = voters.alarm(0);
  CHECK(alarm.why == quorum_alarm::reason::wrong_node);
  CHECK(alarm.voter == loopback_register::node(2));
  CHECK_FALSE(founded.done());
}

TEST_CASE("a voter whose disk refuses says so and is silent", "[replication][register][sockets]") {
  loopback_register voters{1};
  REQUIRE_FALSE(voters.found(0, loopback_register::first({0})).error());
  const chosen_view first = voters.read(0).result().now;
  // What is written next cannot be made: a directory stands where it would be.
  std::filesystem::create_directories(voters.directory(0) + "/voter.new/in the way");
  const auto asked = voters.begin_swap(0, loopback_register::after(first, {0}));
  CHECK(voters.alarm(0).why == quorum_alarm::reason::disk_failed);
  CHECK(voters.wait(asked).error() == errc::outcome_unknown);
  CHECK_FALSE(voters.at(0).status().votes);
}

}  // namespace
}  // namespace artillery::replication
