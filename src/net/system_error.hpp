#pragma once

#include <asio/error.hpp>
#include <system_error>

namespace artillery::net {

/// A system's error as the standard library names it: standalone Asio has a category of its own, whose codes do not
/// compare equal to `std::errc`. Cancellation stays Asio's, as its users expect.
[[nodiscard]] inline std::error_code standard(std::error_code error) noexcept {
  if (error.category() != asio::error::get_system_category() || error == asio::error::operation_aborted) return error;
  return {error.value(), std::system_category()};
}

}  // namespace artillery::net
