// What an object costs in memory, and that overwriting costs none: RSS (/proc/self/statm) of a memory_store with a
// million small objects, of the same store over ten million overwrites, and of a chain of three in this process over a
// million acknowledged writes of mixed sizes. Exits with 1 when a bound is missed.
//
//   bench_chain_memory [overwrites of the store] [writes of the chain]

#include <malloc.h>

#include <array>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "artillery/replication.hpp"
#include "base/random.hpp"

namespace {

using namespace artillery;
using namespace artillery::replication;

double resident_bytes() {
  std::ifstream statm{"/proc/self/statm"};
  double total = 0;
  double resident = 0;
  statm >> total >> resident;
  return resident * 4096;
}

std::string key_name(std::size_t number) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "key-%08zu", number);
  return text.data();
}

bool report(const char* what, double measured, double target, const char* unit) {
  std::printf("%-64s %8.1f %s   target <= %.1f   %s\n", what, measured, unit, target,
              measured <= target ? "met" : "MISSED");
  return measured <= target;
}

bool measure_store(std::uint64_t overwrites) {
  constexpr std::size_t objects = 1'000'000;
  constexpr std::size_t value_size = 100;
  const std::size_t key_size = key_name(0).size();
  const double empty = resident_bytes();
  memory_store store;
  std::uint64_t seq = 0;
  const bytes value{std::string(value_size, 'v')};
  for (std::size_t i = 0; i < objects; ++i) store.apply_committed(key_name(i), {{1, ++seq}, value, 0});
  const double full = resident_bytes();
  const double overhead = (full - empty) / objects - static_cast<double>(key_size + value_size);
  bool met = report("overhead of an object (12-byte key, 100-byte value)", overhead, 100, "B ");

  detail::random random{1};
  for (std::uint64_t i = 0; i < overwrites; ++i) {
    const auto key = static_cast<std::size_t>(random.below(objects));
    store.apply(key_name(key), {{1, ++seq}, value, 0});
    store.commit(key_name(key), seq);
  }
  std::printf("(after %llu overwrites of the store, dirty first)\n", static_cast<unsigned long long>(overwrites));
  met = report("growth of the store", (resident_bytes() - full) / full * 100, 2, "% ") && met;
  return met;
}

/// Three replicas and a client on one context.
class chain_of_three {
public:
  chain_of_three() {
    view chosen;
    chosen.chain = 1;
    chosen.epoch = 1;
    client_config of_client;
    for (std::uint64_t i = 1; i <= 3; ++i) {
      replica_config config;
      config.self = {{0, i}, 1};
      replicas_.emplace_back(io_.get_executor(), config);
      replicas_.back().async_run(asio::detached);
      while (replicas_.back().local_endpoint().none()) io_.run_one();
      chosen.replicas.push_back({config.self, replicas_.back().local_endpoint()});
      of_client.replicas.push_back(replicas_.back().local_endpoint());
    }
    for (replica& each : replicas_) each.async_adopt(chosen, asio::detached);
    clients_.emplace_back(io_.get_executor(), of_client);
    clients_.back().async_run(asio::detached);
  }

  void write(std::uint64_t count) {
    left_ = count;
    waiting_ = 0;
    for (int i = 0; i < 128; ++i) next();
    while (waiting_ > 0) io_.run_one();
  }

private:
  void next() {
    if (left_ == 0) return;
    --left_;
    ++waiting_;
    const std::size_t size = sizes_[static_cast<std::size_t>(random_.below(sizes_.size()))];
    clients_.front().async_put(key_name(static_cast<std::size_t>(random_.below(1000))), std::string(size, 'v'),
                               write_options{std::chrono::minutes{1}},
                               [this](std::error_code error, const write_result&) {
                                 if (error) {
                                   std::fprintf(stderr, "bench_chain_memory: %s\n", error.message().c_str());
                                   std::exit(1);
                                 }
                                 --waiting_;
                                 next();
                               });
  }

  static constexpr std::array<std::size_t, 6> sizes_{0, 10, 100, 100, 1000, 5000};
  asio::io_context io_{1};
  std::vector<replica> replicas_;
  std::vector<client> clients_;
  std::uint64_t left_ = 0;
  std::uint64_t waiting_ = 0;
  detail::random random_{2};
};

bool measure_chain(std::uint64_t writes) {
  chain_of_three chain;
  chain.write(writes / 10);
  const double before = resident_bytes();
  chain.write(writes - writes / 10);
  const double after = resident_bytes();
  std::printf("resident after a tenth of the writes %.1f MB, after all %.1f MB\n", before / 1048576, after / 1048576);
  std::printf("(chain of 3 in one process, %llu writes of 0 to 5,000 bytes to 1,000 keys; from a tenth of them on)\n",
              static_cast<unsigned long long>(writes));
  return report("growth of the process", (after - before) / 1048576, 8, "MB");
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t overwrites = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 10'000'000;
  const std::uint64_t writes = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1'000'000;
  // The chain first: memory that the store has given back would hide what the chain takes.
  const bool chain_met = measure_chain(writes);
  ::malloc_trim(0);
  const bool store_met = measure_store(overwrites);
  return store_met && chain_met ? 0 : 1;
}
