#include <filesystem>
#include <string>

#include "catch.hpp"
#include "loopback_register.hpp"

// A register whose voters are gone but for less than half: another one takes its place, and only then.

namespace artillery::replication {
namespace {

using forced_outcome = outcome<forced_register>;

struct losing_register {
  loopback_register voters{3};
  view known;

  losing_register() {
    const auto founded = voters.found(0, loopback_register::first({0, 1, 2}, 50ms));
    REQUIRE_FALSE(founded.error());
    known = founded.result();
    for (const std::size_t each : {0U, 1U, 2U}) REQUIRE_FALSE(voters.read(each).error());
  }
  forced_outcome force(std::size_t at) {
    forced_outcome done;
    voters.at(at).async_force(known, name_of(at), voters.places()[at].at, done);
    return voters.wait(done);
  }
};

TEST_CASE("a lost register goes on at the voter that is left, which never votes for the old one again",
          "[replication][register][sockets][force]") {
  losing_register all;
  const std::string old_file = all.voters.file(2);
  all.voters.kill(0);
  all.voters.kill(1);
  const auto forced = all.force(2);
  REQUIRE_FALSE(forced.error());
  const forced_register& begun = forced.result();
  CHECK(begun.first.epoch > all.known.epoch);

  auto read = all.voters.read(2);
  REQUIRE_FALSE(read.error());
  CHECK(read.result().now.view == begun.first);
  CHECK_FALSE(all.voters.renew(2, name_of(2), begun.first.epoch));
  CHECK(all.voters.renew(2, name_of(2), all.known.epoch) == errc::stale_epoch);
  // Those that hold leases of the lost chain are waited for.
  CHECK_FALSE(all.voters.is_quiet(2, read.result().now, 1h));
  view next = begun.first;
  ++next.epoch;
  next.learners = {{name_of(7), endpoint::v4(127, 0, 0, 1, 9)}};
  REQUIRE_FALSE(all.voters.swap(2, next).error());

  // What it had to keep is beside, as it was but for what it promised since.
  REQUIRE(std::filesystem::exists(begun.kept));
  CHECK(std::filesystem::file_size(begun.kept) == old_file.size());
  CHECK(all.voters.file(2) != old_file);
  all.voters.kill(2);
  quorum_config alone = all.voters.config_of(2);
  alone.voters.clear();
  all.voters.start(2, alone);
  REQUIRE(all.voters.until([&] { return !all.voters.at(2).local_endpoint().none(); }));
  CHECK(all.voters.read(2).result().now.view == next);

  // The others come back: they are a majority of the old voters, and this one is not of them.
  all.voters.restart(0);
  const auto asked = all.voters.begin_read(0);
  CHECK(all.voters.until([&] {
    return all.voters.errors().find("was founded with other voters than are configured here") != std::string::npos;
  }));
  CHECK_FALSE(asked.done());
  all.voters.restart(1);
  CHECK(all.voters.read(0).result().now.view == all.known);
}

TEST_CASE("nothing is forced while a majority of voters answers", "[replication][register][sockets][force]") {
  losing_register all;
  CHECK(all.force(2).error() == errc::has_quorum);
  all.voters.kill(0);
  const std::string file = all.voters.file(2);
  CHECK(all.force(1).error() == errc::has_quorum);
  CHECK(all.voters.read(2).result().now.view == all.known);
  CHECK(std::distance(std::filesystem::directory_iterator{all.voters.directory(2)}, {}) == 1);
  CHECK(all.voters.file(2).size() == file.size());
}

TEST_CASE("nothing is forced by a replica that a voter knows to be left out",
          "[replication][register][sockets][force]") {
  losing_register all;
  REQUIRE_FALSE(all.voters.swap(0, loopback_register::after({all.known, {}}, {0, 1})).error());
  REQUIRE(
      all.voters.until([&] { return all.voters.at(0).status().epoch == 2 && all.voters.at(2).status().epoch == 2; }));
  all.voters.kill(0);
  all.voters.kill(1);
  CHECK(all.force(2).error() == errc::stale_epoch);  // its own voter says so
  CHECK(all.voters.at(2).status().votes);
}

TEST_CASE("nothing is forced without a voter, or by one that never knew its register",
          "[replication][register][sockets][force]") {
  losing_register all;
  quorum_config config = all.voters.config_of(2);
  config.node = loopback_register::node(7);
  config.bind = endpoint::v4(127, 0, 0, 1, 0);
  config.directory.clear();
  quorum_authority bystander{all.voters.io().get_executor(), config};
  run_outcome ended;
  bystander.async_run(ended);
  forced_outcome done;
  bystander.async_force(all.known, name_of(7), all.voters.places()[2].at, done);
  CHECK(all.voters.wait(done).error() == errc::not_serving);
  for (const std::size_t one : {0U, 1U, 2U}) all.voters.kill(one);
  all.voters.restart(2);
  CHECK(all.force(2).error() == errc::not_serving);
}

}  // namespace
}  // namespace artillery::replication
