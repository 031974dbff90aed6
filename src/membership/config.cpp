#include "artillery/membership/types.hpp"

namespace artillery::membership {

using namespace std::chrono_literals;

std::string_view to_string(member_state state) noexcept {
  switch (state) {
    case member_state::alive: return "alive";
    case member_state::suspect: return "suspect";
    case member_state::failed: return "failed";
    case member_state::left: return "left";
  }
  return "unknown";
}

config config::lan() {
  return {};
}

config config::wan() {
  config c;
  // memberlist's values: round trips of hundreds of milliseconds, and tunnels that shrink datagrams.
  c.probe_interval = 5s;
  c.probe_timeout = 3s;
  c.suspicion_mult = 6;
  c.gossip_interval = 500ms;
  c.gossip_fanout = 4;
  c.gossip_to_failed = 60s;
  c.push_pull_interval = 60s;
  c.push_spacing = 50ms;
  c.reconnect_interval = 15s;
  c.leave_timeout = 15s;
  c.stream_timeout = 30s;
  c.gap_wait = 10s;
  c.datagram_max = 1'200;
  return c;
}

config config::local() {
  config c;
  c.bind = endpoint::v4(127, 0, 0, 1, 0);
  c.probe_interval = 200ms;
  c.probe_timeout = 100ms;
  c.suspicion_mult = 2;
  c.gossip_interval = 50ms;
  c.gossip_to_failed = 10s;
  c.push_pull_interval = 10s;
  c.push_spacing = 2ms;
  c.reconnect_interval = 1s;
  c.seed_retry = 200ms;
  c.seed_retry_max = 5s;
  c.leave_timeout = 1s;
  c.stream_timeout = 2s;
  c.gap_wait = 1s;
  return c;
}

namespace {

/// The first thing that is wrong, in words.
class complaint {
public:
  void unless(bool sound, std::string_view what) {
    if (!sound && text_.empty()) text_ = what;
  }
  [[nodiscard]] std::string text() && { return std::move(text_); }

private:
  std::string text_;
};

}  // namespace

std::size_t size_of(const tag_map& tags) noexcept {
  std::size_t size = 0;
  for (const auto& [key, value] : tags) size += key.size() + value.size() + 2;
  return size;
}

std::string config::validate() const {
  complaint c;
  c.unless(!cluster.empty() && cluster.size() <= name_size_max, "cluster must have 1 to 64 bytes");
  c.unless(name.size() <= name_size_max, "name must have at most 64 bytes");
  c.unless(size_of(tags) <= tags_size_max, "tags must have at most 256 bytes, counting two for each entry");
  c.unless(probe_interval >= 10ms && probe_interval <= 1h, "probe_interval must be 10 ms to 1 h");
  c.unless(probe_timeout >= 1ms && probe_timeout < probe_interval,
           "probe_timeout must be at least 1 ms and shorter than probe_interval");
  c.unless(indirect_probes <= 16, "indirect_probes must be 0 to 16");
  c.unless(suspicion_mult >= 1 && suspicion_mult <= 100, "suspicion_mult must be 1 to 100");
  c.unless(suspicion_max_mult >= 1 && suspicion_max_mult <= 100, "suspicion_max_mult must be 1 to 100");
  c.unless(awareness_max <= 64, "awareness_max must be 0 to 64");
  c.unless(gossip_interval >= 1ms && gossip_interval <= 1min, "gossip_interval must be 1 ms to 1 min");
  c.unless(gossip_fanout >= 1 && gossip_fanout <= 16, "gossip_fanout must be 1 to 16");
  c.unless(retransmit_mult >= 1 && retransmit_mult <= 32, "retransmit_mult must be 1 to 32");
  c.unless(push_spacing >= 0ms && push_spacing <= gossip_interval, "push_spacing must be 0 to gossip_interval");
  c.unless(gossip_to_failed >= 0s && gossip_to_failed <= tombstone, "gossip_to_failed must be 0 to tombstone");
  c.unless(push_pull_interval >= 100ms && push_pull_interval <= 24h, "push_pull_interval must be 100 ms to 24 h");
  c.unless(reconnect_interval >= 100ms && reconnect_interval <= 24h, "reconnect_interval must be 100 ms to 24 h");
  c.unless(tombstone >= probe_interval * 10 && tombstone <= 24h * 365,
           "tombstone must be at least 10 probe intervals and at most a year");
  c.unless(datagram_max >= datagram_size_least && datagram_max <= datagram_size_most,
           "datagram_max must be 508 to 8900");
  c.unless(group == endpoint{} || !group.none(), "group must have a port");
  c.unless(group == endpoint{} || group.is_v6() == bind.is_v6(), "group must be of the same family as bind");
  c.unless(bytes_per_second_max >= 16 * (std::size_t{gossip_fanout} + 1) * datagram_max,
           "bytes_per_second_max must be at least 16 datagrams for each of gossip_fanout + 1 members");
  c.unless(seed_retry >= 10ms && seed_retry <= seed_retry_max, "seed_retry must be 10 ms to seed_retry_max");
  c.unless(seed_retry_max <= 24h, "seed_retry_max must be at most 24 h");
  c.unless(leave_timeout >= 0s && leave_timeout <= 1h, "leave_timeout must be 0 to 1 h");
  c.unless(stream_timeout >= 100ms && stream_timeout <= 1h, "stream_timeout must be 100 ms to 1 h");
  c.unless(gap_wait >= 10ms && gap_wait <= 1h, "gap_wait must be 10 ms to 1 h");
  c.unless(events_kept_max >= 1, "events_kept_max must be at least 1");
  c.unless(broadcasts_max >= 1, "broadcasts_max must be at least 1");
  c.unless(events_replayed <= events_kept_max, "events_replayed must be at most events_kept_max");
  c.unless(event_size_max <= std::size_t{64} << 20U, "event_size_max must be at most 64 MiB");
  c.unless(broadcast_bytes_max >= event_size_max && broadcast_bytes_max >= datagram_max,
           "broadcast_bytes_max must be at least event_size_max and datagram_max");
  c.unless(message_size_max >= 1 && message_size_max <= std::size_t{64} << 20U, "message_size_max must be 1 to 64 MiB");
  c.unless(messages_max >= 1 && messages_max <= 1'024, "messages_max must be 1 to 1024");
  c.unless(messages_bytes_max >= message_size_max, "messages_bytes_max must be at least message_size_max");
  c.unless(queries_max >= 1 && queries_max <= 1'024, "queries_max must be 1 to 1024");
  c.unless(members_max >= 1, "members_max must be at least 1");
  c.unless(seeds_max >= 1, "seeds_max must be at least 1");
  c.unless(streams_max >= 1, "streams_max must be at least 1");
  c.unless(event_queue_max >= 1, "event_queue_max must be at least 1");
  return std::move(c).text();
}

}  // namespace artillery::membership
