// User events whose payload is JSON: members tell each other of jobs, and each takes from a job what it knows.
#include <artillery/membership.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/use_awaitable.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

namespace membership = artillery::membership;
using asio::use_awaitable;
using nlohmann::json;

asio::awaitable<void> run(membership::cluster& dispatcher, membership::cluster& worker) {
  worker.add_seed(co_await dispatcher.async_ready(use_awaitable));
  co_await dispatcher.async_join(use_awaitable);
  const json job = {{"id", 17}, {"command", "compact"}, {"tables", {"users", "orders"}}};
  co_await dispatcher.async_broadcast("jobs", artillery::bytes{job.dump()}, use_awaitable);
  for (;;) {
    const membership::event event = co_await worker.async_next_event(use_awaitable);
    const auto* heard = std::get_if<membership::user_event>(&event);
    if (heard == nullptr || heard->topic != "jobs") continue;
    // What comes from the network may be anything: no exceptions, and every field is looked for.
    const json told = json::parse(heard->payload.text(), nullptr, false);
    if (!told.is_object() || !told.contains("id") || !told.contains("command")) continue;
    std::cout << "job " << told["id"] << ": " << told["command"] << '\n';
    for (const json& table : told.value("tables", json::array())) std::cout << "  of " << table << '\n';
    co_return;
  }
}

int main() {
  asio::io_context context;
  membership::cluster dispatcher{context.get_executor(), membership::config::local()};
  membership::cluster worker{context.get_executor(), membership::config::local()};
  for (auto* each : {&dispatcher, &worker}) each->async_run(asio::detached);
  asio::co_spawn(context, run(dispatcher, worker), [&](std::exception_ptr) { context.stop(); });
  context.run();
}
