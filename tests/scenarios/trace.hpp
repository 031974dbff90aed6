#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "artillery/clock.hpp"

namespace artillery::scenarios {

/// What a scenario shows, line by line. Each line is of a kind (`append`, `ping`, `state` …) that a script can hide.
class trace {
public:
  /// With a clock every line starts with the time since `start_clock`.
  explicit trace(bool with_clock) : with_clock_{with_clock} {}

  void hide(const std::string& kind) { hidden_.insert(kind); }
  void show(const std::string& kind) { hidden_.erase(kind); }
  /// Nothing is told while it is muted.
  void mute(bool muted) { muted_ = muted; }
  void start_clock(time_point now) { began_ = now; }

  /// Says which command follows.
  void heading(const std::string& text);
  void tell(const std::string& kind, const std::string& text, time_point now);
  /// One message. The same to several in a row, at one time, becomes one line. `remark` says what became of it.
  void message(const std::string& kind, const std::string& from_and_arrow, const std::string& to,
               const std::string& text, const std::string& remark, time_point now);

  /// All lines so far.
  [[nodiscard]] std::string text();

private:
  struct pending_message {
    std::string from_and_arrow;
    std::string to;
    std::string what;
    time_point when;
  };

  [[nodiscard]] bool shown(const std::string& kind) const { return !muted_ && !hidden_.contains(kind); }
  void flush();
  void add(const std::string& text, time_point when);

  bool with_clock_;
  bool muted_ = false;
  std::set<std::string> hidden_;
  time_point began_{};
  std::optional<pending_message> pending_;
  std::string text_;
};

}  // namespace artillery::scenarios
