#include "load.hpp"

#include <chrono>
#include <exception>
#include <utility>

#include "exit_code.hpp"
#include "longest_gap.hpp"

namespace demo {

using tool::exit_code;
using tool::failure;

namespace {

constexpr artillery::duration write_limit = std::chrono::seconds{10};

}  // namespace

load::load(tool::control::client client) : client_{std::move(client)}, thread_{[this] { run(); }} {}

load::~load() {
  stop();
}

std::uint64_t load::stop() {
  {
    const std::lock_guard lock{mutex_};
    is_stopping_ = true;
  }
  if (thread_.joinable()) thread_.join();
  const std::lock_guard lock{mutex_};
  return acknowledged_.size();
}

void load::run() {
  for (std::uint64_t count = 1;; ++count) {
    const artillery::time_point began = artillery::clock::now();
    std::optional<std::string> fault;
    try {
      const auto reply = client_.request({{"op", "put"}, {"key", key}}, std::to_string(count), write_limit);
      if (!reply.head.value("applied", false)) fault = "it was not applied";
    } catch (const std::exception& failed) {
      fault = failed.what();
    }
    const std::lock_guard lock{mutex_};
    if (fault) {
      refused_ = "write " + std::to_string(count) + " of those that go on: " + *fault;
    } else {
      acknowledged_.push_back(artillery::clock::now());
      last_began_ = began;
    }
    changed_.notify_all();
    if (fault || is_stopping_) return;
  }
}

void load::wait_for_write_after(artillery::time_point moment, artillery::duration limit) {
  std::unique_lock lock{mutex_};
  const bool came = changed_.wait_for(lock, limit, [&] { return refused_ || last_began_ > moment; });
  if (refused_) throw failure{exit_code::failed, *refused_};
  if (!came) throw failure{exit_code::failed, "no write was acknowledged in time"};
}

artillery::duration load::longest_gap(artillery::time_point from, artillery::time_point to) const {
  const std::lock_guard lock{mutex_};
  return demo::longest_gap(acknowledged_, from, to);
}

}  // namespace demo
