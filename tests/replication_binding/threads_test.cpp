#include <array>
#include <asio/detached.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/use_future.hpp>
#include <atomic>
#include <chrono>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "base/random.hpp"
#include "catch.hpp"
#include "loopback_chain.hpp"

// Replicas on contexts that several threads run, read from yet other threads.

namespace artillery::replication {
namespace {

/// Threads that run a context until this goes.
class crew {
public:
  crew(asio::io_context& io, int size) : work_{asio::make_work_guard(io)}, io_{io} {
    for (int i = 0; i < size; ++i) threads_.emplace_back([&io] { io.run(); });
  }
  ~crew() {
    work_.reset();
    io_.stop();
    for (std::thread& each : threads_) each.join();
  }
  crew(const crew&) = delete;
  crew& operator=(const crew&) = delete;

private:
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  asio::io_context& io_;
  std::vector<std::thread> threads_;
};

/// A value that tells which write made it, and whether it is whole.
bytes value_of(std::uint64_t number, std::size_t size) {
  std::string text = std::to_string(number) + ":";
  const char filler = static_cast<char>('a' + number % 26);
  text.resize(text.size() + size, filler);
  return text;
}

std::optional<std::uint64_t> number_in(const bytes& value) {
  const std::string_view text = value.text();
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::uint64_t number = std::stoull(std::string{text.substr(0, colon)});
  const char filler = static_cast<char>('a' + number % 26);
  if (text.find_first_not_of(filler, colon + 1) != std::string_view::npos) return std::nullopt;
  return number;
}

}  // namespace

TEST_CASE("reads by other threads are neither stale nor torn while writes go on", "[replication][threads]") {
  loopback_chain chain{3};
  constexpr std::size_t keys = 8;
  constexpr std::size_t readers = 3;
  // Per key: the newest write that was acknowledged before a read began is the least that the read may see.
  std::array<std::atomic<std::uint64_t>, keys> acknowledged{};
  std::atomic<bool> done{false};
  std::atomic<std::uint64_t> stale{0};
  std::atomic<std::uint64_t> torn{0};
  std::atomic<std::uint64_t> answered{0};
  std::atomic<std::uint64_t> asked{0};
  std::array<std::string, keys> names;
  for (std::size_t k = 0; k < keys; ++k) names[k] = "key " + std::to_string(k);

  const auto look = [&](const local_read& found, std::uint64_t least) {
    if (found.what == local_read::outcome::ask) return void(asked.fetch_add(1));
    answered.fetch_add(1);
    if (found.absent()) return void(least > 0 ? stale.fetch_add(1) : 0);
    const auto number = number_in(found.value);
    if (!number) return void(torn.fetch_add(1));
    if (*number < least) stale.fetch_add(1);
  };

  crew runners{chain.io(), 2};
  std::vector<std::thread> threads;
  for (std::size_t reader = 0; reader < readers; ++reader) {
    threads.emplace_back([&, reader] {
      detail::random random{reader};
      const replica& here = chain.at(reader % 3);
      std::vector<std::string_view> views{names.begin(), names.end()};
      std::array<local_read, keys> many;
      while (!done.load()) {
        const auto k = static_cast<std::size_t>(random.below(keys));
        const std::uint64_t least = acknowledged[k].load();
        look(here.try_read(names[k]), least);
        if (!random.chance(1, 20)) continue;
        std::array<std::uint64_t, keys> leasts;
        for (std::size_t i = 0; i < keys; ++i) leasts[i] = acknowledged[i].load();
        here.try_read(views, many);
        for (std::size_t i = 0; i < keys; ++i) look(many[i], leasts[i]);
        static_cast<void>(here.status());
        static_cast<void>(here.counters());
      }
    });
  }

  detail::random random{77};
  std::uint64_t written = 0;
  std::uint64_t read_back = 0;
  for (std::uint64_t round = 0; round < 150; ++round) {
    std::vector<std::future<write_result>> writes;
    for (std::size_t k = 0; k < keys; ++k) {
      const std::size_t size = random.chance(1, 10) ? 3000 : 50;
      writes.push_back(chain.client().async_put(names[k], value_of(round + 1, size), asio::use_future));
    }
    for (std::size_t k = 0; k < keys; ++k) {
      if (!writes[k].get().applied) continue;
      acknowledged[k].store(round + 1);
      ++written;
    }
    const auto k = static_cast<std::size_t>(random.below(keys));
    const read_result exact = chain.client().async_read(names[k], strong, asio::use_future).get();
    if (exact.found() && number_in(*exact.value) == round + 1) ++read_back;
  }
  done.store(true);
  for (std::thread& each : threads) each.join();
  REQUIRE(written == 150 * keys);
  REQUIRE(read_back == 150);
  REQUIRE(stale.load() == 0);
  REQUIRE(torn.load() == 0);
  REQUIRE(answered.load() > 0);
}

TEST_CASE("operations are begun from many threads at once", "[replication][threads]") {
  loopback_chain chain{3};
  crew runners{chain.io(), 2};
  std::atomic<int> applied{0};
  std::vector<std::thread> users;
  for (int user = 0; user < 4; ++user) {
    users.emplace_back([&chain, &applied, user] {
      std::vector<std::future<write_result>> writes;
      for (int i = 0; i < 100; ++i) {
        const std::string key = std::to_string(user) + "/" + std::to_string(i);
        writes.push_back(chain.client().async_put(key, key, asio::use_future));
      }
      for (auto& each : writes) applied += each.get().applied ? 1 : 0;
      for (int i = 0; i < 100; ++i) {
        const std::string key = std::to_string(user) + "/" + std::to_string(i);
        auto read = chain.client().async_read(key, strong, asio::use_future).get();
        applied += read.value == bytes{key} ? 1 : 0;
      }
    });
  }
  for (std::thread& each : users) each.join();
  REQUIRE(applied.load() == 800);
}

TEST_CASE("objects are destroyed by one thread while others run their handlers", "[replication][threads]") {
  loopback_chain chain{1};
  const client_config config = chain.config_of_client();
  crew runners{chain.io(), 2};
  for (int round = 0; round < 40; ++round) {
    std::vector<std::future<write_result>> writes;
    {
      client doomed{chain.io().get_executor(), config};
      doomed.async_run(asio::detached);
      for (int i = 0; i < 20; ++i) writes.push_back(doomed.async_put("k", std::to_string(i), asio::use_future));
      if (round % 2 == 0) writes.front().wait();
    }
    for (auto& each : writes) {
      REQUIRE(each.wait_for(20s) == std::future_status::ready);
      try {
        each.get();
      } catch (const std::system_error&) {  // which error: operations_test
      }
    }
    auto objects = std::make_unique<memory_store>();
    {
      view only;
      only.chain = 1;
      only.epoch = 1;
      only.replicas.push_back({name_of(0), endpoint::v4(127, 0, 0, 1, 1)});
      replica doomed{chain.io().get_executor(), config_of(0), {}, *objects};
      doomed.async_run(asio::detached);
      auto adopted = doomed.async_adopt(only, asio::use_future);
      auto read = doomed.async_read("k", strong, asio::use_future);
      if (round % 2 == 0) adopted.wait();
      static_cast<void>(doomed.try_read("k"));
    }
    objects.reset();
  }
}

}  // namespace artillery::replication
