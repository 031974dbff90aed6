#pragma once

#include "artillery/discovery/types.hpp"
#include "artillery/membership.hpp"

namespace artillery::detail {

/// Gives `to` what discovery found, but for this node's own announcement (none: whatever it is).
void add_seeds(const discovery::event& what, const node_id& own, membership::cluster& to);

}  // namespace artillery::detail
