// A replicated key-value store: a chain of three replicas and a client of it, here in one process.
#include <artillery/replication.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/io_context.hpp>
#include <asio/use_awaitable.hpp>
#include <iostream>

using namespace artillery::replication;
using namespace asio::experimental::awaitable_operators;
using asio::use_awaitable;

asio::awaitable<void> form_chain(std::vector<replica>& replicas, view& chain, client_config& config) {
  for (std::size_t i = 0; i < replicas.size(); ++i) {
    co_await replicas[i].async_next_event(use_awaitable);  // listening: the port is known
    chain.replicas.push_back({replicas[i].status().self, replicas[i].local_endpoint()});
    config.replicas.push_back(replicas[i].local_endpoint());
  }
  for (replica& each : replicas) co_await each.async_adopt(chain, use_awaitable);
}

asio::awaitable<void> use(client& kv, const replica& here) {
  co_await kv.async_put("limit", "100", use_awaitable);                              // done when all three hold it
  const read_result exact = co_await kv.async_read("limit", strong, use_awaitable);  // by any of the three
  std::cout << "limit is " << exact.value->text() << '\n';
  const write_result swapped = co_await kv.async_compare_and_swap("limit", exact.version, "200", use_awaitable);
  const write_result late = co_await kv.async_compare_and_swap("limit", exact.version, "300", use_awaitable);
  std::cout << "swapped: " << swapped.applied << ", again: " << late.applied << '\n';
  const local_read local = here.try_read("limit");  // this process's memory: no message, any thread
  std::cout << "read in process: " << (local.found() ? local.value.text() : "ask the chain") << '\n';
  co_await kv.async_erase("limit", use_awaitable);
}

asio::awaitable<void> run(std::vector<replica>& replicas) {
  view chain;
  chain.chain = 1;
  chain.epoch = 1;
  client_config config;
  co_await form_chain(replicas, chain, config);
  client kv{co_await asio::this_coro::executor, config};
  co_await (kv.async_run(use_awaitable) || use(kv, replicas.back()));  // until `use` has ended
}

int main() {
  asio::io_context io;
  std::vector<replica> replicas;
  for (std::uint64_t i = 1; i <= 3; ++i) {
    replica_config config;
    config.self = {{0, i}, 1};
    replicas.emplace_back(io.get_executor(), config).async_run(asio::detached);
  }
  bool failed = false;
  asio::co_spawn(io, run(replicas), [&](std::exception_ptr error) {
    failed = error != nullptr;
    replicas.clear();
  });
  io.run();
  return failed ? 1 : 0;
}
