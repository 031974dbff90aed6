// Two members of a cluster greet each other. Alone it shows itself both; with an address it joins whoever is there:
//     chat                 a conversation of two in one process, which ends by itself
//     chat 127.0.0.1:7946  joins there and prints what happens, until it is interrupted
#include <artillery/membership.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/use_awaitable.hpp>
#include <iostream>

namespace membership = artillery::membership;
using asio::use_awaitable;

// Greets everybody who joins and prints what is heard, until somebody leaves; or, if `brief`, until the first greeting.
asio::awaitable<void> converse(membership::cluster& cluster, bool brief) {
  for (;;) {
    const membership::event event = co_await cluster.async_next_event(use_awaitable);
    if (const auto* here = std::get_if<membership::joined>(&event)) {
      std::cout << cluster.self().name << ": " << here->member.name << " is here\n";
      co_await cluster.async_broadcast("chat", "hello from " + cluster.self().name, use_awaitable);
    } else if (const auto* heard = std::get_if<membership::user_event>(&event)) {
      std::cout << cluster.self().name << " hears: " << heard->payload.text() << '\n';
      if (brief) co_return;
    } else if (const auto* gone = std::get_if<membership::left>(&event)) {
      std::cout << cluster.self().name << ": " << gone->member.name << " left\n";
      co_return;
    }
  }
}

membership::config named(std::string name) {
  membership::config config = membership::config::local();
  config.name = std::move(name);
  return config;
}

// Bob joins Ann, hears her greeting and leaves.
asio::awaitable<void> visit(membership::cluster& ann, membership::cluster& bob) {
  bob.add_seed(co_await ann.async_ready(use_awaitable));
  co_await converse(bob, true);
  co_await bob.async_leave(use_awaitable);
}

int main(int argc, char** argv) {
  asio::io_context context;
  membership::cluster ann{context.get_executor(), named("ann")};
  membership::cluster bob{context.get_executor(), named("bob")};
  ann.async_run(asio::detached);
  if (argc > 1) {
    const auto seed = artillery::parse_endpoint(argv[1]);
    if (!seed || ann.add_seed(*seed)) return std::cerr << "not an address: " << argv[1] << '\n', 2;
  } else {
    bob.async_run(asio::detached);
    asio::co_spawn(context, visit(ann, bob), asio::detached);
  }
  asio::co_spawn(context, converse(ann, false), [&](std::exception_ptr) { context.stop(); });
  context.run();
}
