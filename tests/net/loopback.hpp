#pragma once

#include "artillery/endpoint.hpp"

/// This host as it knows itself, at a port that the system picks.
namespace artillery::net {

inline const endpoint loopback = endpoint::v4(127, 0, 0, 1, 0);
inline const endpoint loopback_v6 = endpoint::v6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 0);

}  // namespace artillery::net
