#pragma once

#include "artillery/replication/types.hpp"
#include "base/cursor.hpp"
#include "replication/view_authority.hpp"

// The parts that the register's messages and the voter's file share.

namespace artillery::replication {

void put_ballot(detail::writer& out, const ballot& value);
[[nodiscard]] ballot take_ballot(detail::reader& in) noexcept;

/// A view that `check_view` finds sound; a reader that finds anything else fails.
void put_view(detail::writer& out, const view& value);
[[nodiscard]] view take_view(detail::reader& in);

}  // namespace artillery::replication
