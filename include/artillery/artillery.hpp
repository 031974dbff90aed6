#pragma once

/// Everything, for users who want one include. The library's own code includes what it uses instead.

#include "artillery/bytes.hpp"
#include "artillery/clock.hpp"
#include "artillery/discovery.hpp"
#include "artillery/effects.hpp"
#include "artillery/endpoint.hpp"
#include "artillery/error.hpp"
#include "artillery/logging.hpp"
#include "artillery/membership.hpp"
#include "artillery/metrics.hpp"
#include "artillery/node.hpp"
#include "artillery/node_id.hpp"
#include "artillery/replication.hpp"
#include "artillery/replication/quorum_authority.hpp"
#include "artillery/sim.hpp"
#include "artillery/version.hpp"
