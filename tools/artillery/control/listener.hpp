#pragma once

#include <string>

#include "control/file_descriptor.hpp"

namespace tool::control {

/// The agent's end: a listening Unix socket with mode 0600, and a lock beside it (`<path>.lock`) that tells a living
/// agent from what a killed one left behind. Both files go with it.
class listener {
public:
  /// Fails when an agent is running there (the text names its process), when something that is not a socket is in the
  /// way, or when the system refuses.
  explicit listener(const std::string& path);
  listener(const listener&) = delete;
  listener& operator=(const listener&) = delete;
  ~listener();

  /// Gives the listening descriptor away; the files stay in this object's care.
  [[nodiscard]] int release() noexcept { return socket_.release(); }

private:
  void lock();
  void remove_stale() const;
  void bind();

  std::string path_;
  std::string lock_path_;
  file_descriptor lock_;
  file_descriptor socket_;
};

}  // namespace tool::control
