#include "net/driver_metrics.hpp"

namespace artillery::net {

void add(datagram_counters& sum, const datagram_counters& one) {
  sum.sent += one.sent;
  sum.bytes_sent += one.bytes_sent;
  sum.received += one.received;
  sum.bytes_received += one.bytes_received;
  sum.queued += one.queued;
  sum.dropped_full += one.dropped_full;
  sum.dropped_error += one.dropped_error;
  sum.truncated += one.truncated;
  sum.receive_errors += one.receive_errors;
  for (const auto& [code, count] : one.send_errors) sum.send_errors[code] += count;
}

void visit_counters(const std::string& prefix, const datagram_counters& counters, const metric_visitor& visit) {
  visit(prefix + "datagrams_sent", counters.sent);
  visit(prefix + "datagram_bytes_sent", counters.bytes_sent);
  visit(prefix + "datagrams_received", counters.received);
  visit(prefix + "datagram_bytes_received", counters.bytes_received);
  visit(prefix + "datagrams_queued", counters.queued);
  visit(prefix + "datagrams_dropped.full", counters.dropped_full);
  visit(prefix + "datagrams_dropped.error", counters.dropped_error);
  visit(prefix + "datagrams_dropped.truncated", counters.truncated);
  visit(prefix + "datagram_receive_errors", counters.receive_errors);
  for (const auto& [code, count] : counters.send_errors)
    visit(prefix + "datagram_send_errors." + std::to_string(code), count);
}

void visit_counters(const std::string& prefix, const stream_counters& counters, const metric_visitor& visit) {
  visit(prefix + "frames_sent", counters.frames_sent);
  visit(prefix + "frames_received", counters.frames_received);
  visit(prefix + "frames_dropped", counters.frames_dropped);
  visit(prefix + "stream_bytes_sent", counters.bytes_sent);
  visit(prefix + "stream_bytes_received", counters.bytes_received);
  visit(prefix + "stream_writes", counters.writes);
  visit(prefix + "stream_reads", counters.reads);
  visit(prefix + "streams_accepted", counters.accepted);
  visit(prefix + "streams_connected", counters.connected);
  visit(prefix + "streams_refused", counters.refused);
  visit(prefix + "streams_broken", counters.broken);
  visit(prefix + "stream_congestions", counters.congestions);
  visit(prefix + "stream_overflows", counters.overflows);
  visit(prefix + "stream_oversized_received", counters.oversized_received);
  visit(prefix + "stream_oversized_sent", counters.oversized_sent);
  visit(prefix + "stream_accept_errors", counters.accept_errors);
  visit(prefix + "stream_connect_failures", counters.connect_failures);
  visit(prefix + "stream_connect_timeouts", counters.connect_timeouts);
}

}  // namespace artillery::net
