#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "catch.hpp"
#include "control/client.hpp"
#include "control/listener.hpp"
#include "control/peer.hpp"
#include "control/socket_path.hpp"
#include "exit_code.hpp"
#include "tool/scratch_directory.hpp"

namespace {

using tool::control::listener;

template <class Action>
std::optional<tool::failure> failure_of(Action action) {
  try {
    action();
  } catch (const tool::failure& failed) {
    return failed;
  }
  return std::nullopt;
}

unsigned mode_of(const std::string& path) {
  struct stat found{};
  REQUIRE(::stat(path.c_str(), &found) == 0);
  return found.st_mode & 0777U;
}

}  // namespace

TEST_CASE("the socket is the owner's alone and goes with its listener", "[tool][control]") {
  tests::scratch_directory scratch;
  const std::string path = scratch.file("s.sock");
  {
    listener open{path};
    CHECK(mode_of(path) == 0600);
    CHECK_NOTHROW(tool::control::client{path});
  }
  CHECK_FALSE(std::filesystem::exists(path));
  CHECK_FALSE(std::filesystem::exists(path + ".lock"));
}

TEST_CASE("a second agent at the same socket is told who has it", "[tool][control]") {
  tests::scratch_directory scratch;
  const std::string path = scratch.file("s.sock");
  listener first{path};
  const auto failed = failure_of([&] { listener second{path}; });
  REQUIRE(failed);
  CHECK(failed->code() == tool::exit_code::failed);
  CHECK_THAT(failed->what(), Catch::Contains("already running"));
  CHECK_THAT(failed->what(), Catch::Contains("pid " + std::to_string(::getpid())));
  CHECK_NOTHROW(tool::control::client{path});
}

TEST_CASE("what a killed agent left behind is replaced", "[tool][control]") {
  tests::scratch_directory scratch;
  const std::string path = scratch.file("s.sock");
  {
    tool::control::file_descriptor dead{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const sockaddr_un address = tool::control::address_of(path);
    REQUIRE(::bind(dead.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  }
  std::ofstream{path + ".lock"} << "1";
  REQUIRE(std::filesystem::exists(path));
  listener next{path};
  CHECK_NOTHROW(tool::control::client{path});
}

TEST_CASE("a file that is no socket is left alone", "[tool][control]") {
  tests::scratch_directory scratch;
  const std::string path = scratch.file("precious");
  std::ofstream{path} << "data";
  const auto failed = failure_of([&] { listener open{path}; });
  REQUIRE(failed);
  CHECK_THAT(failed->what(), Catch::Contains("is not a socket"));
  CHECK(std::filesystem::file_size(path) == 4);
  CHECK_FALSE(std::filesystem::exists(path + ".lock"));
}

TEST_CASE("another program's living socket is left alone", "[tool][control]") {
  tests::scratch_directory scratch;
  const std::string path = scratch.file("s.sock");
  tool::control::file_descriptor other{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const sockaddr_un address = tool::control::address_of(path);
  REQUIRE(::bind(other.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::listen(other.number(), 1) == 0);
  const auto failed = failure_of([&] { listener open{path}; });
  REQUIRE(failed);
  CHECK_THAT(failed->what(), Catch::Contains("another program listens"));
  CHECK(std::filesystem::exists(path));
}

TEST_CASE("a path that the system cannot bind is refused with its limit", "[tool][control]") {
  const auto failed = failure_of([] { listener open{"/tmp/" + std::string(120, 'x')}; });
  REQUIRE(failed);
  CHECK(failed->code() == tool::exit_code::wrong_use);
  CHECK_THAT(failed->what(), Catch::Contains("--socket"));
  CHECK_THAT(failed->what(), Catch::Contains("1 to 107"));
}

TEST_CASE("a directory that is not there is said to be missing", "[tool][control]") {
  tests::scratch_directory scratch;
  const auto failed = failure_of([&] { listener open{scratch.file("nowhere/s.sock")}; });
  REQUIRE(failed);
  CHECK_THAT(failed->what(), Catch::Contains("No such file or directory"));
}

TEST_CASE("without an agent a command says so and which others there are", "[tool][control]") {
  tests::scratch_directory scratch;
  auto failed = failure_of([&] { tool::control::client{scratch.file("a.sock")}; });
  REQUIRE(failed);
  CHECK(failed->code() == tool::exit_code::unreachable);
  CHECK_THAT(failed->what(), Catch::Contains("no agent is running there"));
  listener other{scratch.file("b.sock")};
  failed = failure_of([&] { tool::control::client{scratch.file("a.sock")}; });
  REQUIRE(failed);
  CHECK_THAT(failed->what(), Catch::Contains("b.sock"));
}

TEST_CASE("an agent that does not answer is given up at the deadline", "[tool][control]") {
  tests::scratch_directory scratch;
  listener silent{scratch.file("s.sock")};
  tool::control::client client{scratch.file("s.sock")};
  const auto failed = failure_of([&] { (void)client.receive(artillery::clock::now() + std::chrono::milliseconds{5}); });
  REQUIRE(failed);
  CHECK(failed->code() == tool::exit_code::timed_out);
}

TEST_CASE("names of clusters and agents never meet in one file name", "[tool][control]") {
  using tool::control::socket_file_name;
  CHECK(socket_file_name("local-me", "a") == "a@local-me.sock");
  CHECK(socket_file_name("b@c", "a") == "a@b%40c.sock");
  CHECK(socket_file_name("c", "a@b") == "a%40b@c.sock");
  CHECK(socket_file_name("../x", "/") == "%2F@%2E.%2Fx.sock");
}

TEST_CASE("the default directory is entered by its owner alone", "[tool][control]") {
  tests::scratch_directory scratch;
  const char* before = std::getenv("XDG_RUNTIME_DIR");
  const std::optional<std::string> kept = before == nullptr ? std::nullopt : std::optional<std::string>{before};
  ::setenv("XDG_RUNTIME_DIR", scratch.file("").c_str(), 1);
  const std::string directory = tool::control::default_directory();
  CHECK_NOTHROW(tool::control::make_default_directory());
  CHECK(mode_of(directory) == 0700);
  ::chmod(directory.c_str(), 0755);
  const auto open_to_all = failure_of([] { tool::control::make_default_directory(); });
  std::filesystem::remove(directory);
  std::filesystem::create_directory_symlink("/tmp", directory);
  const auto a_link = failure_of([] { tool::control::make_default_directory(); });
  kept ? ::setenv("XDG_RUNTIME_DIR", kept->c_str(), 1) : ::unsetenv("XDG_RUNTIME_DIR");
  REQUIRE(open_to_all);
  CHECK_THAT(open_to_all->what(), Catch::Contains("may be entered by others"));
  REQUIRE(a_link);
  CHECK_THAT(a_link->what(), Catch::Contains("is not a directory"));
}
