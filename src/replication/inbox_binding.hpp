#pragma once

#include <cstddef>
#include <mutex>
#include <utility>
#include <vector>

namespace artillery::replication {

/// Calls of the user's, from any thread, on their way to a core: whatever is begun before the strand gets round to it
/// goes in one step, however many calls that are.
template <class Call>
class inbox {
public:
  enum class taken {
    first,   ///< the caller posts what takes them all
    joined,  ///< somebody has posted it
    full
  };

  /// Beyond `calls_max` calls it is full.
  explicit inbox(std::size_t calls_max) : calls_max_{calls_max} {}

  /// `call` is moved from unless it is full.
  [[nodiscard]] taken put(Call& call) {
    const std::lock_guard guard{mutex_};
    if (calls_.size() >= calls_max_) return taken::full;
    calls_.push_back(std::move(call));
    return std::exchange(awaited_, true) ? taken::joined : taken::first;
  }

  /// All that are there; `into` is empty and lends its memory to those that come.
  void take(std::vector<Call>& into) {
    const std::lock_guard guard{mutex_};
    awaited_ = false;
    calls_.swap(into);
  }

private:
  const std::size_t calls_max_;
  std::mutex mutex_;
  std::vector<Call> calls_;
  bool awaited_ = false;
};

}  // namespace artillery::replication
