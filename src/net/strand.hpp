#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/strand.hpp>

namespace artillery::net {

/// What one object's handlers run on, one at a time.
using strand = asio::strand<asio::any_io_executor>;

}  // namespace artillery::net
