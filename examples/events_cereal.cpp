// User events whose payload is a structure of the application's own, written by cereal: a member reports readings.
#include <artillery/membership.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/use_awaitable.hpp>
#include <cereal/archives/portable_binary.hpp>
#include <cereal/types/string.hpp>
#include <iostream>
#include <sstream>

namespace membership = artillery::membership;
using asio::use_awaitable;

struct reading {
  std::string sensor;
  std::int64_t value = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(sensor, value);
  }
};

artillery::bytes pack(const reading& what) {
  std::ostringstream out;
  cereal::PortableBinaryOutputArchive{out}(what);
  return artillery::bytes{out.str()};
}

std::optional<reading> unpack(const artillery::bytes& payload) try {  // cereal throws at what it cannot read
  std::istringstream in{std::string{payload.text()}};
  reading what;
  cereal::PortableBinaryInputArchive{in}(what);
  return what;
} catch (const std::exception&) {
  return std::nullopt;
}

asio::awaitable<void> run(membership::cluster& station, membership::cluster& display) {
  display.add_seed(co_await station.async_ready(use_awaitable));
  co_await station.async_join(use_awaitable);
  const reading measured{"roof", -7};
  co_await station.async_broadcast("readings", pack(measured), use_awaitable);
  for (;;) {
    const membership::event event = co_await display.async_next_event(use_awaitable);
    const auto* heard = std::get_if<membership::user_event>(&event);
    const auto what = heard == nullptr ? std::nullopt : unpack(heard->payload);
    if (what) std::cout << what->sensor << " says " << what->value << '\n';
    if (what) co_return;
  }
}

int main() {
  asio::io_context context;
  membership::cluster station{context.get_executor(), membership::config::local()};
  membership::cluster display{context.get_executor(), membership::config::local()};
  for (membership::cluster* each : {&station, &display}) each->async_run(asio::detached);
  asio::co_spawn(context, run(station, display), [&](std::exception_ptr) { context.stop(); });
  context.run();
}
