#include <array>
#include <asio/buffer.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/write.hpp>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "base/wire.hpp"
#include "catch.hpp"
#include "loopback_chain.hpp"

// Peers that talk nonsense, replicas that go away.

namespace artillery::replication {
namespace {

/// A peer that sends what it is told and waits until it is hung up on, or asked to stop.
class raw_peer {
public:
  raw_peer(loopback_chain& chain, std::size_t replica) : chain_{chain}, socket_{chain.io()} {
    socket_.connect({asio::ip::make_address_v4("127.0.0.1"), chain.at(replica).local_endpoint().port()});
    read();
  }
  void send(std::vector<std::byte> what) {
    std::error_code ignored;
    asio::write(socket_, asio::buffer(what), ignored);
  }
  [[nodiscard]] bool is_hung_up_on() {
    return chain_.until([this] { return ended_; });
  }
  void stop() {
    std::error_code ignored;
    socket_.close(ignored);
    REQUIRE(is_hung_up_on());
  }

private:
  void read() {
    socket_.async_read_some(asio::buffer(memory_), [this](std::error_code error, std::size_t) {
      if (error)
        ended_ = true;
      else
        read();
    });
  }

  loopback_chain& chain_;
  asio::ip::tcp::socket socket_;
  std::array<std::byte, 4096> memory_{};
  bool ended_ = false;
};

std::vector<std::byte> frame_of(const std::vector<std::byte>& payload) {
  const std::size_t size = payload.size();
  std::vector<std::byte> frame;
  for (unsigned i = 0; i < 4; ++i) frame.push_back(static_cast<std::byte>((size >> (8 * i)) & 0xffU));
  frame.insert(frame.end(), payload.begin(), payload.end());
  return frame;
}

std::vector<std::byte> hello_of(std::string_view cluster) {
  std::vector<std::byte> payload;
  detail::writer out{payload};
  detail::put_handshake(out, {detail::module::replication, 0, 0}, detail::cluster_tag(cluster));
  return payload;
}

std::uint64_t metric(const replica& of, std::string_view wanted) {
  std::uint64_t found = 0;
  of.metrics([&](std::string_view name, std::uint64_t value) {
    if (name == wanted) found = value;
  });
  return found;
}

/// The chain still works, and each replica still answers.
void require_service(loopback_chain& chain, const std::string& value) {
  REQUIRE(chain.put("k", value).result().applied);
  for (std::size_t at = 0; at < chain.size(); ++at) {
    const auto read = chain.read_at(at, "k");
    REQUIRE(read.error() == std::error_code{});
    REQUIRE(read.result().value == bytes{value});
  }
}

}  // namespace

TEST_CASE("random bytes to any replica's port are counted and harm nobody", "[replication][trouble]") {
  loopback_chain chain{3};
  detail::random random{11};
  for (std::size_t round = 0; round < 60; ++round) {
    const std::size_t target = round % 3;
    const std::uint64_t before = chain.at(target).counters().malformed;
    raw_peer peer{chain, target};
    std::vector<std::byte> noise(1 + random.below(300));
    for (std::byte& b : noise) b = static_cast<std::byte>(random.below(256));
    peer.send(frame_of(noise));
    REQUIRE(peer.is_hung_up_on());
    REQUIRE(chain.at(target).counters().malformed == before + 1);
    if (round % 10 == 0) require_service(chain, std::to_string(round));
  }
  require_service(chain, "last");
}

TEST_CASE("a frame cut off at any length leaves the replica serving", "[replication][trouble]") {
  loopback_chain chain{1};
  const auto whole = frame_of(hello_of("test"));
  for (std::size_t length = 0; length < whole.size(); ++length) {
    raw_peer peer{chain, 0};
    peer.send({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)});
    peer.stop();
  }
  for (std::size_t length = 0; length < whole.size() - 4; ++length) {  // whole frames of half a greeting
    raw_peer peer{chain, 0};
    peer.send(frame_of({whole.begin() + 4, whole.begin() + 4 + static_cast<std::ptrdiff_t>(length)}));
    REQUIRE(peer.is_hung_up_on());
  }
  REQUIRE(chain.at(0).counters().malformed == whole.size() - 4);
  require_service(chain, "v");
}

