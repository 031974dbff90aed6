#include <asio/io_context.hpp>
#include <string>
#include <vector>

#include "catch.hpp"
#include "event_loop.hpp"
#include "loopback.hpp"
#include "net/datagram_socket.hpp"

namespace artillery::net {
namespace {

std::shared_ptr<datagram_socket> bound_socket(const strand& executor, const datagram_options& options) {
  std::error_code error;
  auto socket = datagram_socket::open(executor, options, error);
  INFO(error.message());
  REQUIRE(socket != nullptr);
  REQUIRE_FALSE(socket->bound().none());
  return socket;
}

}  // namespace

TEST_CASE("datagrams of all sizes arrive with source and arrival", "[net][datagram]") {
  asio::io_context io;
  const strand executor{io.get_executor()};
  const endpoint at = GENERATE(false, true) ? loopback_v6 : loopback;
  std::error_code error;
  auto receiver = datagram_socket::open(executor, {.bind = at, .arrival = true}, error);
  if (error == std::errc::address_not_available || error == std::errc::address_family_not_supported) return;  // no v6
  REQUIRE(receiver != nullptr);
  auto sender = bound_socket(executor, {.bind = at});
  std::vector<bytes> got;
  received_datagram last;
  receiver->receive([&](const bytes& message, const received_datagram& details) {
    got.push_back(message);
    last = details;
  });
  for (const std::size_t size : {0U, 1U, 100U, 1400U, 9000U, 60'000U, 65'000U}) {
    const std::string text(size, 'x');
    const std::vector<bytes> body{bytes{text}, bytes{"tail"}};
    const auto before = got.size();
    sender->send(receiver->bound(), as_bytes("head"), body);
    REQUIRE(runs_until(io, [&] { return got.size() > before; }));
    CHECK(got.back().text() == "head" + text + "tail");
    CHECK(got.back().retained() <= 2 * got.back().size() + 1);  // a small one keeps no large buffer
  }
  CHECK(last.from == sender->bound());
  CHECK(last.destination == at);
  CHECK(last.interface != 0);
  CHECK(sender->counters().sent == 7);
  CHECK(receiver->counters().received == 7);
}

TEST_CASE("an empty datagram is a datagram", "[net][datagram]") {
  asio::io_context io;
  const strand executor{io.get_executor()};
  auto receiver = bound_socket(executor, {.bind = loopback});
  auto sender = bound_socket(executor, {.bind = loopback});
  int got = 0;
  receiver->receive([&](const bytes& message, const received_datagram&) {
    CHECK(message.empty());
    ++got;
  });
  sender->send(receiver->bound(), {});
  CHECK(runs_until(io, [&] { return got == 1; }));
}

TEST_CASE("what the system refuses to send is counted by its reason", "[net][datagram]") {
  asio::io_context io;
  const strand executor{io.get_executor()};
  auto sender = bound_socket(executor, {.bind = loopback});
  const std::string long_text(70'000, 'x');
  sender->send(loopback.with_port(9), as_bytes(long_text));
  CHECK(sender->counters().dropped_error == 1);
  CHECK(sender->counters().send_errors.at(EMSGSIZE) == 1);
  sender->send(endpoint::v4(255, 255, 255, 255, 9), as_bytes("no broadcast allowed"));
  CHECK(sender->counters().dropped_error == 2);
  CHECK(sender->counters().sent == 0);
}

TEST_CASE("more pieces than one system call takes still make one datagram", "[net][datagram]") {
  asio::io_context io;
  const strand executor{io.get_executor()};
  auto receiver = bound_socket(executor, {.bind = loopback});
  auto sender = bound_socket(executor, {.bind = loopback});
  std::string got;
  receiver->receive([&](const bytes& message, const received_datagram&) { got = message.text(); });
  const std::vector<bytes> body(100, bytes{"ab"});
  sender->send(receiver->bound(), as_bytes("h"), body);
  REQUIRE(runs_until(io, [&] { return !got.empty(); }));
  CHECK(got.size() == 201);
}

TEST_CASE("a taken port is said clearly", "[net][datagram]") {
  asio::io_context io;
  const strand executor{io.get_executor()};
  auto first = bound_socket(executor, {.bind = loopback});
  std::error_code error;
  CHECK(datagram_socket::open(executor, {.bind = first->bound()}, error) == nullptr);
  CHECK(error == std::errc::address_in_use);
}

TEST_CASE("sockets that share a port each get a broadcast", "[net][datagram]") {
  asio::io_context io;
  const strand executor{io.get_executor()};
  const auto any = endpoint::v4(0, 0, 0, 0, 0);
  auto one = bound_socket(executor, {.bind = any, .share_port = true, .arrival = true});
  auto other = bound_socket(executor, {.bind = one->bound(), .share_port = true, .arrival = true});
  auto sender = bound_socket(executor, {.bind = loopback, .broadcast = true});
  int got = 0;
  const auto count = [&](const bytes&, const received_datagram& details) {
    CHECK(details.destination == endpoint::v4(127, 255, 255, 255, 0));
    ++got;
  };
  one->receive(count);
  other->receive(count);
  sender->send(endpoint::v4(127, 255, 255, 255, one->bound().port()), as_bytes("hello"));
  CHECK(runs_until(io, [&] { return got == 2; }));
}

TEST_CASE("a socket may be closed from within its own handler", "[net][datagram][destruction]") {
  asio::io_context io;
  const strand executor{io.get_executor()};
  auto sender = bound_socket(executor, {.bind = loopback});
  auto receiver = bound_socket(executor, {.bind = loopback});
  const auto at = receiver->bound();
  auto token = std::make_shared<int>(0);
  receiver->receive([&receiver, token](const bytes&, const received_datagram&) {
    ++*token;
    receiver->close();
    receiver.reset();
  });
  sender->send(at, as_bytes("one"));
  sender->send(at, as_bytes("two"));
  io.run();  // ends: nothing is left waiting
  CHECK(*token == 1);
  CHECK(token.use_count() == 1);
}

TEST_CASE("a flood beyond the queue is dropped, counted, and over", "[net][datagram]") {
  asio::io_context io;
  const strand executor{io.get_executor()};
  auto sender = bound_socket(executor, {.bind = loopback, .queue_bytes_max = 10'000, .send_buffer = 4096});
  auto receiver = bound_socket(executor, {.bind = loopback});
  const std::string text(3000, 'x');
  for (int i = 0; i < 1000; ++i) sender->send(receiver->bound(), as_bytes(text));
  const auto& counted = sender->counters();
  CHECK(counted.sent + counted.dropped_full + counted.dropped_error + 4 >= 1000);
  sender->close();
  sender->send(receiver->bound(), as_bytes("after the close"));
  receiver->close();
  io.run();
}

}  // namespace artillery::net
