// A strong read of a clean object by the replica's own process (`replica::try_read`, a chain of one; 100-byte values,
// 100,000 keys in random order) beside its floor: a look-up of the same key in std::unordered_map<std::string,
// std::string>, a copy of the value, and one look at CLOCK_BOOTTIME. Also 16 keys in one call beside 16 bare look-ups
// with copy, and two threads at once. The two take turns in one run, so that both meet the same machine; medians.
//
//   bench_read_floor [pairs] [reads per turn]

#include <time.h>

#include <algorithm>
#include <array>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "artillery/clock.hpp"
#include "artillery/replication.hpp"
#include "base/random.hpp"

namespace {

using namespace artillery;
using namespace artillery::replication;

constexpr std::size_t keys = 100'000;
constexpr std::size_t value_size = 100;
constexpr std::size_t batch = 16;

[[noreturn]] void give_up(const char* why) {
  std::fprintf(stderr, "bench_read_floor: %s\n", why);
  std::exit(1);
}

std::string key_name(std::size_t number) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "key-%06zu", number);
  return text.data();
}

/// A chain of one with all keys written through a client, as any user would.
class filled_replica {
public:
  filled_replica() : replica_{io_.get_executor(), config()} {
    replica_.async_run(asio::detached);
    run_until([this] { return !replica_.local_endpoint().none(); });
    view only;
    only.chain = 1;
    only.epoch = 1;
    only.replicas.push_back({config().self, replica_.local_endpoint()});
    replica_.async_adopt(only, asio::detached);
    client_config of_client;
    of_client.cluster = config().cluster;
    of_client.replicas = {replica_.local_endpoint()};
    of_client.queue_max = keys;
    client writer{io_.get_executor(), of_client};
    writer.async_run(asio::detached);
    std::size_t written = 0;
    for (std::size_t i = 0; i < keys; ++i) {
      writer.async_put(key_name(i), std::string(value_size, 'v'), write_options{std::chrono::minutes{5}},
                       [&written](std::error_code error, const write_result&) {
                         if (error) give_up(error.message().c_str());
                         ++written;
                       });
    }
    run_until([&written] { return written == keys; });
    run_until([this] { return replica_.try_read(key_name(0)).found(); });
  }
  [[nodiscard]] const replica& operator*() const noexcept { return replica_; }

private:
  static replica_config config() {
    replica_config config;
    config.cluster = "bench";
    config.self = {{1, 1}, 1};
    return config;
  }
  template <class Predicate>
  void run_until(Predicate done) {
    while (!done()) {
      if (io_.stopped()) io_.restart();
      io_.run_one();
    }
  }

  asio::io_context io_;
  replica replica_;
};

using floor_map = std::unordered_map<std::string, std::string>;

struct workload {
  floor_map map;
  std::vector<std::string> names;
  std::vector<std::uint32_t> order;
};

std::uint64_t read_floor(const workload& work, std::size_t begin, std::size_t end) {
  std::uint64_t sum = 0;
  for (std::size_t i = begin; i < end; ++i) {
    const std::string copy = work.map.find(work.names[work.order[i]])->second;
    sum += static_cast<unsigned char>(copy[i % value_size]);
    sum += static_cast<std::uint64_t>(artillery::clock::now().time_since_epoch().count()) & 1U;
  }
  return sum;
}

std::uint64_t read_bare(const workload& work, std::size_t begin, std::size_t end) {
  std::uint64_t sum = 0;
  for (std::size_t i = begin; i < end; ++i) {
    const std::string copy = work.map.find(work.names[work.order[i]])->second;
    sum += static_cast<unsigned char>(copy[i % value_size]);
  }
  return sum;
}

std::uint64_t read_ours(const workload& work, const replica& here, std::size_t begin, std::size_t end) {
  std::uint64_t sum = 0;
  for (std::size_t i = begin; i < end; ++i) {
    const local_read found = here.try_read(work.names[work.order[i]]);
    if (!found.found()) give_up("a clean object was not answered");
    sum += std::to_integer<std::uint64_t>(found.value.data()[i % value_size]);
  }
  return sum;
}

