#pragma once

#include <asio/cancellation_signal.hpp>
#include <asio/steady_timer.hpp>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <system_error>

#include "artillery/clock.hpp"
#include "artillery/node/types.hpp"
#include "artillery/replication.hpp"
#include "net/strand.hpp"

// Reads and writes that wait for a chain, or are under way.

namespace artillery::detail {

/// What calls are carried out with, once a chain is in force.
struct call_targets {
  std::shared_ptr<replication::replica> own;    ///< this node's replica, if reads should go to it
  std::shared_ptr<replication::client> client;  ///< none: there is no chain yet
  replication::routing reads;                   ///< of the client's
};

class call_table;

/// One read or write. It is completed exactly once.
class call : public std::enable_shared_from_this<call> {
public:
  explicit call(time_point deadline) noexcept : deadline_{deadline} {}
  call(const call&) = delete;
  call& operator=(const call&) = delete;
  virtual ~call() = default;

  /// Goes on with these; the table forgets it when it is done.
  virtual void begin(const call_targets& with, const std::shared_ptr<call_table>& table, std::uint64_t number) = 0;
  virtual void fail(std::error_code why) = 0;

  [[nodiscard]] time_point deadline() const noexcept { return deadline_; }
  /// By whoever waits for it; ends the operation that it is carried out by. On the table's strand.
  void cancel() {
    is_cancelled_ = true;
    cancellation_.emit(asio::cancellation_type::all);
  }

protected:
  [[nodiscard]] asio::cancellation_slot slot() noexcept { return cancellation_.slot(); }
  [[nodiscard]] bool is_cancelled() const noexcept { return is_cancelled_; }
  [[nodiscard]] duration time_left() const noexcept;

private:
  time_point deadline_;
  asio::cancellation_signal cancellation_;
  bool is_cancelled_ = false;
};

[[nodiscard]] std::shared_ptr<call> make_read(bytes key, replication::consistency level, const call_options& options,
                                              completion<void(std::error_code, replication::read_result)> done);
[[nodiscard]] std::shared_ptr<call> make_write(replication::write what, duration timeout,
                                               completion<void(std::error_code, replication::write_result)> done);

/// All calls of a node. `reserve` from any thread, everything else on the strand.
class call_table : public std::enable_shared_from_this<call_table> {
public:
  call_table(net::strand strand, std::size_t waiting_max);

  [[nodiscard]] const net::strand& executor() const noexcept { return strand_; }
  /// A name for a call that is about to start.
  [[nodiscard]] std::uint64_t reserve() noexcept { return next_.fetch_add(1, std::memory_order_relaxed); }

  /// Begins it, or lets it wait for a chain.
  void start(std::uint64_t number, std::shared_ptr<call> what);
  void cancel(std::uint64_t number);
  /// A chain is in force: begins what waits. With no client: no more; what comes waits.
  void serve(call_targets with);
  /// Fails what waits and, until `serve` or `wait_again`, what comes.
  void refuse(std::error_code why);
  void wait_again() noexcept { refusal_.clear(); }
  /// Fails everything, now and from now on.
  void close(std::error_code why);
  /// What carried a call out is gone before anything came of it: begins it anew. False once closed.
  [[nodiscard]] bool start_over(std::uint64_t number);
  /// A call is over.
  void forget(std::uint64_t number) { under_way_.erase(number); }

  [[nodiscard]] const call_targets& targets() const noexcept { return targets_; }
  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_.size(); }

private:
  using calls = std::map<std::uint64_t, std::shared_ptr<call>>;

  void fail_waiting(std::error_code why);
  void arm();
  void expire();

  net::strand strand_;
  std::size_t waiting_max_;
  std::atomic<std::uint64_t> next_{1};
  call_targets targets_;
  std::error_code refusal_;
  bool closed_ = false;
  calls waiting_;
  calls under_way_;
  std::multimap<time_point, std::uint64_t> deadlines_;  ///< of those that wait
  asio::steady_timer timer_;
};

}  // namespace artillery::detail
