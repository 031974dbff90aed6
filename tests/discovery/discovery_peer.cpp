// One process of a meeting of several: announces itself, browses, and says on its output whom it finds and loses.
// Usage: discovery_peer <cluster> <port> <interface|-> <name>. Says good-bye and ends when its input ends.
#include <unistd.h>

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/read.hpp>
#include <cstdio>
#include <string>

#include "artillery/discovery.hpp"

namespace discovery = artillery::discovery;

namespace {

void say(const char* what, const std::string& name) {
  std::printf("%s %s\n", what, name.c_str());
  std::fflush(stdout);
}

void report(discovery::beacon& beacon) {
  beacon.async_next_event([&](std::error_code error, const discovery::event& event) {
    if (error) return;
    if (const auto* fact = std::get_if<discovery::found>(&event)) say("found", fact->what.name);
    if (const auto* gone = std::get_if<discovery::lost>(&event))
      say(gone->reason == discovery::loss::goodbye ? "goodbye" : "lost", gone->what.name);
    report(beacon);
  });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  asio::io_context context;
  discovery::config options;
  options.cluster = argv[1];
  options.port = static_cast<std::uint16_t>(std::stoi(argv[2]));
  if (argv[3] != std::string{"-"}) options.interfaces = {argv[3]};
  options.announce_interval = std::chrono::seconds{1};

  discovery::beacon beacon{context.get_executor(), options};
  int code = 0;
  beacon.async_run([&](std::error_code why) {
    std::printf("stopped %s\n", why.message().c_str());
    code = 1;
    context.stop();
  });
  discovery::service self;
  self.type = "peer";
  self.protocol = "udp";
  self.name = argv[4];
  self.endpoints = {artillery::endpoint::v4(0, 0, 0, 0, 1)};
  const auto instance = beacon.announce(self);
  beacon.browse("peer");
  report(beacon);

  asio::posix::stream_descriptor input{context, ::dup(STDIN_FILENO)};
  char ignored = 0;
  asio::async_read(input, asio::buffer(&ignored, 1), [&](std::error_code, std::size_t) {
    beacon.async_withdraw(instance, [&](std::error_code) { context.stop(); });
  });
  context.run();
  return code;
}
