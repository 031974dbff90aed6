// Three nodes find each other, form a chain of replicas and share a value: here in one process, as well in three.
#include <unistd.h>

#include <artillery/node.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/use_awaitable.hpp>
#include <exception>
#include <iostream>
#include <vector>

using artillery::node;
using asio::use_awaitable;

asio::awaitable<void> show_events(node& one) {
  for (;;) {
    const artillery::node_event event = co_await one.async_next_event(use_awaitable);
    const auto* member_event = std::get_if<artillery::membership::event>(&event);
    const auto* heard = member_event ? std::get_if<artillery::membership::user_event>(member_event) : nullptr;
    if (const auto* chain = std::get_if<artillery::chain_formed>(&event))
      std::cout << one.self().name << ": the chain has " << chain->view.replicas.size() << " replicas\n";
    else if (heard != nullptr)
      std::cout << one.self().name << " hears of " << heard->topic << ": " << heard->payload.text() << '\n';
  }
}

asio::awaitable<void> use(std::vector<node>& nodes) {
  // No need to wait until the nodes have met: the first write waits for the chain by itself.
  co_await nodes[0].async_put("limit", "100", use_awaitable);
  for (node& one : nodes) {
    const auto read = co_await one.async_read("limit", artillery::replication::strong, use_awaitable);
    std::cout << one.self().name << " reads limit = " << read.value->text() << (read.local ? ", locally\n" : "\n");
  }
  const auto before = co_await nodes[1].async_read("limit", artillery::replication::strong, use_awaitable);
  const auto swap = co_await nodes[1].async_compare_and_swap("limit", before.version, "200", use_awaitable);
  if (swap.applied) std::cout << "limit is 200 now\n";
  co_await nodes[2].async_broadcast("limits", "raised", use_awaitable);
  for (node& one : nodes) co_await one.async_leave(use_awaitable);
}

int main() {
  asio::io_context context;
  std::vector<node> nodes;
  for (const char* name : {"ann", "bob", "eve"}) {
    artillery::node_config config;
    config.cluster = "example-" + std::to_string(getpid());  // other runs on this machine are none of its business
    config.name = name;
    config.expect = 3;
    nodes.emplace_back(context.get_executor(), config);
  }
  for (node& one : nodes) {
    one.async_run(asio::detached);
    asio::co_spawn(context, show_events(one), asio::detached);
  }
  std::exception_ptr failure;
  asio::co_spawn(context, use(nodes), [&](std::exception_ptr error) { failure = error; });
  context.run();  // until all have left
  if (failure) std::rethrow_exception(failure);
}
