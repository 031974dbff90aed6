// One beacon announces, another seeks, over loopback; with callbacks.
#include <unistd.h>

#include <artillery/discovery.hpp>
#include <asio/io_context.hpp>
#include <chrono>
#include <cstdio>
#include <string>
#include <system_error>

namespace discovery = artillery::discovery;

int main() {
  asio::io_context context;
  discovery::config options;
  options.cluster = "consumer-" + std::to_string(::getpid());
  options.interfaces = {"lo"};
  discovery::beacon offering{context.get_executor(), options};
  discovery::beacon looking{context.get_executor(), options};
  offering.async_run([](std::error_code) {});
  looking.async_run([](std::error_code) {});

  discovery::service printer;
  printer.type = "printer";
  printer.protocol = "ipp";
  printer.name = "third floor";
  printer.endpoints = {artillery::endpoint::v4(127, 0, 0, 1, 631)};
  offering.announce(printer);

  bool same = false;
  looking.async_seek("printer", std::chrono::seconds{20}, [&](std::error_code error, discovery::service what) {
    std::printf("%s: %s\n", error.message().c_str(), what.name.c_str());
    same = !error && what.endpoints == printer.endpoints;
    context.stop();
  });
  context.run();
  return same ? 0 : 1;
}
