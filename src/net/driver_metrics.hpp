#pragma once

#include <string>

#include "artillery/metrics.hpp"
#include "net/datagram_socket.hpp"
#include "net/framed_stream.hpp"

// The transports' counters under their public names.

namespace artillery::net {

/// Adds the figures of one socket to those of several.
void add(datagram_counters& sum, const datagram_counters& one);

void visit_counters(const std::string& prefix, const datagram_counters& counters, const metric_visitor& visit);
void visit_counters(const std::string& prefix, const stream_counters& counters, const metric_visitor& visit);

}  // namespace artillery::net
