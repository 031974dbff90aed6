#pragma once

#include <csignal>

namespace simulator {

/// While there is one of these, the first Ctrl-C is taken note of and a second one ends the process: what takes long
/// stops early and still tells what it came to.
class interruption {
public:
  interruption();
  interruption(const interruption&) = delete;
  interruption& operator=(const interruption&) = delete;
  ~interruption();

  /// From any thread.
  [[nodiscard]] bool has_come() const noexcept;

private:
  struct sigaction before_{};
};

}  // namespace simulator