std::uint64_t read_ours_batched(const workload& work, const replica& here, std::size_t begin, std::size_t end) {
  std::uint64_t sum = 0;
  std::array<std::string_view, batch> wanted;
  std::array<local_read, batch> found;
  for (std::size_t i = begin; i + batch <= end; i += batch) {
    for (std::size_t k = 0; k < batch; ++k) wanted[k] = work.names[work.order[i + k]];
    here.try_read(wanted, found);
    for (const local_read& one : found) {
      if (!one.found()) give_up("a clean object was not answered");
      sum += std::to_integer<std::uint64_t>(one.value.data()[i % value_size]);
    }
  }
  return sum;
}

std::chrono::nanoseconds own_processor_time() {
  timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::chrono::seconds{used.tv_sec} + std::chrono::nanoseconds{used.tv_nsec};
}

/// Nanoseconds of processor time per read when `threads` share out the reads. Not of the wall clock, so that whatever
/// else runs on the machine counts as little as can be.
template <class Read>
double timed(std::size_t reads, std::size_t threads, Read read) {
  std::vector<std::chrono::nanoseconds> used(threads);
  const auto work = [&](std::size_t t) {
    const auto before = own_processor_time();
    if (read(t) == 0) give_up("nothing was read");
    used[t] = own_processor_time() - before;
  };
  std::vector<std::thread> others;
  for (std::size_t t = 1; t < threads; ++t) others.emplace_back(work, t);
  work(0);
  for (std::thread& other : others) other.join();
  const auto all = std::accumulate(used.begin(), used.end(), std::chrono::nanoseconds{0});
  return static_cast<double>(all.count()) / static_cast<double>(reads);
}

double median(std::vector<double> of) {
  std::sort(of.begin(), of.end());
  return of[of.size() / 2];
}

void report(const char* what, double ours, double floor, double target) {
  std::printf("%-44s ours %7.1f ns   floor %7.1f ns   ratio %.2f   target <= %.2f   %s\n", what, ours, floor,
              ours / floor, target, ours / floor <= target ? "met" : "MISSED");
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t pairs = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 7;
  const std::size_t reads = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 300'000;
  const filled_replica filled;
  const replica& here = *filled;
  workload work;
  detail::random random{1};
  for (std::size_t i = 0; i < keys; ++i) {
    work.names.push_back(key_name(i));
    work.map.emplace(work.names.back(), std::string(value_size, 'v'));
  }
  for (std::size_t i = 0; i < 2 * reads; ++i) work.order.push_back(static_cast<std::uint32_t>(random.below(keys)));

  std::vector<double> ours, floor, batched, bare, ours_two, floor_two;
  for (std::size_t pair = 0; pair <= pairs; ++pair) {
    const double f = timed(reads, 1, [&](std::size_t) { return read_floor(work, 0, reads); });
    const double o = timed(reads, 1, [&](std::size_t) { return read_ours(work, here, 0, reads); });
    const double b = timed(reads, 1, [&](std::size_t) { return read_bare(work, 0, reads); });
    const double m = timed(reads, 1, [&](std::size_t) { return read_ours_batched(work, here, 0, reads); });
    const double f2 = timed(2 * reads, 2, [&](std::size_t t) { return read_floor(work, t * reads, (t + 1) * reads); });
    const double o2 =
        timed(2 * reads, 2, [&](std::size_t t) { return read_ours(work, here, t * reads, (t + 1) * reads); });
    if (pair == 0) continue;  // warms the caches
    floor.push_back(f);
    ours.push_back(o);
    bare.push_back(b);
    batched.push_back(m);
    floor_two.push_back(f2);
    ours_two.push_back(o2);
  }
  std::printf(
      "strong clean read in process: %zu pairs of %zu reads, %zu keys, %zu-byte values, medians of processor time per "
      "read\n",
      pairs, reads, keys, value_size);
  report("one key (look-up, copy, clock)", median(ours), median(floor), 1.3);
  report("16 keys in a call (look-ups, copies)", median(batched), median(bare), 1.3);
  const double gain = 2 * median(ours) / median(ours_two);
  const double floor_gain = 2 * median(floor) / median(floor_two);
  std::printf("%-44s ours %7.2f x    floor %7.2f x    ratio %.2f   target >= 0.90   %s\n", "gain of two threads", gain,
              floor_gain, gain / floor_gain, gain / floor_gain >= 0.9 ? "met" : "MISSED");
  return 0;
}
