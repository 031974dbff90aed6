#include "artillery/endpoint.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace artillery {
namespace {

template <class Integer>
std::optional<Integer> parse_decimal(std::string_view text) {
  Integer value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

std::optional<endpoint> parse_v6(std::string_view host, std::uint16_t port) {
  std::uint32_t scope = 0;
  if (const auto percent = host.find('%'); percent != std::string_view::npos) {
    const auto index = parse_decimal<std::uint32_t>(host.substr(percent + 1));
    if (!index) return std::nullopt;
    scope = *index;
    host = host.substr(0, percent);
  }
  std::array<std::uint8_t, 16> address{};
  if (::inet_pton(AF_INET6, std::string{host}.c_str(), address.data()) != 1) return std::nullopt;
  return endpoint::v6(address, port, scope);
}

}  // namespace

bool endpoint::is_any() const noexcept {
  const auto count = is_v6_ ? 16 : 4;
  return std::all_of(address_.begin(), address_.begin() + count, [](std::uint8_t b) { return b == 0; });
}

bool endpoint::is_loopback() const noexcept {
  if (!is_v6_) return address_[0] == 127;
  return std::all_of(address_.begin(), address_.begin() + 15, [](std::uint8_t b) { return b == 0; }) &&
         address_[15] == 1;
}

bool endpoint::is_multicast() const noexcept {
  return is_v6_ ? address_[0] == 0xff : (address_[0] & 0xf0U) == 0xe0;
}

std::string to_string(const endpoint& value) {
  char buffer[INET6_ADDRSTRLEN] = {};
  ::inet_ntop(value.is_v6() ? AF_INET6 : AF_INET, value.address().data(), buffer, sizeof buffer);
  std::string out = buffer;
  if (value.is_v6()) {
    if (value.scope() != 0) out += '%' + std::to_string(value.scope());
    out = '[' + out + ']';
  }
  return out + ':' + std::to_string(value.port());
}

std::optional<endpoint> parse_endpoint(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = parse_decimal<std::uint16_t>(text.substr(colon + 1));
  std::string_view host = text.substr(0, colon);
  if (!port) return std::nullopt;
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']')
    return parse_v6(host.substr(1, host.size() - 2), *port);
  std::array<std::uint8_t, 4> address{};
  if (::inet_pton(AF_INET, std::string{host}.c_str(), address.data()) != 1) return std::nullopt;
  return endpoint::v4(address, *port);
}

}  // namespace artillery
