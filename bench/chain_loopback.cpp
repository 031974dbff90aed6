// Strong reads and fully acknowledged writes of a chain of three over loopback TCP, each replica on a thread of its
// own, beside a bare Asio echo with the same number of requests under way: 64 of them, and one alone. The floor of
// reads looks the key up in a std::unordered_map and answers with a copy of the value; that of writes sends the request
// back. All requests that arrive together are answered by one write. The two take turns in one run; medians.
//
//   bench_chain_loopback [rounds] [operations per round]

#include <time.h>

#include <algorithm>
#include <array>
#include <asio/buffer.hpp>
#include <asio/detached.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/use_future.hpp>
#include <asio/write.hpp>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "artillery/replication.hpp"
#include "base/random.hpp"

namespace {

using namespace artillery;
using namespace artillery::replication;
using tcp = asio::ip::tcp;
using steady = std::chrono::steady_clock;

constexpr std::size_t keys = 10'000;
constexpr std::size_t key_size = 10;
constexpr std::size_t value_size = 100;
constexpr std::size_t depth = 64;

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "bench_chain_loopback: %s\n", why.c_str());
  std::exit(1);
}

std::string key_name(std::size_t number) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "key-%06zu", number);
  return text.data();
}

/// An io_context with a thread of its own.
class server_thread {
public:
  server_thread() : thread_{[this] { io.run(); }} {}
  ~server_thread() {
    io.stop();
    thread_.join();
  }
  server_thread(const server_thread&) = delete;
  server_thread& operator=(const server_thread&) = delete;
  asio::io_context io{1};

private:
  asio::executor_work_guard<asio::io_context::executor_type> work_{io.get_executor()};
  std::thread thread_;
};

// ---- the floor ----

/// Answers each request of a fixed size: with the value of its key, or with itself.
class floor_server {
public:
  floor_server(asio::io_context& io, std::size_t request_size, const std::unordered_map<std::string, std::string>* map)
      : acceptor_{io, {asio::ip::address_v4::loopback(), 0}}, socket_{io}, request_size_{request_size}, map_{map} {
    acceptor_.async_accept(socket_, [this](std::error_code error) {
      if (error) return;
      socket_.set_option(tcp::no_delay{true});
      read();
    });
  }
  [[nodiscard]] tcp::endpoint at() const { return acceptor_.local_endpoint(); }

private:
  void read() {
    socket_.async_read_some(asio::buffer(in_.data() + filled_, in_.size() - filled_),
                            [this](std::error_code error, std::size_t count) {
                              if (error) return;
                              filled_ += count;
                              answer();
                            });
  }
  void answer() {
    out_.clear();
    std::size_t at = 0;
    for (; filled_ - at >= request_size_; at += request_size_) {
      if (map_ == nullptr) {
        out_.append(in_.data() + at, request_size_);
      } else {
        out_.append(4, '\0');
        out_ += map_->find(std::string{in_.data() + at, key_size})->second;
      }
    }
    std::memmove(in_.data(), in_.data() + at, filled_ - at);
    filled_ -= at;
    if (out_.empty()) return read();
    asio::async_write(socket_, asio::buffer(out_), [this](std::error_code error, std::size_t) {
      if (!error) read();
    });
  }

  tcp::acceptor acceptor_;
  tcp::socket socket_;
  std::size_t request_size_;
  const std::unordered_map<std::string, std::string>* map_;
  std::array<char, 64 << 10> in_{};
  std::size_t filled_ = 0;
  std::string out_;
};

/// Keeps `deep` requests under way; each answer is followed by a request for another key.
class floor_client {
public:
  floor_client(asio::io_context& io, std::size_t request_size, std::size_t answer_size, std::size_t total)
      : socket_{io}, request_size_{request_size}, answer_size_{answer_size}, to_send_{total}, to_come_{total} {
    for (std::size_t i = 0; i < keys; ++i) names_.push_back(key_name(i));
  }
  void run(const tcp::endpoint& to, std::size_t deep) {
    socket_.connect(to);
    socket_.set_option(tcp::no_delay{true});
    send(deep);
  }

private:
  void send(std::size_t count) {
    out_.clear();
    for (count = std::min(count, to_send_); count > 0; --count, --to_send_) {
      out_ += names_[static_cast<std::size_t>(random_.below(keys))];
      out_.append(request_size_ - key_size, 'x');
    }
    if (out_.empty()) return read();
    asio::async_write(socket_, asio::buffer(out_), [this](std::error_code error, std::size_t) {
      if (!error) read();
    });
  }
  void read() {
    socket_.async_read_some(asio::buffer(in_), [this](std::error_code error, std::size_t count) {
      if (error) return;
      filled_ += count;
      const std::size_t answers = filled_ / answer_size_;
      filled_ %= answer_size_;
      to_come_ -= std::min(to_come_, answers);
      if (to_come_ > 0) send(answers);
    });
  }

