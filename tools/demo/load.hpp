#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "artillery/clock.hpp"
#include "control/client.hpp"

namespace demo {

/// Writes that go on, one after the other, on a thread of their own, while other things happen.
class load {
public:
  /// Writes through the agent behind `client` from now on.
  explicit load(tool::control::client client);
  load(const load&) = delete;
  load& operator=(const load&) = delete;
  ~load();

  /// Waits for a write that begins after `moment` to be acknowledged. Fails when none is in time, or when a write was
  /// refused.
  void wait_for_write_after(artillery::time_point moment, artillery::duration limit);
  /// The longest time without an acknowledgement between the last one before `from` and the first one after `to`.
  [[nodiscard]] artillery::duration longest_gap(artillery::time_point from, artillery::time_point to) const;
  /// Ends it; how many writes were acknowledged.
  std::uint64_t stop();

  /// The object that is written, again and again: its value is how often.
  static constexpr const char* key = "demo/count";

private:
  void run();

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<artillery::time_point> acknowledged_;  ///< when, ascending
  artillery::time_point last_began_{};               ///< of those that were acknowledged
  std::optional<std::string> refused_;
  bool is_stopping_ = false;
  tool::control::client client_;
  std::thread thread_;
};

}  // namespace demo
