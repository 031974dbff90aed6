#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace artillery {

/// Where a node listens: an IPv4 or IPv6 address and a port, as a plain value. Names are resolved before they become
/// one.
///
/// The default is 0.0.0.0:0, which means "none".
class endpoint {
public:
  constexpr endpoint() noexcept = default;

  [[nodiscard]] static constexpr endpoint v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d,
                                             std::uint16_t port) noexcept {
    endpoint result;
    result.address_[0] = a;
    result.address_[1] = b;
    result.address_[2] = c;
    result.address_[3] = d;
    result.port_ = port;
    return result;
  }
  [[nodiscard]] static constexpr endpoint v4(std::array<std::uint8_t, 4> address, std::uint16_t port) noexcept {
    return v4(address[0], address[1], address[2], address[3], port);
  }
  /// `scope` is the interface index of a link-local address, 0 for any other.
  [[nodiscard]] static constexpr endpoint v6(std::array<std::uint8_t, 16> address, std::uint16_t port,
                                             std::uint32_t scope = 0) noexcept {
    endpoint result;
    result.address_ = address;
    result.port_ = port;
    result.scope_ = scope;
    result.is_v6_ = true;
    return result;
  }

  [[nodiscard]] constexpr bool is_v6() const noexcept { return is_v6_; }
  [[nodiscard]] constexpr std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] constexpr std::uint32_t scope() const noexcept { return scope_; }
  /// Sixteen bytes in network order; of an IPv4 address the first four count.
  [[nodiscard]] constexpr const std::array<std::uint8_t, 16>& address() const noexcept { return address_; }

  [[nodiscard]] constexpr endpoint with_port(std::uint16_t port) const noexcept {
    endpoint result = *this;
    result.port_ = port;
    return result;
  }
  /// No port: nobody can listen there.
  [[nodiscard]] constexpr bool none() const noexcept { return port_ == 0; }
  /// The wildcard address, 0.0.0.0 or ::.
  [[nodiscard]] bool is_any() const noexcept;
  /// 127.0.0.0/8 or ::1.
  [[nodiscard]] bool is_loopback() const noexcept;
  /// 224.0.0.0/4 or ff00::/8.
  [[nodiscard]] bool is_multicast() const noexcept;

  friend constexpr bool operator==(const endpoint&, const endpoint&) noexcept = default;
  friend constexpr std::strong_ordering operator<=>(const endpoint&, const endpoint&) noexcept = default;

private:
  std::array<std::uint8_t, 16> address_{};
  std::uint32_t scope_ = 0;
  std::uint16_t port_ = 0;
  bool is_v6_ = false;
};

/// `192.0.2.1:7000`, `[2001:db8::1]:7000` or `[fe80::1%3]:7000`.
[[nodiscard]] std::string to_string(const endpoint& value);

/// Reads what `to_string` writes, and no names; nothing for anything else.
[[nodiscard]] std::optional<endpoint> parse_endpoint(std::string_view text);

}  // namespace artillery
