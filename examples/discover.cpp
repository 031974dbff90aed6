// Two programs that know nothing of each other meet: one announces a service, the other browses for its type.
// Here both live in one process and use the loopback interface; in two, on any network, the same lines do.
#include <unistd.h>

#include <artillery/discovery.hpp>
#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/use_awaitable.hpp>
#include <cstdio>
#include <exception>

namespace discovery = artillery::discovery;

static discovery::config local() {
  discovery::config options;
  options.cluster = "example-" + std::to_string(::getpid());  // strangers on the same port do not disturb
  options.interfaces = {"lo"};
  return options;
}

static asio::awaitable<void> browse(discovery::beacon& offering, discovery::beacon& looking) {
  discovery::service printer;
  printer.type = "printer";
  printer.protocol = "ipp";
  printer.name = "Third floor, by the window";
  printer.endpoints = {artillery::endpoint::v4(127, 0, 0, 1, 631)};
  printer.txt = {{"colour", "yes"}};
  const artillery::node_id instance = offering.announce(printer);

  looking.browse("printer");
  for (;;) {
    const discovery::event event = co_await looking.async_next_event(asio::use_awaitable);
    if (const auto* fact = std::get_if<discovery::found>(&event)) {
      std::printf("found %s at %s\n", fact->what.name.c_str(), to_string(fact->what.endpoints.front()).c_str());
      co_await offering.async_withdraw(instance, asio::use_awaitable);  // others hear of it at once
    } else if (const auto* gone = std::get_if<discovery::lost>(&event)) {
      std::printf("lost %s: %s\n", gone->what.name.c_str(), std::string{to_string(gone->reason)}.c_str());
      co_return;
    }
  }
}

int main() {
  asio::io_context context;
  discovery::beacon offering{context.get_executor(), local()};
  discovery::beacon looking{context.get_executor(), local()};
  for (auto* beacon : {&offering, &looking})
    beacon->async_run([&](std::error_code why) {
      if (why != asio::error::operation_aborted) std::printf("stopped: %s\n", why.message().c_str());
    });
  int result = 1;
  asio::co_spawn(context, browse(offering, looking), [&](std::exception_ptr failed) {
    result = failed ? 1 : 0;
    context.stop();
  });
  context.run();
  return result;
}
