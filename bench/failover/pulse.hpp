#pragma once

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "artillery/replication.hpp"

namespace failover {

/// Reads and writes of a chain that go on without a pause, and when they were answered.
///
/// Writes are kept under way, a few at a time; strong reads of one object that nobody writes, one at a time at each of
/// the nodes named. On a thread of its own. All functions from one other thread.
class pulse {
public:
  static constexpr std::size_t writes_under_way = 4;

  pulse(const std::string& cluster, std::vector<artillery::endpoint> replicas);
  pulse(const pulse&) = delete;
  pulse& operator=(const pulse&) = delete;
  ~pulse();

  /// Reads at this node from now on. Reads that fail are not answers; they are tried again.
  void read_at(const artillery::node_id& node);

  /// Waits for a write that begins after `moment` to be acknowledged; false when none is within `limit`.
  [[nodiscard]] bool wait_for_write_after(artillery::time_point moment, artillery::duration limit);
  [[nodiscard]] std::vector<artillery::time_point> writes() const;
  [[nodiscard]] std::vector<artillery::time_point> reads_at(const artillery::node_id& node) const;
  /// Writes that ended with an error, whatever error.
  [[nodiscard]] std::uint64_t failed_writes() const;
  /// Forgets the times of answers so far.
  void forget();

private:
  void write_next();
  void read_next(const artillery::node_id& node);
  void written(artillery::time_point began, std::error_code error);

  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
  artillery::replication::client client_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<artillery::time_point> writes_;
  artillery::time_point last_began_{};
  std::map<artillery::node_id, std::vector<artillery::time_point>> reads_;
  std::uint64_t failed_writes_ = 0;
  std::uint64_t count_ = 0;
  std::thread thread_;
};

}  // namespace failover
