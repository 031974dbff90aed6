#include <sys/resource.h>

#include <fcntl.h>
#include <unistd.h>
#include <algorithm>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>
#include <asio/write.hpp>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "catch.hpp"
#include "event_loop.hpp"
#include "loopback.hpp"
#include "net/socket_address.hpp"
#include "net/stream_hub.hpp"

namespace artillery::net {
namespace {

using tcp = asio::ip::tcp;
using namespace std::chrono_literals;

/// A hub and all that it told.
struct peer final : stream_hub::observer {
  peer(asio::io_context& io, const stream_limits& limits = {})
      : hub{std::make_shared<stream_hub>(strand{io.get_executor()}, limits, *this)} {}
  ~peer() { hub->shut_down(); }

  void stream_received(const connection& from, const bytes& frame) override {
    last = from;
    frames.push_back(frame);
    if (on_frame) on_frame(from, frame);
  }
  void stream_link(const connection& which, link_state state) override {
    last = which;
    states[which.number].push_back(state);
    if (on_link) on_link(which, state);
  }
  [[nodiscard]] bool told(std::uint64_t number, link_state state) const {
    const auto at = states.find(number);
    return at != states.end() && std::find(at->second.begin(), at->second.end(), state) != at->second.end();
  }
  void send(std::uint64_t number, std::string_view text) { hub->send(number, as_bytes(text), {}); }
  endpoint listen(const endpoint& at = loopback) {
    REQUIRE_FALSE(hub->listen(at));
    return hub->bound();
  }

