#pragma once

#include <cstdint>

#include "artillery/metrics.hpp"

namespace artillery::membership {

/// What happened, counted since the start. Never part of a decision, nor of the state's hash.
struct counters {
  std::uint64_t datagrams_sent = 0;
  std::uint64_t datagram_bytes_sent = 0;
  std::uint64_t datagrams_received = 0;
  std::uint64_t frames_sent = 0;
  std::uint64_t frames_received = 0;
  std::uint64_t dropped_malformed = 0;
  std::uint64_t dropped_unsupported_version = 0;
  std::uint64_t dropped_wrong_cluster = 0;
  std::uint64_t dropped_checksum_mismatch = 0;
  std::uint64_t dropped_unknown_origin = 0;  ///< user events of members not known here
  std::uint64_t dropped_over_limit = 0;      ///< news, requests or streams above a limit
  std::uint64_t refused_forged = 0;          ///< incarnations and numbers too far ahead to be true
  std::uint64_t refused_by_application = 0;  ///< claims of those whom `config::accept` does not let in
  std::uint64_t id_conflicts = 0;            ///< claims of a later life under our own id
  std::uint64_t conflicts = 0;               ///< told to the application: two with one name, or one id
  std::uint64_t probes = 0;
  std::uint64_t probes_unanswered = 0;
  std::uint64_t probes_indirect = 0;  ///< probes that others were asked to help with
  std::uint64_t suspicions = 0;
  std::uint64_t refutations = 0;
  std::uint64_t failures_declared = 0;
  std::uint64_t pauses_noticed = 0;
  std::uint64_t gossips_sent = 0;
  std::uint64_t group_datagrams_sent = 0;  ///< to `config::group`
  std::uint64_t push_pulls = 0;
  std::uint64_t view_repairs = 0;
  std::uint64_t event_repairs = 0;
  std::uint64_t gossips_delayed = 0;  ///< rounds that would have gone beyond the bytes of a second
  std::uint64_t events_delayed = 0;   ///< datagrams that could not carry any for that reason
  std::uint64_t events_broadcast = 0;
  std::uint64_t events_received = 0;
  std::uint64_t events_duplicate = 0;
  std::uint64_t events_skipped = 0;
  std::uint64_t events_fetched = 0;  ///< attempts to fetch one
  std::uint64_t messages_sent = 0;
  std::uint64_t messages_received = 0;
  std::uint64_t messages_duplicate = 0;
  std::uint64_t queries_asked = 0;
  std::uint64_t queries_heard = 0;
  std::uint64_t answers_sent = 0;
  std::uint64_t answers_received = 0;

  void visit(const metric_visitor& visitor) const {
    visitor("membership.datagrams_sent", datagrams_sent);
    visitor("membership.datagram_bytes_sent", datagram_bytes_sent);
    visitor("membership.datagrams_received", datagrams_received);
    visitor("membership.frames_sent", frames_sent);
    visitor("membership.frames_received", frames_received);
    visitor("membership.dropped.malformed", dropped_malformed);
    visitor("membership.dropped.unsupported_version", dropped_unsupported_version);
    visitor("membership.dropped.wrong_cluster", dropped_wrong_cluster);
    visitor("membership.dropped.checksum_mismatch", dropped_checksum_mismatch);
    visitor("membership.dropped.unknown_origin", dropped_unknown_origin);
    visitor("membership.dropped.over_limit", dropped_over_limit);
    visitor("membership.refused_forged", refused_forged);
    visitor("membership.refused_by_application", refused_by_application);
    visitor("membership.id_conflicts", id_conflicts);
    visitor("membership.conflicts", conflicts);
    visitor("membership.probes", probes);
    visitor("membership.probes_unanswered", probes_unanswered);
    visitor("membership.probes_indirect", probes_indirect);
    visitor("membership.suspicions", suspicions);
    visitor("membership.refutations", refutations);
    visitor("membership.failures_declared", failures_declared);
    visitor("membership.pauses_noticed", pauses_noticed);
    visitor("membership.gossips_sent", gossips_sent);
    visitor("membership.group_datagrams_sent", group_datagrams_sent);
    visitor("membership.push_pulls", push_pulls);
    visitor("membership.view_repairs", view_repairs);
    visitor("membership.event_repairs", event_repairs);
    visitor("membership.gossips_delayed", gossips_delayed);
    visitor("membership.events_delayed", events_delayed);
    visitor("membership.events_broadcast", events_broadcast);
    visitor("membership.events_received", events_received);
    visitor("membership.events_duplicate", events_duplicate);
    visitor("membership.events_skipped", events_skipped);
    visitor("membership.events_fetched", events_fetched);
    visitor("membership.messages_sent", messages_sent);
    visitor("membership.messages_received", messages_received);
    visitor("membership.messages_duplicate", messages_duplicate);
    visitor("membership.queries_asked", queries_asked);
    visitor("membership.queries_heard", queries_heard);
    visitor("membership.answers_sent", answers_sent);
    visitor("membership.answers_received", answers_received);
  }
};

}  // namespace artillery::membership