  tcp::socket socket_;
  std::size_t request_size_;
  std::size_t answer_size_;
  std::size_t to_send_;
  std::size_t to_come_;
  std::size_t filled_ = 0;
  std::vector<std::string> names_;
  detail::random random_{3};
  std::array<char, 64 << 10> in_{};
  std::string out_;
};

/// What a round took: time on the wall, and of all threads' processors, which other programs disturb less.
struct cost {
  double per_second = 0;
  double processor_us = 0;  ///< per operation, both ends together
};

class stopwatch {
public:
  [[nodiscard]] cost per(std::size_t operations) const {
    const double elapsed = std::chrono::duration<double>(steady::now() - began_).count();
    const auto count = static_cast<double>(operations);
    return {count / elapsed, (processor_seconds() - used_before_) * 1e6 / count};
  }

private:
  static double processor_seconds() {
    timespec used{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;
  }

  steady::time_point began_ = steady::now();
  double used_before_ = processor_seconds();
};

cost floor_round(bool reads, std::size_t deep, std::size_t operations) {
  static const auto map = [] {
    std::unordered_map<std::string, std::string> filled;
    for (std::size_t i = 0; i < keys; ++i) filled.emplace(key_name(i), std::string(value_size, 'v'));
    return filled;
  }();
  // As long as ours without what surrounds key and value: length, key, and for a write the value.
  const std::size_t request_size = 4 + key_size + (reads ? 0 : value_size);
  const std::size_t answer_size = reads ? 4 + value_size : request_size;
  asio::io_context io{1};
  const auto client = std::make_unique<floor_client>(io, request_size, answer_size, operations);
  std::unique_ptr<floor_server> echo;
  server_thread server;
  echo = std::make_unique<floor_server>(server.io, request_size, reads ? &map : nullptr);
  const stopwatch watch;
  client->run(echo->at(), deep);
  io.run();
  return watch.per(operations);
}

// ---- ours ----

replica_config config_of(std::size_t number) {
  replica_config config;
  config.cluster = "bench";
  config.self = {{1, number + 1}, 1};
  return config;
}

class chain_of_three {
public:
  chain_of_three() {
    view chosen;
    chosen.chain = 1;
    chosen.epoch = 1;
    for (std::size_t i = 0; i < servers_.size(); ++i) {
      replicas_.push_back(std::make_unique<replica>(servers_[i].io.get_executor(), config_of(i)));
      replicas_[i]->async_run(asio::detached);
      const event listening = replicas_[i]->async_next_event(asio::use_future).get();
      if (listening.what != event::kind::listening) give_up("cannot listen");
      chosen.replicas.push_back({config_of(i).self, replicas_[i]->local_endpoint()});
      config_.replicas.push_back(replicas_[i]->local_endpoint());
    }
    for (auto& each : replicas_) each->async_adopt(chosen, asio::use_future).get();
    config_.cluster = "bench";
    for (std::size_t i = 0; i < keys; ++i) names_.emplace_back(key_name(i));
    static_cast<void>(round(false, {}, depth, keys));
  }

  cost round(bool reads, const routing& where, std::size_t deep, std::size_t operations) {
    asio::io_context io{1};
    client kv{io.get_executor(), config_};
    kv.async_run(asio::detached);
    user state{kv, reads, read_options{where}, operations, 0, names_};
    bool ready = false;  // links, view and session are there
    kv.async_put(key_name(0), std::string(value_size, 'v'), [&](std::error_code error, const write_result&) {
      if (error) give_up(error.message());
      ready = true;
    });
    while (!ready) io.run_one();
    const stopwatch watch;
    for (std::size_t i = 0; i < deep; ++i) state.next();
    while (state.done < operations) io.run_one();
    const cost result = watch.per(operations);
    retries_ += kv.counters().retries;
    return result;
  }

