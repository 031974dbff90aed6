// What it costs to turn a message of about 100 bytes into bytes and back: a hand-written cursor (the floor, used for
// hot headers), cereal through our bounded archive (used for bodies), and cereal's own portable archive over a string
// stream, which trusts its input.  Run: ./dev bench codec
#include <benchmark/benchmark.h>

#include <cereal/archives/portable_binary.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>
#include <sstream>

#include "base/archive.hpp"
#include "base/crc32c.hpp"
#include "base/cursor.hpp"

namespace {

using artillery::detail::reader;
using artillery::detail::writer;

struct message {
  std::uint64_t epoch = 7;
  std::uint64_t seq = 123'456;
  std::uint32_t session = 9;
  std::uint32_t request = 77;
  std::string key = "customer/4711/limit";
  std::vector<std::uint8_t> value = std::vector<std::uint8_t>(50, 42);

  template <class Archive>
  void serialize(Archive& archive) {
    archive(epoch, seq, session, request, key, value);
  }
};

void write_by_hand(const message& m, std::vector<std::byte>& out) {
  writer{out}.put(m.epoch).put(m.seq).put(m.session).put(m.request).put_sized(m.key).put_sized(
      std::as_bytes(std::span{m.value}));
}

void encode_by_hand(benchmark::State& state) {
  const message m;
  std::vector<std::byte> out;
  for (auto _ : state) {
    out.clear();
    write_by_hand(m, out);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(out.size()));
}

void encode_by_our_archive(benchmark::State& state) {
  const message m;
  std::vector<std::byte> out;
  for (auto _ : state) {
    out.clear();
    artillery::detail::encode(m, out);
    benchmark::DoNotOptimize(out.data());
  }
}

void encode_by_portable_binary(benchmark::State& state) {
  const message m;
  for (auto _ : state) {
    std::ostringstream stream;
    cereal::PortableBinaryOutputArchive archive{stream};
    archive(m);
    benchmark::DoNotOptimize(stream.str());
  }
}

void decode_by_hand(benchmark::State& state) {
  std::vector<std::byte> out;
  write_by_hand({}, out);
  for (auto _ : state) {
    reader in{out};
    message m;
    m.epoch = in.take<std::uint64_t>();
    m.seq = in.take<std::uint64_t>();
    m.session = in.take<std::uint32_t>();
    m.request = in.take<std::uint32_t>();
    m.key = artillery::as_text(in.take_sized(1024));
    const auto value = in.take_sized(1024);
    m.value.assign(reinterpret_cast<const std::uint8_t*>(value.data()),
                   reinterpret_cast<const std::uint8_t*>(value.data()) + value.size());
    if (!in.complete()) state.SkipWithError("the message was refused");
    benchmark::DoNotOptimize(m);
  }
}

void decode_by_our_archive(benchmark::State& state) {
  std::vector<std::byte> out;
  artillery::detail::encode(message{}, out);
  for (auto _ : state) {
    auto m = artillery::detail::decode<message>(out);
    if (!m) state.SkipWithError("the message was refused");
    benchmark::DoNotOptimize(m);
  }
}

void decode_by_portable_binary(benchmark::State& state) {
  std::ostringstream out;
  {
    cereal::PortableBinaryOutputArchive archive{out};
    archive(message{});
  }
  const std::string text = out.str();
  for (auto _ : state) {
    std::istringstream stream{text};
    cereal::PortableBinaryInputArchive archive{stream};
    message m;
    archive(m);
    benchmark::DoNotOptimize(m);
  }
}

void checksum(benchmark::State& state) {
  const std::vector<std::byte> data(static_cast<std::size_t>(state.range(0)), std::byte{7});
  for (auto _ : state) benchmark::DoNotOptimize(artillery::detail::crc32c(data));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * state.range(0));
}

}  // namespace

BENCHMARK(encode_by_hand);
BENCHMARK(encode_by_our_archive);
BENCHMARK(encode_by_portable_binary);
BENCHMARK(decode_by_hand);
BENCHMARK(decode_by_our_archive);
BENCHMARK(decode_by_portable_binary);
BENCHMARK(checksum)->Arg(100)->Arg(1 << 16);

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
}
