#include "net/frame_decoder.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/random.hpp"
#include "catch.hpp"

namespace artillery::net {
namespace {

using outcome = frame_decoder::outcome;

std::vector<std::byte> payload(std::size_t size, std::uint64_t seed) {
  std::vector<std::byte> result(size);
  for (std::size_t i = 0; i < size; ++i) result[i] = static_cast<std::byte>(detail::mix64(seed + i));
  return result;
}

void append_frame(std::vector<std::byte>& stream, const std::vector<std::byte>& body) {
  for (unsigned i = 0; i < 4; ++i) stream.push_back(static_cast<std::byte>((body.size() >> (8 * i)) & 0xffU));
  stream.insert(stream.end(), body.begin(), body.end());
}

std::vector<std::byte> announcement(std::uint32_t length) {
  std::vector<std::byte> stream;
  for (unsigned i = 0; i < 4; ++i) stream.push_back(static_cast<std::byte>((length >> (8 * i)) & 0xffU));
  return stream;
}

/// Feeds `stream` in pieces of the size that `piece()` says, and collects all frames.
template <class Piece>
outcome feed(frame_decoder& decoder, bytes_view stream, Piece piece, std::vector<bytes>& frames) {
  while (!stream.empty()) {
    const auto space = decoder.prepare();
    REQUIRE_FALSE(space.empty());
    const auto count = std::min({space.size(), stream.size(), piece()});
    std::memcpy(space.data(), stream.data(), count);
    decoder.commit(count);
    stream = stream.subspan(count);
    bytes frame;
    outcome result{};
    while ((result = decoder.next(frame)) == outcome::frame) frames.push_back(frame);
    if (result == outcome::oversized) return result;
  }
  return outcome::incomplete;
}

}  // namespace

TEST_CASE("frames of every size arrive whole, however the stream is cut", "[net][frame]") {
  const std::size_t piece_max = GENERATE(1U, 3U, 64U, 100'000U);
  constexpr std::size_t size_max = 300;
  std::vector<std::byte> stream;
  for (std::size_t size = 0; size <= size_max; ++size) append_frame(stream, payload(size, size));
  detail::random draw{piece_max};
  frame_decoder decoder{size_max, 128};  // chunks smaller than many of the frames
  std::vector<bytes> frames;
  CHECK(feed(decoder, stream, [&] { return draw.between(1, piece_max); }, frames) == outcome::incomplete);
  CHECK(decoder.pending() == 0);
  REQUIRE(frames.size() == size_max + 1);
  // Compared last: what was handed out early must not have been written over.
  for (std::size_t size = 0; size <= size_max; ++size) {
    const auto expected = payload(size, size);
    CHECK(std::equal(expected.begin(), expected.end(), frames[size].view().begin(), frames[size].view().end()));
  }
}

TEST_CASE("frames that fit into a chunk are slices of it, not copies", "[net][frame]") {
  std::vector<std::byte> stream;
  for (int i = 0; i < 10; ++i) append_frame(stream, payload(100, 0));
  frame_decoder decoder{1000, 4096};
  const auto space = decoder.prepare();
  std::memcpy(space.data(), stream.data(), stream.size());
  decoder.commit(stream.size());
  bytes frame;
  for (std::size_t i = 0; i < 10; ++i) {
    REQUIRE(decoder.next(frame) == outcome::frame);
    CHECK(frame.data() == space.data() + i * 104 + 4);
  }
  CHECK(decoder.next(frame) == outcome::incomplete);
}

TEST_CASE("a chunk whose frames are gone is used again", "[net][frame]") {
  std::vector<std::byte> stream;
  append_frame(stream, payload(1000, 0));
  frame_decoder decoder{1000, 64 * 1024};
  const std::byte* first = decoder.prepare().data();
  for (int i = 0; i < 1000; ++i) {
    std::vector<bytes> frames;
    feed(decoder, stream, [] { return std::size_t{5000}; }, frames);
    REQUIRE(frames.size() == 1);
  }
  CHECK(decoder.prepare().data() == first);
}

TEST_CASE("a length over the limit ends the stream with nothing allocated for it", "[net][frame]") {
  const std::uint32_t length = GENERATE(1001U, 0x7fffffffU, 0xffffffffU);
  frame_decoder decoder{1000, 4096};
  std::vector<bytes> frames;
  CHECK(feed(decoder, announcement(length), [] { return std::size_t{1}; }, frames) == outcome::oversized);
  CHECK(decoder.allocated() == 4096);
  bytes frame;
  CHECK(decoder.next(frame) == outcome::oversized);
}

TEST_CASE("memory for a large frame grows only with what has arrived", "[net][frame]") {
  constexpr std::size_t size = 8 << 20;
  constexpr std::size_t chunk = 64 << 10;
  frame_decoder decoder{std::size_t{1} << 30U, chunk};
  std::vector<bytes> frames;
  feed(decoder, announcement(size), [] { return std::size_t{4}; }, frames);
  CHECK(decoder.allocated() <= 2 * chunk);
  const auto body = payload(size, 3);
  std::size_t fed = 0;
  while (fed < size) {
    const auto space = decoder.prepare();
    const auto count = std::min({space.size(), size - fed, std::size_t{100'000}});
    std::memcpy(space.data(), body.data() + fed, count);
    decoder.commit(count);
    fed += count;
    REQUIRE(decoder.allocated() <= 2 * fed + 2 * chunk);
  }
  bytes frame;
  REQUIRE(decoder.next(frame) == outcome::frame);
  CHECK(frame.retained() == size);  // of its exact size
  CHECK(std::equal(body.begin(), body.end(), frame.view().begin()));
}

TEST_CASE("a truncated frame is never handed out", "[net][frame]") {
  std::vector<std::byte> stream;
  append_frame(stream, payload(500, 9));
  for (std::size_t cut = 0; cut < stream.size(); ++cut) {
    frame_decoder decoder{1000, 128};
    std::vector<bytes> frames;
    CHECK(feed(decoder, bytes_view{stream}.first(cut), [] { return std::size_t{77}; }, frames) == outcome::incomplete);
    CHECK(frames.empty());
    CHECK(decoder.pending() == cut);
  }
}

TEST_CASE("random bytes neither crash the decoder nor make it grow", "[net][frame]") {
  const std::uint64_t seed = GENERATE(range(0u, 200u));
  detail::random draw{seed};
  const std::size_t frame_max = std::size_t{1} << draw.between(0, 20);
  frame_decoder decoder{frame_max, 1024};
  std::vector<std::byte> garbage(draw.between(0, 20'000));
  for (auto& one : garbage) one = static_cast<std::byte>(draw.chance(1, 2) ? 0 : draw.below(256));
  std::vector<bytes> frames;
  feed(decoder, garbage, [&] { return draw.between(1, 3000); }, frames);
  std::size_t total = 0;
  for (const auto& frame : frames) {
    CHECK(frame.size() <= frame_max);
    total += 4 + frame.size();
  }
  CHECK(total <= garbage.size());
  CHECK(decoder.allocated() <= 2 * garbage.size() + 2048);
}

}  // namespace artillery::net