  void report_figures() const {
    std::uint64_t local = 0;
    std::uint64_t questions = 0;
    std::uint64_t records = 0;
    std::uint64_t frames = 0;
    for (const auto& each : replicas_) {
      const replica_counters all = each->counters();
      local += all.local_reads;
      questions += all.watermark_queries;
      records += all.appended_records;
      frames += all.append_frames;
    }
    std::printf(
        "reads answered with no message between replicas: %llu; watermark questions: %llu; records per frame "
        "down the chain: %.1f; retries: %llu\n",
        static_cast<unsigned long long>(local), static_cast<unsigned long long>(questions),
        static_cast<double>(records) / static_cast<double>(std::max<std::uint64_t>(frames, 1)),
        static_cast<unsigned long long>(retries_));
  }

private:
  struct user {
    client& kv;
    bool reads;
    read_options options;
    std::size_t left;
    std::size_t done;
    const std::vector<bytes>& names;
    detail::random random{5};
    bytes value{std::string(value_size, 'v')};

    void next() {
      if (left == 0) return;
      --left;
      const bytes& key = names[reads ? static_cast<std::size_t>(random.below(keys)) : left % keys];
      if (reads) {
        kv.async_read(key, strong, options, [this](std::error_code error, const read_result& read) {
          if (error || !read.found()) give_up("a read failed: " + error.message());
          ended();
        });
      } else {
        kv.async_put(key, value, [this](std::error_code error, const write_result&) {
          if (error) give_up("a write failed: " + error.message());
          ended();
        });
      }
    }
    void ended() {
      ++done;
      next();
    }
  };

  std::array<server_thread, 3> servers_;
  std::vector<std::unique_ptr<replica>> replicas_;
  client_config config_;
  std::vector<bytes> names_;
  std::uint64_t retries_ = 0;
};

double median(const std::vector<cost>& of, double cost::* figure) {
  std::vector<double> figures;
  for (const cost& each : of) figures.push_back(each.*figure);
  std::sort(figures.begin(), figures.end());
  return figures[figures.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t rounds = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 5;
  const std::size_t operations = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 50'000;
  if (rounds == 0 || operations < depth) {
    std::fprintf(stderr, "bench_chain_loopback [rounds, 1 or more] [operations per round, %zu or more]\n", depth);
    return 2;
  }
  struct workload {
    const char* what;
    bool reads;
    routing where;
    std::size_t deep;
    double target;  // ours as a share of the floor; 0: none is set
    std::vector<cost> ours;
    std::vector<cost> floor;
  };
  const routing one = routing::to(config_of(1).self.node);
  std::array<workload, 6> all{{{"strong reads at one replica, 64 deep", true, one, depth, 0.6, {}, {}},
                               {"strong reads at any replica, 64 deep", true, {}, depth, 0, {}, {}},
                               {"writes acknowledged by all 3, 64 deep", false, {}, depth, 0.15, {}, {}},
                               {"strong reads at one replica, one at a time", true, one, 1, 0, {}, {}},
                               {"strong reads at any replica, one at a time", true, {}, 1, 0, {}, {}},
                               {"writes acknowledged by all 3, one at a time", false, {}, 1, 0, {}, {}}}};
  chain_of_three chain;
  for (std::size_t i = 0; i < rounds; ++i) {
    for (workload& each : all) {
      const std::size_t count = each.deep == 1 ? operations / 10 : operations;
      each.floor.push_back(floor_round(each.reads, each.deep, count));
      each.ours.push_back(chain.round(each.reads, each.where, each.deep, count));
    }
  }
  std::printf("chain of 3 over loopback, %zu-byte values, %zu keys, medians of %zu rounds of %zu operations\n",
              value_size, keys, rounds, operations);
  for (const workload& each : all) {
    const double ours = median(each.ours, &cost::per_second);
    const double floor = median(each.floor, &cost::per_second);
    const double our_processor = median(each.ours, &cost::processor_us);
    const double floor_processor = median(each.floor, &cost::processor_us);
    std::printf("%-44s ours %8.0f /s (%5.1f us)  floor %8.0f /s (%5.1f us)  share %.2f  processor %5.1f / %5.1f us",
                each.what, ours, 1e6 / ours, floor, 1e6 / floor, ours / floor, our_processor, floor_processor);
    if (each.target > 0)
      std::printf("   target >= %.2f   %s", each.target, ours / floor >= each.target ? "met" : "MISSED");
    std::printf("\n");
  }
  chain.report_figures();
  return 0;
}