TEST_CASE("an announced length over the limit ends the stream before any memory is taken", "[replication][trouble]") {
  loopback_chain chain{1};
  raw_peer peer{chain, 0};
  peer.send({std::byte{0xff}, std::byte{0xff}, std::byte{0xff}, std::byte{0xff}, std::byte{1}});
  REQUIRE(peer.is_hung_up_on());
  require_service(chain, "v");
  // The sockets' figures are those of a moment ago: each operation looks again.
  const auto counted = [&] { return metric(chain.at(0), "replication.net.stream_oversized_received"); };
  for (int i = 0; i < 10'000 && counted() == 0; ++i) require_service(chain, "w");
  REQUIRE(counted() == 1);
}

TEST_CASE("another cluster, another module and another version are refused", "[replication][trouble]") {
  loopback_chain chain{1};
  std::uint64_t refused = 0;
  const auto refuse = [&](std::vector<std::byte> greeting) {
    raw_peer peer{chain, 0};
    peer.send(frame_of(greeting));
    REQUIRE(peer.is_hung_up_on());
    REQUIRE(chain.at(0).counters().malformed == ++refused);
  };
  refuse(hello_of("another cluster"));
  auto greeting = hello_of("test");
  greeting[1] = std::byte{99};  // the wire version
  refuse(greeting);
  greeting = hello_of("test");
  greeting[2] ^= std::byte{0xe0};  // the module
  refuse(greeting);
  require_service(chain, "v");

  client_config config = chain.config_of_client();
  config.cluster = "another cluster";
  client stranger{chain.io().get_executor(), config};
  stranger.async_run(asio::detached);
  const auto read = chain.wait([&](read_outcome done) { stranger.async_read("k", strong, read_options{200ms}, done); },
                               read_outcome{});
  REQUIRE(read.error() == errc::timed_out);
}

TEST_CASE("a frame that breaks the protocol after a good greeting ends that stream alone", "[replication][trouble]") {
  loopback_chain chain{3};
  require_service(chain, "before");
  detail::random random{5};
  for (int round = 0; round < 40; ++round) {
    raw_peer peer{chain, static_cast<std::size_t>(round) % 3};
    auto greeting = hello_of("test");
    const std::size_t more = random.below(60);
    for (std::size_t i = 0; i < more; ++i) greeting.push_back(static_cast<std::byte>(random.below(4)));
    peer.send(frame_of(greeting));
    std::vector<std::byte> noise(random.below(200));
    for (std::byte& b : noise) b = static_cast<std::byte>(random.below(256));
    peer.send(frame_of(noise));
    peer.stop();
  }
  require_service(chain, "after");
}

TEST_CASE("when the tail dies the chain says so, clean reads go on and writes end unknown", "[replication][trouble]") {
  loopback_chain chain{3};
  REQUIRE(chain.put("clean", "v").result().applied);
  REQUIRE(chain.until([&] { return chain.at(0).try_read("clean").found() && chain.at(1).try_read("clean").found(); }));
  const auto next = [&](std::size_t at) {
    return chain.wait([&](event_outcome done) { chain.at(at).async_next_event(done); }, event_outcome{}).result();
  };
  for (std::size_t at = 0; at < 2; ++at) {
    REQUIRE(next(at).what == event::kind::listening);
    REQUIRE(next(at).what == event::kind::serving);
  }

  chain.kill(2);
  const event stopped = next(1);
  REQUIRE(stopped.what == event::kind::chain_stopped);
  REQUIRE(stopped.other == name_of(2));
  REQUIRE(chain.at(1).status().stopped);

  const auto put = chain.wait(
      [&](write_outcome done) { chain.client().async_put("dirty", "w", write_options{600ms}, done); }, write_outcome{});
  REQUIRE(put.error() == errc::outcome_unknown);
  REQUIRE(next(0).what == event::kind::chain_stopped);

  for (std::size_t at = 0; at < 2; ++at) {
    REQUIRE(chain.at(at).try_read("clean").found());
    REQUIRE(chain.read_at(at, "clean").result().value == bytes{"v"});
    REQUIRE(chain.at(at).try_read("dirty").what == local_read::outcome::ask);
  }
  const auto dirty =
      chain.wait([&](read_outcome done) { chain.at(0).async_read("dirty", strong, 300ms, done); }, read_outcome{});
  REQUIRE(dirty.error() == errc::timed_out);
}

TEST_CASE("a write to a chain that is not there was never sent", "[replication][trouble]") {
  asio::io_context io;
  client_config config;
  config.cluster = "test";
  config.replicas.push_back(endpoint::v4(127, 0, 0, 1, 1));  // nobody listens there
  client lonely{io.get_executor(), config};
  lonely.async_run(asio::detached);
  write_outcome put;
  read_outcome read;
  lonely.async_put("k", "v", write_options{200ms}, put);
  lonely.async_read("k", strong, read_options{200ms}, read);
  REQUIRE(net::runs_until(io, [&] { return put.done() && read.done(); }));
  REQUIRE(put.error() == errc::timed_out);
  REQUIRE(read.error() == errc::timed_out);
}

TEST_CASE("many large values asked for at once all come, over the same links", "[replication][trouble]") {
  loopback_chain chain{1};
  const bytes value{std::string(std::size_t{1} << 20U, 'x')};
  REQUIRE(chain.put("large", value).result().applied);
  std::vector<read_outcome> reads(200);  // more than a stream's queue may hold
  for (const read_outcome& read : reads)
    chain.client().async_read("large", strong, read_options{60s}, read);  // a sanitizer takes ten
  for (const read_outcome& read : reads) {
    REQUIRE(chain.until([&] { return read.done(); }));
    REQUIRE(read.error() == std::error_code{});
    REQUIRE((*read.result().value == value));
  }
  REQUIRE(chain.client().counters().links_lost == 0);
}

TEST_CASE("reads go on at the others when the replica that was asked is gone", "[replication][trouble]") {
  loopback_chain chain{3};
  REQUIRE(chain.put("k", "v").result().applied);
  REQUIRE(chain.until([&] { return chain.at(0).try_read("k").found() && chain.at(1).try_read("k").found(); }));
  std::vector<read_outcome> reads(200);
  for (const read_outcome& read : reads) chain.client().async_read("k", strong, read);
  chain.kill(2);
  for (const read_outcome& read : reads) {
    REQUIRE(chain.until([&] { return read.done(); }));
    REQUIRE(read.error() == std::error_code{});
    REQUIRE(read.result().value == bytes{"v"});
  }
}

}  // namespace artillery::replication
