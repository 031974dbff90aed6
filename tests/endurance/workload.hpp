#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "artillery/replication.hpp"
#include "base/random.hpp"
#include "sim/history.hpp"

namespace endurance {

/// What a run is made of.
struct workload_options {
  std::uint64_t operations = 1'000'000;
  std::size_t keys = 1'000;
  std::size_t clients = 8;
  std::size_t depth = 16;  ///< operations under way per client
  std::uint64_t seed = 1;
  artillery::duration pause{};  ///< of each of them between an answer and the next call
  /// Half of the reads go to a replica that the client names, and wait for that one.
  bool names_replicas = true;
  /// Eventual reads may show what is lost when the view changes.
  bool reads_eventually = true;
};

/// Clients that read and write a chain at random, and the history of what they saw.
///
/// Single-threaded: everything runs on the one context that the clients were given.
class workload {
public:
  workload(const asio::any_io_executor& executor, const std::string& cluster, const artillery::replication::view& chain,
           const workload_options& options);
  ~workload();

  void start();
  /// No further operations; `when_over` is called once those under way are.
  void stop(std::function<void()> when_over);
  [[nodiscard]] bool finished() const noexcept { return completed_ == options_.operations; }
  [[nodiscard]] std::uint64_t completed() const noexcept { return completed_; }
  [[nodiscard]] std::uint64_t failed() const noexcept { return failed_; }
  [[nodiscard]] std::uint64_t bytes_moved() const noexcept { return bytes_moved_; }
  [[nodiscard]] const artillery::sim::history& operations() const noexcept { return history_; }
  /// When writes were acknowledged, ascending.
  [[nodiscard]] const std::vector<artillery::time_point>& acknowledged() const noexcept { return acknowledged_; }
  /// Values that did not come back as they were written.
  [[nodiscard]] std::uint64_t damaged() const noexcept { return damaged_; }
  /// Strong reads, and how many of them a replica answered without a message to another.
  [[nodiscard]] std::uint64_t strong_reads() const noexcept { return strong_reads_; }
  [[nodiscard]] std::uint64_t local_strong_reads() const noexcept { return local_strong_reads_; }

  /// Ends a client in the midst of its operations, and puts another in its place.
  void replace_client(std::size_t client);
  /// Operations that were under way then. Of the writes among them nobody knows whether they happened.
  [[nodiscard]] std::uint64_t abandoned() const noexcept { return abandoned_; }

private:
  [[nodiscard]] std::unique_ptr<artillery::replication::client> new_client() const;
  void next(std::size_t client);
  void next_after_pause(std::size_t client);
  void read(std::size_t client, std::size_t slot);
  void write(std::size_t client, std::size_t slot);
  void read_done(std::size_t slot, std::error_code error, const artillery::replication::read_result& result);
  void write_done(std::size_t slot, std::error_code error, const artillery::replication::write_result& result);
  void fail(std::size_t slot, std::error_code error);
  void finish(std::size_t slot);
  [[nodiscard]] std::string new_name(std::size_t client);

  asio::any_io_executor executor_;
  workload_options options_;
  artillery::replication::client_config config_;
  artillery::replication::view chain_;
  artillery::detail::random random_;
  std::vector<std::unique_ptr<artillery::replication::client>> clients_;
  std::vector<artillery::replication::version> seen_;  // by key: what a compare-and-swap expects
  artillery::sim::history history_;
  std::vector<artillery::time_point> acknowledged_;
  std::function<void()> when_over_;
  std::uint64_t order_ = 0;
  std::uint64_t names_ = 0;
  std::uint64_t completed_ = 0;
  std::uint64_t failed_ = 0;
  std::uint64_t replaced_ = 0;
  std::uint64_t abandoned_ = 0;
  std::uint64_t damaged_ = 0;
  std::uint64_t bytes_moved_ = 0;
  std::uint64_t strong_reads_ = 0;
  std::uint64_t local_strong_reads_ = 0;
};

}  // namespace endurance
