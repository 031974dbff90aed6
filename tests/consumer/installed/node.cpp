// A node of defaults hosts a chain of its own: puts, reads back; with callbacks.
#include <unistd.h>

#include <artillery/node.hpp>
#include <asio/io_context.hpp>
#include <cstdio>
#include <string>
#include <system_error>

namespace replication = artillery::replication;

int main() {
  asio::io_context context;
  artillery::node_config config;
  config.cluster = "consumer-" + std::to_string(::getpid());
  config.discover = false;
  artillery::node node{context.get_executor(), config};
  node.async_run([](std::error_code error) { std::printf("ended: %s\n", error.message().c_str()); });

  const artillery::bytes key{"limit"};
  const artillery::bytes value{"100"};
  bool same = false;
  node.async_put(key, value, [&](std::error_code put_error, replication::write_result) {
    std::printf("put: %s\n", put_error.message().c_str());
    node.async_read(key, replication::strong, [&](std::error_code error, replication::read_result read) {
      std::printf("read: %s\n", error.message().c_str());
      same = !error && read.value && *read.value == value;
      context.stop();
    });
  });
  context.run();
  return same ? 0 : 1;
}
