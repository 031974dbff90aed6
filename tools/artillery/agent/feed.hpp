#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/report.hpp"

namespace tool::agent {

/// What a listener wants to hear of.
struct interest {
  std::vector<std::string> kinds;    ///< empty: all
  std::optional<std::string> topic;  ///< of user events; nothing: all

  [[nodiscard]] bool covers(const report& what) const;
};

/// One listener's events that it has not taken yet. When it is too slow the oldest go, and one `overflow` event says
/// how many.
class subscription {
public:
  static constexpr std::size_t events_max = 1024;

  /// `wake` is called when an event comes to an empty queue.
  subscription(interest wanted, std::function<void()> wake) : wanted_{std::move(wanted)}, wake_{std::move(wake)} {}

  void offer(const report& what);
  /// The next line, with its newline; nothing when there is none.
  [[nodiscard]] std::optional<std::string> take();

private:
  interest wanted_;
  std::function<void()> wake_;
  std::deque<std::string> lines_;
  std::uint64_t lost_ = 0;
};

/// Hands each event to all who listen. A subscription ends when its owner lets go of it.
class feed {
public:
  [[nodiscard]] std::shared_ptr<subscription> subscribe(interest wanted, std::function<void()> wake);
  void publish(const report& what);

private:
  std::vector<std::weak_ptr<subscription>> subscriptions_;
};

}  // namespace tool::agent
