#pragma once

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <system_error>

namespace tool::control {

/// The process at the other end of a Unix socket, as the kernel noted it when the connection was made (of a listener:
/// when it began to listen). Nothing when the kernel does not say.
[[nodiscard]] inline std::optional<ucred> peer_of(int socket) noexcept {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return std::nullopt;
  return peer;
}

/// The address of a path that `require_bindable` let pass.
[[nodiscard]] inline sockaddr_un address_of(const std::string& path) noexcept {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), std::min(path.size(), sizeof address.sun_path - 1));
  return address;
}

}  // namespace tool::control
