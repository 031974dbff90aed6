#pragma once

#include <cstdint>
#include <string>

#include "control/file_descriptor.hpp"

/// What a run takes from the system for itself alone, and gives back.
namespace demo {

/// A directory that goes with this object.
class scratch_directory {
public:
  scratch_directory();
  scratch_directory(const scratch_directory&) = delete;
  scratch_directory& operator=(const scratch_directory&) = delete;
  ~scratch_directory();
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

private:
  std::string path_;
};

/// Readable once SIGINT, SIGTERM or SIGHUP came; they end nothing by themselves any more.
[[nodiscard]] tool::control::file_descriptor interrupts();

/// A UDP port that nobody uses, of those that the system gives to nobody by itself. Another run may take the same one
/// and no harm is done: discovery shares its port, and the cluster's name is this run's alone.
[[nodiscard]] std::uint16_t free_discovery_port();

/// The command that was built with this program: ../artillery/artillery beside it.
[[nodiscard]] std::string command_beside_us();

}  // namespace demo
