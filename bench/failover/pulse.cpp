#include "pulse.hpp"

#include <algorithm>
#include <asio/post.hpp>
#include <chrono>
#include <utility>

namespace failover {

using namespace std::chrono_literals;
using artillery::clock;
using artillery::duration;
using artillery::node_id;
using artillery::time_point;
namespace replication = artillery::replication;

namespace {

constexpr const char* still_object = "still";
constexpr std::size_t value_size = 100;

replication::client_config config_of(const std::string& cluster, std::vector<artillery::endpoint> replicas) {
  replication::client_config config;
  config.cluster = cluster;
  config.replicas = std::move(replicas);
  return config;
}

}  // namespace

pulse::pulse(const std::string& cluster, std::vector<artillery::endpoint> replicas)
    : client_{io_.get_executor(), config_of(cluster, std::move(replicas))} {
  client_.async_run([](std::error_code) {});
  client_.async_put(still_object, std::string(value_size, 's'), replication::write_options{30s},
                    [this](std::error_code, const auto&) {
                      for (std::size_t i = 0; i < writes_under_way; ++i) write_next();
                    });
  thread_ = std::thread{[this] { io_.run(); }};
}

pulse::~pulse() {
  io_.stop();
  thread_.join();
}

void pulse::read_at(const node_id& node) {
  asio::post(io_, [this, node] { read_next(node); });
}

void pulse::write_next() {
  const time_point began = clock::now();
  const std::string key = "pulse/" + std::to_string(count_++ % 64);
  client_.async_put(key, std::string(value_size, 'v'), replication::write_options{30s},
                    [this, began](std::error_code error, const auto&) { written(began, error); });
}

void pulse::written(time_point began, std::error_code error) {
  {
    const std::lock_guard lock{mutex_};
    if (error) {
      ++failed_writes_;
    } else {
      writes_.push_back(clock::now());
      last_began_ = std::max(last_began_, began);
    }
  }
  changed_.notify_all();
  write_next();
}

void pulse::read_next(const node_id& node) {
  replication::read_options options{250ms};
  options.where(replication::routing::to(node));
  client_.async_read(still_object, replication::strong, options, [this, node](std::error_code error, const auto&) {
    if (!error) {
      const std::lock_guard lock{mutex_};
      reads_[node].push_back(clock::now());
    }
    read_next(node);
  });
}

bool pulse::wait_for_write_after(time_point moment, duration limit) {
  std::unique_lock lock{mutex_};
  return changed_.wait_for(lock, limit, [&] { return last_began_ > moment; });
}

std::vector<time_point> pulse::writes() const {
  const std::lock_guard lock{mutex_};
  return writes_;
}

std::vector<time_point> pulse::reads_at(const node_id& node) const {
  const std::lock_guard lock{mutex_};
  const auto found = reads_.find(node);
  return found == reads_.end() ? std::vector<time_point>{} : found->second;
}

std::uint64_t pulse::failed_writes() const {
  const std::lock_guard lock{mutex_};
  return failed_writes_;
}

void pulse::forget() {
  const std::lock_guard lock{mutex_};
  if (writes_.size() > 1) writes_.erase(writes_.begin(), writes_.end() - 1);
  for (auto& [node, answers] : reads_) {
    if (answers.size() > 1) answers.erase(answers.begin(), answers.end() - 1);
  }
}

}  // namespace failover
