#pragma once

#include <unistd.h>

#include <asio/io_context.hpp>
#include <asio/ip/udp.hpp>
#include <cstdint>
#include <stdexcept>
#include <system_error>

namespace tests {

/// A UDP port for discovery that no other test has and nobody uses. It is below the range from which systems give ports
/// away: one of that range may go, before its test binds it, to any socket of a test that runs beside it, and that
/// one does not share it.
inline std::uint16_t own_port() {
  constexpr std::uint32_t first = 20'000;
  constexpr std::uint32_t processes = 1'000;  // tests that run side by side have numbers closer than that
  constexpr std::uint32_t of_each = 10;
  static std::uint32_t taken = 0;
  asio::io_context context;
  for (std::uint32_t i = 0; i < of_each; ++i) {
    const std::uint32_t process = static_cast<std::uint32_t>(::getpid()) % processes;
    const auto port = static_cast<std::uint16_t>(first + process * of_each + taken++ % of_each);
    asio::ip::udp::socket probe{context, asio::ip::udp::v4()};
    std::error_code error;
    probe.bind({asio::ip::udp::v4(), port}, error);
    if (!error) return port;
  }
  throw std::runtime_error{"somebody uses all the ports that this test could have"};
}

}  // namespace tests
