// A chain that heals itself: three nodes vote on its view, here in one process; its head dies, and the writes go on.
#include <artillery/replication.hpp>
#include <artillery/replication/quorum_authority.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/use_awaitable.hpp>
#include <filesystem>
#include <iostream>
#include <list>

using namespace artillery::replication;
using asio::use_awaitable;

struct nodes {
  std::list<quorum_authority> decide;  // they outlive the replicas
  std::list<replica> hold;
};

asio::awaitable<client_config> found(nodes& all) {
  client_config contacts;
  std::vector<voter_place> voters;
  std::vector<member> replicas;
  auto decides = all.decide.begin();
  for (replica& each : all.hold) {
    voters.push_back({each.status().self.node, co_await (decides++)->async_ready(use_awaitable)});
    co_await each.async_next_event(use_awaitable);  // listening: the port is known
    replicas.push_back({each.status().self, each.local_endpoint()});
    contacts.replicas.push_back(each.local_endpoint());
  }
  for (auto& each : all.decide) each.use_voters(voters);
  for (auto& each : all.decide) each.async_found(first_view(1, replicas), asio::detached);  // the same, everywhere
  co_return contacts;
}

asio::awaitable<void> use(nodes& all) {
  client kv{co_await asio::this_coro::executor, co_await found(all)};
  kv.async_run(asio::detached);
  co_await kv.async_put("k", "before", use_awaitable);
  all.hold.pop_front();  // the head dies, and its vote
  all.decide.pop_front();
  co_await kv.async_put("k", "after", use_awaitable);  // tried again until there is a chain without it
  std::cout << "k is " << (co_await kv.async_read("k", strong, use_awaitable)).value->text() << '\n';
}

int main() {
  asio::io_context io;
  nodes all;
  for (std::uint64_t id = 1; id <= 3; ++id) {
    quorum_config votes;
    votes.node = {0, id};
    votes.directory = std::filesystem::temp_directory_path() / ("artillery-heal-" + std::to_string(id));
    std::filesystem::remove_all(votes.directory);  // of the last run
    all.decide.emplace_back(io.get_executor(), votes).async_run(asio::detached);
    const replica_config holds{.self = {votes.node, 1}};
    all.hold.emplace_back(io.get_executor(), holds, replica_options{}, all.decide.back()).async_run(asio::detached);
  }
  asio::co_spawn(io, use(all), [](std::exception_ptr error) { std::exit(error ? 1 : 0); });
  io.run();
}
