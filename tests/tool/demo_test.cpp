#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "catch.hpp"
#include "control/file_descriptor.hpp"
#include "files.hpp"
#include "notation.hpp"
#include "tool/processes.hpp"

namespace {

using tool::control::file_descriptor;

/// The process that a line of the demo's account names as "pid N", by a descriptor that becomes readable at its end.
file_descriptor process_named_in(const std::string& line) {
  const std::size_t at = line.find(", pid ");
  if (at == std::string::npos) return {};
  const std::string digits = line.substr(at + 6, line.find(',', at + 1) - at - 6);
  return file_descriptor{static_cast<int>(::syscall(SYS_pidfd_open, tool::parse_number(digits).value(), 0))};
}

/// The demo with its files in `scratch`, since a killed one cannot remove them.
std::vector<std::string> demo_within(const tests::scratch_directory& scratch) {
  return {"/usr/bin/env", "TMPDIR=" + scratch.file(""), ARTILLERY_DEMO};
}

/// The three agents of a demo that has just started them.
std::vector<file_descriptor> agents_of(demo::child& running) {
  std::vector<file_descriptor> found;
  while (found.size() < 3) {
    if (auto process = process_named_in(tests::next_line(running))) found.push_back(std::move(process));
  }
  return found;
}

bool ends_soon(const file_descriptor& process) {
  constexpr int patience_milliseconds = 10'000;
  pollfd one{process.number(), POLLIN, 0};
  return ::poll(&one, 1, patience_milliseconds) == 1;
}

}  // namespace

TEST_CASE("an interrupted demo says so and leaves no process", "[tool][demo]") {
  tests::scratch_directory scratch;
  demo::child running{demo_within(scratch), scratch.file("remarks")};
  const auto agents = agents_of(running);
  running.signal(SIGTERM);
  CHECK(running.wait() == 1);
  CHECK_THAT(tests::content_of(scratch.file("remarks")), Catch::Contains("interrupted"));
  for (const auto& left : std::filesystem::directory_iterator{scratch.file("")})
    CHECK(left.path().filename() == "remarks");
  for (const auto& agent : agents) CHECK(ends_soon(agent));
}

TEST_CASE("a killed demo takes its agents along", "[tool][demo]") {
  tests::scratch_directory scratch;
  demo::child running{demo_within(scratch), scratch.file("remarks")};
  const auto agents = agents_of(running);
  running.signal(SIGKILL);
  (void)running.wait();
  for (const auto& agent : agents) CHECK(ends_soon(agent));
}

TEST_CASE("an agent that dies unasked fails the demo", "[tool][demo]") {
  tests::scratch_directory scratch;
  demo::child running{demo_within(scratch), scratch.file("remarks")};
  const auto agents = agents_of(running);
  REQUIRE(::syscall(SYS_pidfd_send_signal, agents[2].number(), SIGKILL, nullptr, 0) == 0);
  CHECK(running.wait() == 1);
  CHECK_THAT(tests::content_of(scratch.file("remarks")), Catch::Contains("agent c"));
}

TEST_CASE("the demo refuses what it cannot work with", "[tool][demo]") {
  tests::scratch_directory scratch;
  std::filesystem::create_directory(scratch.file("empty"));
  demo::child nothing{{ARTILLERY_DEMO, scratch.file("empty")}, scratch.file("nothing")};
  CHECK(nothing.wait() == 2);
  CHECK_THAT(tests::content_of(scratch.file("nothing")), Catch::Contains("no readable file"));
  demo::child missing{{ARTILLERY_DEMO, scratch.file("missing")}, scratch.file("missing.log")};
  CHECK(missing.wait() == 2);
  demo::child no_command{{ARTILLERY_DEMO, "--artillery", scratch.file("missing")}, scratch.file("no_command")};
  CHECK(no_command.wait() == 2);
  CHECK_THAT(tests::content_of(scratch.file("no_command")), Catch::Contains("--artillery"));
}

TEST_CASE("files are collected once each, through links too, and in order", "[tool][demo]") {
  namespace fs = std::filesystem;
  tests::scratch_directory scratch;
  const fs::path root = scratch.file("files");
  fs::create_directories(root / "below");
  std::ofstream{root / "z"} << "last";
  std::ofstream{root / "below" / "a"} << "first";
  std::ofstream{scratch.file("outside")} << "elsewhere";
  fs::create_symlink("z", root / "alias");
  fs::create_symlink(scratch.file("outside"), root / "link");
  fs::create_symlink("gone", root / "dangling");
  fs::create_directory_symlink("..", root / "loop");
  fs::resize_file(scratch.file("outside"), 9);
  std::ofstream{root / "large"} << "";
  fs::resize_file(root / "large", demo::file_size_max + 1);
  const demo::collection all = demo::collect(root.string());
  std::vector<std::string> keys;
  for (const demo::file& one : all.files) keys.push_back(one.key);
  CHECK(keys == std::vector<std::string>{"below/a", "z", "link"});
  CHECK(all.files[2].content == "elsewhere");
  CHECK(all.bytes == 18);
  REQUIRE(all.skipped.size() == 1);
  CHECK_THAT(all.skipped[0], Catch::Contains("large"));
}
