// What a configuration may say: each limit is named when it is overstepped, and itself allowed.
#include "catch.hpp"
#include "membership/core.hpp"

using namespace artillery;
using namespace std::chrono_literals;
using membership::config;

namespace {

template <class Change>
std::string complaint_of(Change change) {
  config c;
  change(c);
  return c.validate();
}

}  // namespace

TEST_CASE("the presets are sound, and fit what they are for", "[membership][config]") {
  for (const config& c : {config{}, config::lan(), config::wan(), config::local()}) CHECK(c.validate().empty());
  CHECK(config::lan().datagram_max == 1'400);
  CHECK(config::wan().datagram_max == 1'200);
  CHECK(config::wan().probe_timeout > config::lan().probe_timeout);
  CHECK(config::local().probe_interval < config::lan().probe_interval);
  CHECK(config::local().bind == endpoint::v4(127, 0, 0, 1, 0));
}

TEST_CASE("what oversteps a limit is named", "[membership][config]") {
  using change = void (*)(config&);
  const auto [name, overstep] = GENERATE(Catch::Generators::table<const char*, change>({
      {"cluster", [](config& c) { c.cluster.clear(); }},
      {"cluster", [](config& c) { c.cluster.assign(65, 'x'); }},
      {"name", [](config& c) { c.name.assign(65, 'x'); }},
      {"tags", [](config& c) { c.tags = {{"k", std::string(254, 'x')}}; }},
      {"probe_interval", [](config& c) { c.probe_interval = 9ms; }},
      {"probe_interval", [](config& c) { c.probe_interval = 61min; }},
      {"probe_timeout", [](config& c) { c.probe_timeout = c.probe_interval; }},
      {"probe_timeout", [](config& c) { c.probe_timeout = 0ms; }},
      {"indirect_probes", [](config& c) { c.indirect_probes = 17; }},
      {"suspicion_mult", [](config& c) { c.suspicion_mult = 0; }},
      {"suspicion_max_mult", [](config& c) { c.suspicion_max_mult = 101; }},
      {"awareness_max", [](config& c) { c.awareness_max = 65; }},
      {"gossip_interval", [](config& c) { c.gossip_interval = 0ms; }},
      {"gossip_fanout", [](config& c) { c.gossip_fanout = 0; }},
      {"gossip_fanout", [](config& c) { c.gossip_fanout = 17; }},
      {"retransmit_mult", [](config& c) { c.retransmit_mult = 33; }},
      {"push_spacing", [](config& c) { c.push_spacing = c.gossip_interval + 1ms; }},
      {"gossip_to_failed", [](config& c) { c.gossip_to_failed = c.tombstone + 1s; }},
      {"push_pull_interval", [](config& c) { c.push_pull_interval = 99ms; }},
      {"reconnect_interval", [](config& c) { c.reconnect_interval = 25h; }},
      {"tombstone", [](config& c) { c.tombstone = 24h * 366; }},
      {"datagram_max", [](config& c) { c.datagram_max = membership::datagram_size_least - 1; }},
      {"datagram_max", [](config& c) { c.datagram_max = membership::datagram_size_most + 1; }},
      {"group", [](config& c) { c.group = endpoint::v4(239, 1, 2, 3, 0); }},
      {"group", [](config& c) { c.group = *parse_endpoint("[ff02::7]:7947"); }},
      {"bytes_per_second_max", [](config& c) { c.bytes_per_second_max = 64 * c.datagram_max - 1; }},
      {"seed_retry", [](config& c) { c.seed_retry = c.seed_retry_max + 1s; }},
      {"seed_retry_max", [](config& c) { c.seed_retry_max = 25h; }},
      {"leave_timeout", [](config& c) { c.leave_timeout = -1s; }},
      {"stream_timeout", [](config& c) { c.stream_timeout = 0s; }},
      {"gap_wait", [](config& c) { c.gap_wait = 0s; }},
      {"events_kept_max", [](config& c) { c.events_kept_max = 0; }},
      {"broadcasts_max", [](config& c) { c.broadcasts_max = 0; }},
      {"events_replayed", [](config& c) { c.events_replayed = c.events_kept_max + 1; }},
      {"event_size_max", [](config& c) { c.event_size_max = (std::size_t{64} << 20U) + 1; }},
      {"broadcast_bytes_max", [](config& c) { c.broadcast_bytes_max = c.event_size_max - 1; }},
      {"message_size_max", [](config& c) { c.message_size_max = 0; }},
      {"messages_max", [](config& c) { c.messages_max = 1'025; }},
      {"messages_bytes_max", [](config& c) { c.messages_bytes_max = c.message_size_max - 1; }},
      {"queries_max", [](config& c) { c.queries_max = 0; }},
      {"members_max", [](config& c) { c.members_max = 0; }},
      {"seeds_max", [](config& c) { c.seeds_max = 0; }},
      {"streams_max", [](config& c) { c.streams_max = 0; }},
      {"event_queue_max", [](config& c) { c.event_queue_max = 0; }},
  }));
  CAPTURE(name);
  CHECK(complaint_of(overstep).find(name) == 0);
}

TEST_CASE("the limits themselves are allowed", "[membership][config]") {
  CHECK(complaint_of([](config& c) { c.cluster.assign(membership::name_size_max, 'x'); }).empty());
  CHECK(complaint_of([](config& c) { c.name.assign(membership::name_size_max, 'x'); }).empty());
  CHECK(complaint_of([](config& c) { c.tags = {{"k", std::string(membership::tags_size_max - 3, 'x')}}; }).empty());
  CHECK(complaint_of([](config& c) { c.datagram_max = membership::datagram_size_least; }).empty());
  CHECK(complaint_of([](config& c) { c.datagram_max = membership::datagram_size_most; }).empty());
  CHECK(complaint_of([](config& c) { c.bytes_per_second_max = 64 * c.datagram_max; }).empty());
  CHECK(complaint_of([](config& c) { c.events_replayed = c.events_kept_max; }).empty());
  CHECK(complaint_of([](config& c) { c.indirect_probes = 0; }).empty());
  CHECK(complaint_of([](config& c) { c.event_size_max = 0; }).empty());
}