  std::shared_ptr<stream_hub> hub;
  std::vector<bytes> frames;
  std::map<std::uint64_t, std::vector<link_state>> states;
  connection last;
  std::function<void(const connection&, const bytes&)> on_frame;
  std::function<void(const connection&, link_state)> on_link;
};

std::string framed(std::string_view text) {
  std::string wire;
  for (unsigned i = 0; i < 4; ++i) wire.push_back(static_cast<char>((text.size() >> (8 * i)) & 0xffU));
  return wire.append(text);
}

/// A peer that speaks bytes, not frames.
tcp::socket raw_connection(asio::io_context& io, const endpoint& to) {
  tcp::socket socket{io};
  socket.connect(to_asio<tcp::endpoint>(to));
  socket.set_option(tcp::no_delay{true});
  return socket;
}

}  // namespace

TEST_CASE("frames go both ways over one stream", "[net][stream]") {
  asio::io_context io;
  const endpoint at = GENERATE(false, true) ? loopback_v6 : loopback;
  peer server{io};
  peer client{io};
  if (const auto error = server.hub->listen(at)) {
    INFO(to_string(at) << ": " << error.message());
    REQUIRE(at.is_v6());  // a machine without IPv6
    return;
  }
  server.on_frame = [&](const connection& from, const bytes& frame) {
    CHECK_FALSE(from.outgoing());
    CHECK(from.is_stream);
    server.hub->send(from.number, as_bytes("echo "), std::vector{frame});
  };
  client.hub->open(1, server.hub->bound());
  REQUIRE(runs_until(io, [&] { return client.told(1, link_state::up); }));
  std::size_t sent = 0;
  for (const std::size_t size : {0U, 1U, 3U, 4U, 255U, 256U, 257U, 65'531U, 65'532U, 65'533U, 1'000'000U}) {
    client.send(1, std::string(size, static_cast<char>('a' + sent)));
    ++sent;
  }
  REQUIRE(runs_until(io, [&] { return client.frames.size() == sent; }));
  CHECK(client.frames[10].size() == 1'000'005);
  CHECK(client.frames[4].text() == "echo " + std::string(255, 'e'));
  CHECK(server.states.begin()->first == 2);  // accepted ones are even
}

TEST_CASE("what is sent in one turn leaves in one write", "[net][stream]") {
  asio::io_context io;
  peer server{io};
  peer client{io};
  client.hub->open(1, server.listen());
  REQUIRE(runs_until(io, [&] { return client.told(1, link_state::up); }));
  for (int i = 0; i < 100; ++i) client.send(1, "a frame of a hundred bytes or so");
  REQUIRE(runs_until(io, [&] { return server.frames.size() == 100; }));
  CHECK(client.hub->counters().writes == 1);
}

TEST_CASE("a peer that writes byte by byte is understood", "[net][stream]") {
  asio::io_context io;
  peer server{io};
  auto raw = raw_connection(io, server.listen());
  const auto wire = framed("first") + framed("") + framed("third");
  for (const char byte : wire) {
    asio::write(raw, asio::buffer(&byte, 1));
    io.poll();
    io.restart();
  }
  REQUIRE(runs_until(io, [&] { return server.frames.size() == 3; }));
  CHECK(server.frames[0].text() == "first");
  CHECK(server.frames[1].empty());
  CHECK(server.frames[2].text() == "third");
}

TEST_CASE("a length over the limit ends that stream only", "[net][stream]") {
  asio::io_context io;
  peer server{io, {.frame_size_max = 1000}};
  const auto at = server.listen();
  auto bad = raw_connection(io, at);
  auto good = raw_connection(io, at);
  asio::write(bad, asio::buffer(std::string{"\xff\xff\xff\x7f garbage"}));
  REQUIRE(runs_until(io, [&] { return server.hub->counters().oversized_received == 1; }));
  asio::write(good, asio::buffer(framed("still served")));
  REQUIRE(runs_until(io, [&] { return server.frames.size() == 1; }));
  CHECK(server.hub->size() == 1);
  char byte{};
  std::error_code error;
  asio::read(bad, asio::buffer(&byte, 1), error);
  CHECK(error);  // closed at this end, too
}

TEST_CASE("a stream cut within a frame goes down and hands out nothing", "[net][stream]") {
  asio::io_context io;
  peer server{io};
  auto raw = raw_connection(io, server.listen());
  asio::write(raw, asio::buffer(framed("a frame of some length").substr(0, 10)));
  REQUIRE(runs_until(io, [&] { return server.told(2, link_state::up); }));
  raw.close();
  REQUIRE(runs_until(io, [&] { return server.told(2, link_state::down); }));
  CHECK(server.frames.empty());
  CHECK(server.hub->size() == 0);
}

TEST_CASE("random bytes from many peers leave the hub serving", "[net][stream]") {
  asio::io_context io;
  peer server{io, {.frame_size_max = 4096}};
  const auto at = server.listen();
  detail::random draw{42};
  for (int i = 0; i < 50; ++i) {
    auto raw = raw_connection(io, at);
    std::string garbage(draw.between(1, 5000), '\0');
    for (auto& one : garbage) one = static_cast<char>(draw.below(256));
    std::error_code error;
    asio::write(raw, asio::buffer(garbage), error);
    run_ready(io);
  }
  const auto before = server.frames.size();
  auto good = raw_connection(io, at);
  asio::write(good, asio::buffer(framed("hello")));
  REQUIRE(runs_until(io, [&] { return server.frames.size() > before && server.frames.back().text() == "hello"; }));
}

TEST_CASE("a queue that fills is congested, and writable again once it drained", "[net][stream]") {
  asio::io_context io;
  peer client{io, {.queue_bytes_high = 100'000, .queue_bytes_low = 10'000, .queue_bytes_max = std::size_t{64} << 20U}};
  tcp::acceptor acceptor{io, {asio::ip::make_address("127.0.0.1"), 0}};
  client.hub->open(1, from_asio(acceptor.local_endpoint()));
  auto raw = acceptor.accept();
  REQUIRE(runs_until(io, [&] { return client.told(1, link_state::up); }));
  const bytes large{std::string(1 << 20, 'x')};
  for (int i = 0; i < 20; ++i) client.hub->send(1, {}, std::vector{large});
  CHECK_FALSE(client.told(1, link_state::congested));  // never from within send
  REQUIRE(runs_until(io, [&] { return client.told(1, link_state::congested); }));
  CHECK_FALSE(client.told(1, link_state::writable));
  std::size_t read = 0;
  std::vector<char> sink(1 << 16);
  std::function<void()> drain = [&] {
    raw.async_read_some(asio::buffer(sink), [&](std::error_code error, std::size_t count) {
      read += count;
      if (!error) drain();
    });
  };
  drain();
  REQUIRE(runs_until(io, [&] { return read == 20 * ((1 << 20) + 4); }));
  REQUIRE(runs_until(io, [&] { return client.told(1, link_state::writable); }));
  CHECK(client.states[1] == std::vector<link_state>{link_state::up, link_state::congested, link_state::writable});
  raw.close();
  REQUIRE(runs_until(io, [&] { return client.told(1, link_state::down); }));
}

TEST_CASE("a stream whose peer does not read goes down at the queue's limit", "[net][stream]") {
  asio::io_context io;
  peer client{io, {.queue_bytes_max = 1 << 20}};
  tcp::acceptor acceptor{io, {asio::ip::make_address("127.0.0.1"), 0}};
  client.hub->open(1, from_asio(acceptor.local_endpoint()));
  auto raw = acceptor.accept();
  REQUIRE(runs_until(io, [&] { return client.told(1, link_state::up); }));
  const bytes large{std::string(300'000, 'x')};
  for (int i = 0; i < 100 && client.hub->size() == 1; ++i) {
    client.hub->send(1, {}, std::vector{large});
    CHECK_FALSE(client.told(1, link_state::down));
    if (client.hub->counters().overflows != 0) break;
    run_ready(io);
  }
  CHECK(client.hub->counters().overflows == 1);
  REQUIRE(runs_until(io, [&] { return client.told(1, link_state::down); }));
  client.send(1, "dropped");
  CHECK(client.hub->counters().frames_dropped >= 1);
}

TEST_CASE("a frame over the limit is not sent and ends the stream", "[net][stream]") {
  asio::io_context io;
  peer server{io};
  peer client{io, {.frame_size_max = 10}};
  client.hub->open(1, server.listen());
  REQUIRE(runs_until(io, [&] { return client.told(1, link_state::up); }));
  client.send(1, "0123456789");
  client.send(1, "01234567890");
  REQUIRE(runs_until(io, [&] { return client.told(1, link_state::down); }));
  CHECK(client.hub->counters().oversized_sent == 1);
}

TEST_CASE("a closed stream still delivers what was sent on it", "[net][stream]") {
  asio::io_context io;
  peer server{io};
  peer client{io};
  client.hub->open(1, server.listen());
  REQUIRE(runs_until(io, [&] { return client.told(1, link_state::up); }));
  for (int i = 0; i < 50; ++i) client.send(1, std::string(100'000, 'x'));
  client.hub->close(1);
  client.send(1, "too late");
  REQUIRE(runs_until(io, [&] { return server.told(2, link_state::down); }));
  CHECK(server.frames.size() == 50);
  REQUIRE(runs_until(io, [&] { return client.hub->size() == 0; }));
  CHECK_FALSE(client.told(1, link_state::down));  // who closes is not told
}

TEST_CASE("both ends may close at once, and both deliver", "[net][stream]") {
  asio::io_context io;
  peer server{io};
  peer client{io};
  client.hub->open(1, server.listen());
  REQUIRE(runs_until(io, [&] { return client.told(1, link_state::up) && server.told(2, link_state::up); }));
  client.send(1, "from the client");
  server.send(2, "from the server");
  client.hub->close(1);
  server.hub->close(2);
  REQUIRE(runs_until(io, [&] { return client.hub->size() == 0 && server.hub->size() == 0; }));
  CHECK(client.hub->counters().broken == 0);
}

TEST_CASE("a closed stream whose peer lingers ends by itself", "[net][stream]") {
  asio::io_context io;
  peer server{io, {.linger_timeout = 20ms}};
  auto raw = raw_connection(io, server.listen());
  REQUIRE(runs_until(io, [&] { return server.told(2, link_state::up); }));
  server.hub->close(2);
  CHECK(runs_until(io, [&] { return server.hub->size() == 0; }));
}

TEST_CASE("a refused connection is a link down, and a later attempt connects", "[net][stream]") {
  asio::io_context io;
  peer client{io};
  endpoint at;
  {
    peer gone{io};
    at = gone.listen();
  }
  client.hub->open(1, at);
  CHECK(client.states.empty());  // not from within open
  REQUIRE(runs_until(io, [&] { return client.told(1, link_state::down); }));
  CHECK(client.hub->counters().connect_failures == 1);
  peer back{io};
  back.listen(at);
  client.hub->open(3, at);
  CHECK(runs_until(io, [&] { return client.told(3, link_state::up); }));
}

TEST_CASE("a connection that does not come in time is a link down", "[net][stream]") {
  asio::io_context io;
  peer client{io, {.connect_timeout = 50ms}};
  // A listener whose backlog is full lets further handshakes hang.
  tcp::acceptor full{io};
  full.open(tcp::v4());
  full.bind({asio::ip::make_address("127.0.0.1"), 0});
  full.listen(0);
  const auto at = from_asio(full.local_endpoint());
  for (std::uint64_t number = 1; number < 16; number += 2) client.hub->open(number, at);
  REQUIRE(runs_until(io, [&] { return client.hub->counters().connect_timeouts > 0; }));
  CHECK(runs_until(io, [&] { return client.told(15, link_state::down); }));
}

TEST_CASE("closing a stream that is still connecting ends it quietly", "[net][stream]") {
  asio::io_context io;
  peer server{io};
  peer client{io};
  client.hub->open(1, server.listen());
  client.hub->close(1);
  REQUIRE(runs_until(io, [&] { return client.hub->size() == 0; }));
  CHECK(client.states.empty());
}

TEST_CASE("more streams than allowed are refused and counted", "[net][stream]") {
  asio::io_context io;
  peer server{io, {.connections_max = 2}};
  peer client{io, {.connections_max = 4}};
  const auto at = server.listen();
  for (std::uint64_t number = 1; number < 10; number += 2) client.hub->open(number, at);
  REQUIRE(runs_until(io, [&] { return client.told(9, link_state::down) && server.hub->counters().refused == 2; }));
  CHECK(client.hub->counters().refused == 1);
  CHECK(server.hub->size() == 2);
}

TEST_CASE("with no descriptors left accepting pauses, and goes on when there are some", "[net][stream]") {
  asio::io_context io;
  peer server{io, {.accept_pause = 10ms}};
  const auto at = server.listen();
  tcp::socket raw{io};
  raw.open(tcp::v4());
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  // The next descriptor's number becomes the limit: whoever asks for one is refused.
  const int next = ::open("/dev/null", O_RDONLY);
  REQUIRE(next >= 0);
  ::close(next);
  rlimit none = before;
  none.rlim_cur = static_cast<rlim_t>(next);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  raw.connect(to_asio<tcp::endpoint>(at));
  const bool refused = runs_until(io, [&] { return server.hub->counters().accept_errors >= 2; });
  const auto turns = server.hub->counters().accept_errors;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(refused);
  CHECK(turns < 10);
  CHECK(runs_until(io, [&] { return server.told(2, link_state::up); }));
}

TEST_CASE("a taken port is said clearly when listening", "[net][stream]") {
  asio::io_context io;
  peer first{io};
  peer second{io};
  CHECK(second.hub->listen(first.listen()) == std::errc::address_in_use);
}

TEST_CASE("a hub may be shut down at every moment", "[net][stream][destruction]") {
  asio::io_context io;
  peer server{io};
  auto client = std::make_unique<peer>(io);
  const auto at = server.listen();
  SECTION("before anything ran") {
    client->hub->open(1, at);
  }
  SECTION("after any number of steps, with frames on their way") {
    const int steps = GENERATE(range(1, 40));
    client->hub->open(1, at);
    client->on_link = [&](const connection& which, link_state state) {
      if (state == link_state::up) client->send(which.number, std::string(200'000, 'x'));
    };
    for (int i = 0; i < steps; ++i) io.run_one_for(1ms);
  }
  client.reset();
  run_ready(io);
}

TEST_CASE("a hub may be shut down from within what it tells", "[net][stream][destruction]") {
  asio::io_context io;
  peer server{io};
  peer client{io};
  bool was_told = false;
  SECTION("a frame") {
    server.on_frame = [&](const connection&, const bytes&) {
      was_told = true;
      server.hub->shut_down();
    };
  }
  SECTION("an accepted link") {
    server.on_link = [&](const connection&, link_state) {
      was_told = true;
      server.hub->shut_down();
    };
  }
  client.hub->open(1, server.listen());
  client.on_link = [&](const connection&, link_state state) {
    if (state != link_state::up) return;
    for (int i = 0; i < 10; ++i) client.send(1, "frame");
  };
  REQUIRE(runs_until(io, [&] { return was_told && client.told(1, link_state::down); }));
  CHECK(server.frames.size() <= 1);
}

}  // namespace artillery::net
