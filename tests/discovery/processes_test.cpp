#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/read_until.hpp>
#include <asio/streambuf.hpp>
#include <istream>
#include <memory>

#include "catch.hpp"
#include "discovery/meeting.hpp"

using namespace meeting;

namespace {

/// A discovery_peer as a process of its own. Killed when this goes away.
class peer {
public:
  peer(asio::io_context& context, std::uint16_t port, const std::string& name) : output_{context} {
    std::array<int, 2> to{};
    std::array<int, 2> from{};
    REQUIRE(::pipe2(to.data(), O_CLOEXEC) == 0);
    REQUIRE(::pipe2(from.data(), O_CLOEXEC) == 0);
    posix_spawn_file_actions_t actions{};
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, to[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, from[1], STDOUT_FILENO);
    std::vector<std::string> words{DISCOVERY_PEER, "processes-" + std::to_string(::getpid()), std::to_string(port),
                                   "lo", name};
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    REQUIRE(::posix_spawn(&pid_, DISCOVERY_PEER, &actions, nullptr, arguments.data(), environ) == 0);
    posix_spawn_file_actions_destroy(&actions);
    ::close(to[0]);
    ::close(from[1]);
    input_ = to[1];
    output_.assign(from[0]);
    read();
  }
  peer(const peer&) = delete;
  peer& operator=(const peer&) = delete;
  ~peer() {
    ::close(input_);
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
  }

  [[nodiscard]] bool said(const std::string& line) const {
    return std::find(lines_.begin(), lines_.end(), line) != lines_.end();
  }
  void leave() { REQUIRE(::write(input_, "q", 1) == 1); }
  void kill() { ::kill(pid_, SIGKILL); }

private:
  void read() {
    asio::async_read_until(output_, buffer_, '\n', [this](std::error_code error, std::size_t) {
      if (error) return;
      std::istream in{&buffer_};
      std::string line;
      std::getline(in, line);
      lines_.push_back(line);
      read();
    });
  }

  pid_t pid_ = 0;
  int input_ = -1;
  asio::posix::stream_descriptor output_;
  asio::streambuf buffer_;
  std::vector<std::string> lines_;
};

}  // namespace

TEST_CASE("processes of one host find each other on loopback, hear a goodbye at once and a death within its ttl",
          "[discovery][processes]") {
  asio::io_context context;
  const auto port = own_port();
  std::vector<std::unique_ptr<peer>> peers;
  for (const char* name : {"a", "b", "c", "d"}) peers.push_back(std::make_unique<peer>(context, port, name));
  const auto all_said = [&](const char* what, std::initializer_list<std::size_t> who) {
    return std::all_of(who.begin(), who.end(), [&](std::size_t i) { return peers[i]->said(what); });
  };
  REQUIRE(run_until(context, [&] {
    return all_said("found a", {1, 2, 3}) && all_said("found b", {0, 2, 3}) && all_said("found c", {0, 1, 3}) &&
           all_said("found d", {0, 1, 2});
  }));
  peers[0]->leave();
  REQUIRE(run_until(context, [&] { return all_said("goodbye a", {1, 2, 3}); }));
  peers[1]->kill();
  REQUIRE(run_until(context, [&] { return all_said("lost b", {2, 3}); }));
}
