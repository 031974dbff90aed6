#pragma once

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "agent_reader.hpp"
#include "late_clients.hpp"
#include "read_record.hpp"
#include "workload.hpp"

namespace failover {

/// An agent as the traffic knows it.
struct place {
  std::string socket;
  artillery::replication::member replica;  ///< the incarnation is of no matter
};

/// All that goes on while faults happen, on a thread of its own: clients that read and write, strong reads at every
/// agent, and clients that come late to one replica. May be called from one other thread.
class traffic {
public:
  traffic(const std::string& cluster, const artillery::replication::view& chain, std::vector<place> agents,
          std::uint64_t seed);
  ~traffic();
  traffic(const traffic&) = delete;
  traffic& operator=(const traffic&) = delete;

  /// Something is done to the agent of that number; from now on clients come to it that know no other.
  void fault_begins(std::size_t agent);
  void fault_ends();

  /// The longest time without an acknowledged write between two moments, and across them.
  [[nodiscard]] artillery::duration longest_gap(artillery::time_point from, artillery::time_point to);
  /// Writes are acknowledged, and reads at that agent answered, that began after `moment`.
  [[nodiscard]] bool goes_on_since(artillery::time_point moment, std::size_t agent);
  /// Reads that were asked of that agent in this time, and that it answered afterwards.
  [[nodiscard]] std::size_t answers_after(std::size_t agent, artillery::time_point from, artillery::time_point to);

  /// What came of it all.
  struct outcome {
    artillery::sim::history operations;   ///< of all clients
    artillery::sim::history final_reads;  ///< of every object at every replica, last of all; among the former, too
    std::size_t damaged = 0;              ///< values that did not come back as they were written
    std::size_t failed = 0;               ///< reads and writes of the clients that go on that failed
    std::size_t acknowledged = 0;         ///< writes
  };
  /// Ends everything, waits for what is under way, and reads every object at every replica. Called once.
  [[nodiscard]] outcome finish();

private:
  void tick();
  void read_all(std::size_t agent, std::shared_ptr<std::promise<void>> done);
  template <class Question>
  [[nodiscard]] auto ask(Question question);

  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{context_.get_executor()};
  std::vector<place> agents_;
  artillery::replication::client_config config_;
  read_record reads_;
  read_record final_reads_;
  endurance::workload load_;
  std::vector<std::vector<std::unique_ptr<agent_reader>>> readers_;  ///< of each agent
  late_clients late_;
  std::unique_ptr<artillery::replication::client> last_client_;
  artillery::detail::random random_;
  asio::steady_timer timer_{context_};
  std::uint64_t ticks_ = 0;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace failover
