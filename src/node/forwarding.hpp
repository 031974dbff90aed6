#pragma once

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <type_traits>
#include <utility>

#include "artillery/detail/async.hpp"

namespace artillery::detail {

/// The handler of a part's operation that is a user's operation of the node: it hands its results on to the user, and
/// is cancelled by the user's slot.
template <class... Args>
[[nodiscard]] auto forwarding(completion<void(Args...)> to) {
  const asio::cancellation_slot slot = to.slot();
  return asio::bind_cancellation_slot(
      slot, [to = std::move(to)](std::decay_t<Args>... results) mutable { to(std::move(results)...); });
}

}  // namespace artillery::detail
