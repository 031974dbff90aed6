// A chain of one and its client in one process: puts, reads back over a socket and out of memory; with callbacks.
#include <artillery/replication.hpp>
#include <asio/io_context.hpp>
#include <cstdio>
#include <optional>
#include <system_error>

namespace replication = artillery::replication;

int main() {
  asio::io_context context;
  replication::replica_config config;
  config.self = {artillery::node_id{1, 2}, 1};
  replication::replica replica{context.get_executor(), config};
  std::optional<replication::client> client;
  replica.async_run([](std::error_code) {});

  const artillery::bytes key{"limit"};
  const artillery::bytes value{"100"};
  bool same = false;
  auto check = [&](std::error_code error, replication::read_result read) {
    const replication::local_read local = replica.try_read(key.text());
    std::printf("read: %s\n", error.message().c_str());
    same = !error && read.value && *read.value == value && local.found() && local.value == value;
    context.stop();
  };
  auto put_and_read = [&](std::error_code adopt_error) {
    std::printf("adopt: %s\n", adopt_error.message().c_str());
    replication::client_config client_config;
    client_config.replicas = {replica.local_endpoint()};
    client.emplace(context.get_executor(), client_config);
    client->async_run([](std::error_code) {});
    client->async_put(key, value, [&](std::error_code error, replication::write_result) {
      std::printf("put: %s\n", error.message().c_str());
      client->async_read(key, replication::strong, check);
    });
  };
  replica.async_next_event([&](std::error_code, replication::event event) {
    if (event.what != replication::event::kind::listening) return context.stop();
    replication::view view;
    view.chain = config.chain;
    view.epoch = 1;
    view.replicas = {{config.self, replica.local_endpoint()}};
    replica.async_adopt(view, put_and_read);
  });
  context.run();
  return same ? 0 : 1;
}
