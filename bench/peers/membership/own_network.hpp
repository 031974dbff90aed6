#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "control/file_descriptor.hpp"

namespace peers {

/// Datagrams sent, and what was in them.
struct traffic {
  std::uint64_t datagrams = 0;
  std::uint64_t payload_bytes = 0;
};

/// A network namespace with nothing but a loopback device. It has no name: it goes with this object and the processes
/// in it, however they end. Needs root, and the commands `ip` and `iptables`.
class own_network {
public:
  /// What is missing on this machine to make one; empty when nothing is.
  [[nodiscard]] static std::string missing();

  /// What the commands have to say goes to the file `remarks`. Throws tool::failure.
  explicit own_network(std::string remarks);

  /// From now on this thread opens sockets and starts processes in it.
  void enter() const;

  /// Loses so many of a hundred datagrams, drawn one by one. 0: none any more.
  void lose(unsigned percent) const;
  /// What was sent since it exists.
  [[nodiscard]] traffic sent() const;

private:
  void require(const std::vector<std::string>& words) const;

  std::string remarks_;
  tool::control::file_descriptor space_;
};

}  // namespace peers
