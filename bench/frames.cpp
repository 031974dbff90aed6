// Frames of 100 bytes there and back over loopback, 64 on their way at any time, one thread at each end: our framed
// streams beside the floor, a bare Asio echo that knows no frames and copies back whatever it reads. The two take turns
// in one run, so that both meet the same machine.
//
//   bench_frames [frames per round] [rounds]

#include <algorithm>
#include <array>
#include <asio/buffer.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/write.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "net/stream_hub.hpp"

namespace {

using namespace artillery;
using tcp = asio::ip::tcp;
using steady = std::chrono::steady_clock;

constexpr std::size_t frame_size = 100;
constexpr std::size_t depth = 64;
constexpr std::size_t wire_size = frame_size + net::frame_decoder::length_size;

double per_second(std::size_t frames, steady::duration elapsed) {
  return static_cast<double>(frames) / std::chrono::duration<double>(elapsed).count();
}

/// An io_context with a thread of its own.
class server_thread {
public:
  /// To be called before anything that the thread uses goes away.
  void stop() {
    io.stop();
    thread_.join();
  }
  void start() {
    thread_ = std::thread{[this] { io.run(); }};
  }
  asio::io_context io{1};

private:
  std::thread thread_;
};

// ---- the floor ----

class bare_echo {
public:
  explicit bare_echo(tcp::socket socket) : socket_{std::move(socket)} { socket_.set_option(tcp::no_delay{true}); }
  void read() {
    socket_.async_read_some(asio::buffer(space_), [this](std::error_code error, std::size_t count) {
      if (error) return;
      asio::async_write(socket_, asio::buffer(space_, count), [this](std::error_code failed, std::size_t) {
        if (!failed) read();
      });
    });
  }

private:
  tcp::socket socket_;
  std::array<char, 64 << 10> space_{};
};

/// Sends back as many bytes as came, until `total` have been read.
class bare_client {
public:
  bare_client(asio::io_context& io, std::size_t total) : socket_{io}, left_{total} {}
  void run(const tcp::endpoint& to) {
    socket_.connect(to);
    socket_.set_option(tcp::no_delay{true});
    asio::write(socket_, asio::buffer(space_, depth * wire_size));
    read();
  }

private:
  void read() {
    socket_.async_read_some(asio::buffer(space_), [this](std::error_code error, std::size_t count) {
      left_ -= std::min(left_, count);
      if (error || left_ == 0) return;
      asio::async_write(socket_, asio::buffer(space_, count), [this](std::error_code failed, std::size_t) {
        if (!failed) read();
      });
    });
  }

  tcp::socket socket_;
  std::size_t left_;
  std::array<char, 64 << 10> space_{};
};

double floor_round(std::size_t frames) {
  server_thread server;
  tcp::acceptor acceptor{server.io, {asio::ip::address_v4::loopback(), 0}};
  asio::io_context io{1};
  const auto client = std::make_unique<bare_client>(io, frames * wire_size);
  client->run(acceptor.local_endpoint());
  const auto echo = std::make_unique<bare_echo>(acceptor.accept());
  echo->read();
  const auto before = steady::now();
  server.start();
  io.run();
  const auto elapsed = steady::now() - before;
  server.stop();
  return per_second(frames, elapsed);
}

// ---- ours ----

class echo_hub final : public net::stream_hub::observer {
public:
  explicit echo_hub(asio::io_context& io)
      : hub{std::make_shared<net::stream_hub>(net::strand{io.get_executor()}, net::stream_limits{}, *this)} {}
  void stream_received(const connection& from, const bytes& frame) override { hub->send(from.number, frame, {}); }
  void stream_link(const connection&, link_state) override {}
  std::shared_ptr<net::stream_hub> hub;
};

class client_hub final : public net::stream_hub::observer {
public:
  client_hub(asio::io_context& io, std::size_t frames)
      : hub{std::make_shared<net::stream_hub>(net::strand{io.get_executor()}, net::stream_limits{}, *this)},
        left_{frames} {}
  void stream_received(const connection& from, const bytes& frame) override {
    if (left_ == 0) return;
    if (--left_ == 0)
      hub->shut_down();
    else
      hub->send(from.number, frame, {});
  }
  void stream_link(const connection& which, link_state state) override {
    if (state != link_state::up) return;
    const std::string text(frame_size, 'x');
    for (std::size_t i = 0; i < depth; ++i) hub->send(which.number, as_bytes(text), {});
  }
  std::shared_ptr<net::stream_hub> hub;

private:
  std::size_t left_;
};

double our_round(std::size_t frames) {
  server_thread server;
  echo_hub echo{server.io};
  if (echo.hub->listen(endpoint::v4(127, 0, 0, 1, 0))) std::abort();
  asio::io_context io{1};
  client_hub client{io, frames};
  client.hub->open(1, echo.hub->bound());
  const auto before = steady::now();
  server.start();
  io.run();
  const auto elapsed = steady::now() - before;
  server.stop();
  return per_second(frames, elapsed);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t frames = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 300'000;
  const std::size_t rounds = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 7;
  if (frames == 0 || rounds == 0) {
    std::fprintf(stderr, "bench_frames [frames per round, 1 or more] [rounds, 1 or more]\n");
    return 2;
  }
  std::vector<double> ours;
  std::vector<double> floors;
  for (std::size_t i = 0; i < rounds; ++i) {
    floors.push_back(floor_round(frames));
    ours.push_back(our_round(frames));
  }
  const double our_median = median(ours);
  const double floor_median = median(floors);
  std::printf("frames of %zu bytes, %zu deep, there and back, median of %zu rounds of %zu\n", frame_size, depth, rounds,
              frames);
  std::printf("  ours   %9.0f frames/s\n", our_median);
  std::printf("  floor  %9.0f frames/s  (bare Asio echo)\n", floor_median);
  std::printf("  ratio  %9.2f\n", our_median / floor_median);
  return 0;
}
