#pragma once

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <string>

namespace simulator {

/// Where a command writes: results to `out`, remarks to `err`, and progress there, too, when a terminal shows it.
struct console {
  std::ostream& out;
  std::ostream& err;
  bool terminal = false;
};

/// A line on the terminal that is written over and over, and vanishes with this.
class progress {
public:
  progress(const console& where, std::string what);
  progress(const progress&) = delete;
  progress& operator=(const progress&) = delete;
  ~progress();

  /// `done` of `total`, which makes a rate and the time left, and what else there is to say. No total: 0.
  void show(std::uint64_t done, std::uint64_t total, const std::string& remark);

private:
  const console& where_;
  std::string what_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point shown_;
};

}  // namespace simulator
