// Two nodes of one cluster, on loopback: the second joins through the first, and both hear of each other.
#include <artillery/membership.hpp>
#include <asio/io_context.hpp>
#include <cstdio>
#include <system_error>
#include <variant>

namespace membership = artillery::membership;

namespace {

membership::config local() {
  membership::config options = membership::config::local();
  options.bind = artillery::endpoint::v4(127, 0, 0, 1, 0);
  return options;
}

}  // namespace

int main() {
  asio::io_context context;
  membership::cluster first{context.get_executor(), local()};
  membership::cluster second{context.get_executor(), local()};
  first.async_run([](std::error_code error) { std::printf("first: %s\n", error.message().c_str()); });
  second.async_run([](std::error_code error) { std::printf("second: %s\n", error.message().c_str()); });
  while (first.local_endpoint().none() && context.run_one() > 0) {
  }

  second.add_seed(first.local_endpoint());
  bool seen = false;
  first.async_next_event([&](std::error_code error, const membership::event& event) {
    const auto* joined = std::get_if<membership::joined>(&event);
    seen = !error && joined != nullptr && joined->member.id == second.id();
    context.stop();
  });
  context.run();
  std::printf("%zu members\n", first.members().size());
  return seen && first.members().size() == 2 ? 0 : 1;
}
