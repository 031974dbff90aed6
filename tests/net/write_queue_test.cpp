#include "net/write_queue.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/random.hpp"
#include "catch.hpp"
#include "net/frame_decoder.hpp"

namespace artillery::net {
namespace {

using pieces = std::array<bytes_view, write_queue::pieces_max>;

std::string filler(std::size_t size, std::uint64_t seed) {
  std::string text(size, ' ');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(detail::mix64(seed * 1000 + i));
  return text;
}

}  // namespace

TEST_CASE("many small frames leave as one piece", "[net][write_queue]") {
  write_queue queue;
  for (int i = 0; i < 64; ++i) queue.push(as_bytes("header"), std::vector{bytes{filler(90, 1)}});
  pieces gathered;
  CHECK(queue.gather(gathered) == 1);
  CHECK(gathered[0].size() == 64 * 100);
  CHECK(queue.size() == 64 * 100);
}

TEST_CASE("large slices are shared, not copied", "[net][write_queue]") {
  write_queue queue;
  const bytes value{filler(10'000, 1)};
  queue.push(as_bytes("header"), std::vector{value});
  pieces gathered;
  REQUIRE(queue.gather(gathered) == 2);
  CHECK(gathered[1].data() == value.data());
}

TEST_CASE("one write takes no more than its bounds", "[net][write_queue]") {
  write_queue queue;
  const bytes value{filler(300, 1)};
  for (int i = 0; i < 100; ++i) queue.push({}, std::vector{value});
  pieces gathered;
  CHECK(queue.gather(gathered) == write_queue::pieces_max);

  write_queue bulky;
  bulky.push({}, std::vector{bytes{filler(1'000'000, 1)}});
  std::size_t total = 0;
  const auto count = bulky.gather(gathered);
  for (std::size_t i = 0; i < count; ++i) total += gathered[i].size();
  CHECK(total == write_queue::write_size_max);
}

TEST_CASE("frames survive partial writes of any length", "[net][write_queue]") {
  const std::uint64_t seed = GENERATE(range(0u, 30u));
  detail::random draw{seed};
  write_queue queue;
  frame_decoder decoder{1'000'000, 4096};
  std::vector<std::string> sent;
  std::vector<bytes> received;
  std::vector<std::byte> wire;
  while (sent.size() < 200 || !queue.empty()) {
    if (sent.size() < 200 && draw.chance(1, 2)) {
      const auto header = filler(draw.between(0, 40), sent.size());
      std::string whole = header;
      std::vector<bytes> body;
      const auto parts = draw.below(4);
      for (std::uint64_t i = 0; i < parts; ++i) {
        body.emplace_back(filler(draw.between(0, draw.chance(1, 8) ? 50'000 : 600), i));
        whole += body.back().text();
      }
      queue.push(as_bytes(header), body);
      sent.push_back(whole);
    } else {
      pieces gathered;
      const auto count = queue.gather(gathered);
      std::size_t total = 0;
      for (std::size_t i = 0; i < count; ++i) total += gathered[i].size();
      const auto written = draw.between(0, total);
      wire.clear();
      for (std::size_t i = 0; i < count && wire.size() < written; ++i) {
        const auto part = gathered[i].first(std::min<std::size_t>(gathered[i].size(), written - wire.size()));
        wire.insert(wire.end(), part.begin(), part.end());
      }
      queue.consume(written);
      for (bytes_view rest{wire}; !rest.empty();) {
        const auto space = decoder.prepare();
        const auto taken = std::min(space.size(), rest.size());
        std::memcpy(space.data(), rest.data(), taken);
        decoder.commit(taken);
        rest = rest.subspan(taken);
        bytes frame;
        while (decoder.next(frame) == frame_decoder::outcome::frame) received.push_back(frame);
      }
    }
  }
  REQUIRE(received.size() == sent.size());
  for (std::size_t i = 0; i < sent.size(); ++i) CHECK(received[i].text() == sent[i]);
}

}  // namespace artillery::net
