#include "sim/membership_bounds.hpp"

#include <algorithm>

#include "base/log_table.hpp"
#include "membership/core.hpp"

namespace artillery::sim {
namespace {

/// e^-21 is below one in a billion.
constexpr std::size_t certainty = 21;

/// A digest that differs is seen by the next probe either way, and repaired in one exchange; the second and third allow
/// for a repair whose answer did not fit four datagrams.
constexpr int repair_rounds = 3;

constexpr std::size_t ping_size = 37;
constexpr std::size_t ack_size = 25;
/// A ping that carries the claim of its addressee's death.
constexpr std::size_t ping_to_dead_size = ping_size + 1 + 16 + 8 + 5 + 8;
/// Its answer where another process listens now, which introduces itself (with a short name and few tags).
constexpr std::size_t stranger_size = 13 + 4 + 1 + 16 + 8 + 5 + 50;

/// A word to a seed where no stream gets through.
constexpr std::size_t announce_size = 13 + 1 + 16 + 8 + 5 + 50;

/// A repair is four datagrams of what was missed at most, and a list.
constexpr std::uint64_t repair_max = 5;

/// Where a datagram says of what kind it is, and in which bits.
constexpr std::size_t kind_at = 2;
constexpr unsigned kind_bits = 0x3f;

duration probe_interval(const membership::config& config, const cluster_size& size) noexcept {
  return config.probe_interval * static_cast<int>(size.health + 1);
}

/// Until some member has probed a dead one in vain. Each goes round its own shuffled list, so the wait of one is at
/// most two rounds, and that of many together is far shorter: each interval in which none of them has it next is e
/// times less likely than the one before.
duration detection_bound(const membership::config& config, const cluster_size& size) noexcept {
  const std::size_t two_rounds = 2 * std::max<std::size_t>(size.known, 1);
  const std::size_t members = std::max<std::size_t>(size.members, 1);
  const std::size_t by_chance = (certainty * std::max(size.known, members) + members - 1) / members;
  // The probe itself takes one more.
  return probe_interval(config, size) * static_cast<int>(std::min(two_rounds, by_chance) + 1);
}

duration suspicion_bound(const membership::config& config, const cluster_size& size) noexcept {
  return membership::suspicion_timeout_min(config.suspicion_mult, size.known, config.probe_interval) *
         static_cast<int>(config.suspicion_max_mult);
}

/// Until somebody has tried one that it holds for dead though it lives. Every member tries one that is drawn of all
/// that it holds for dead.
duration reconnection_bound(const membership::config& config, const cluster_size& size) noexcept {
  const std::size_t living = std::max<std::size_t>(size.members, 2) - 1;
  const std::size_t tries = (certainty * size.known + 2 * living - 1) / (2 * living);
  return config.reconnect_interval * static_cast<int>(tries + 1);
}

}  // namespace

duration dissemination_bound(const membership::config& config, const cluster_size& size) noexcept {
  // Said by everybody who has it, each tick to some; then what all copies missed is seen by the digests.
  const auto said = membership::transmissions_max(config.retransmit_mult, size.known);
  const auto hops = static_cast<std::uint32_t>(detail::ceil_log10(size.known + 1)) + 1;
  return config.gossip_interval * static_cast<int>(said + hops) + probe_interval(config, size) * repair_rounds;
}

duration backlog_bound(const membership::config& config, const cluster_size& size, std::size_t events,
                       std::size_t bytes_each) noexcept {
  const std::size_t room = config.datagram_max - detail::datagram_header_size;
  const std::size_t in_one = std::max<std::size_t>(room / (membership::event_overhead_max + bytes_each), 1);
  const std::size_t datagrams = (events + in_one - 1) / in_one;
  const std::size_t fanout = std::max<std::size_t>(std::min<std::size_t>(config.gossip_fanout, size.members), 1);
  const std::size_t said = membership::transmissions_max(config.retransmit_mult, size.known);
  return config.gossip_interval * static_cast<int>(datagrams * ((said + fanout - 1) / fanout));
}

duration completeness_bound(const membership::config& config, const cluster_size& size) noexcept {
  return detection_bound(config, size) + suspicion_bound(config, size) + dissemination_bound(config, size);
}

duration convergence_bound(const membership::config& config, const cluster_size& size, duration faulty) noexcept {
  // A stream that hangs; a seed's back-off, which doubles and so is no longer than what it has waited already; those
  // who died unnoticed; those who live unnoticed; and then everybody's word.
  const duration seeds = std::min<duration>(config.seed_retry_max * 5 / 4, faulty + config.seed_retry * 2);
  return config.stream_timeout * 2 + seeds + completeness_bound(config, size) + reconnection_bound(config, size) +
         dissemination_bound(config, size);
}

load idle_load_bound(const membership::config& config, const cluster_size& size, duration length) noexcept {
  const auto probes = static_cast<std::uint64_t>(length / config.probe_interval) + 1;
  const auto tries = size.known > size.members ? static_cast<std::uint64_t>(length / config.reconnect_interval) + 1 : 0;
  // A seed that is not there is tried after ever doubled waits.
  std::uint64_t words = size.seeds_missing;
  for (duration wait = config.seed_retry; wait < length; wait *= 2) words += size.seeds_missing;
  return {.datagrams = size.members * (2 * (probes + tries) + words),
          .bytes = size.members * (probes * (ping_size + ack_size) + tries * (ping_to_dead_size + stranger_size) +
                                   words * announce_size)};
}

std::uint64_t answers_to(bytes_view datagram) noexcept {
  using membership::message_kind;
  if (datagram.size() <= kind_at) return 0;
  switch (static_cast<message_kind>(std::to_integer<unsigned>(datagram[kind_at]) & kind_bits)) {
    case message_kind::ping:
    case message_kind::ack:  // told to whom it was asked for
    case message_kind::announce: return 1;
    case message_kind::ping_request: return 2;  // the ping, and the nack
    case message_kind::view_summary:
    case message_kind::event_summary: return repair_max;
    case message_kind::direct:
    case message_kind::reply: return 1;
    default: return 0;
  }
}

std::uint64_t exempt_bytes(const membership::config& config, std::uint64_t answers) noexcept {
  const auto intervals = static_cast<std::uint64_t>(duration{std::chrono::seconds{1}} / config.probe_interval) + 1;
  const std::uint64_t own = intervals * (1 + config.indirect_probes + 4) + membership::checks_max;
  return (own + answers) * (ping_to_dead_size + stranger_size);
}

std::uint64_t replies_to_query(const membership::config& config) noexcept {
  // That it is here and the answer, at once, and one of both each tick.
  return static_cast<std::uint64_t>(duration{std::chrono::seconds{1}} / config.gossip_interval) + 3;
}

load burst_bound(const membership::config& config, std::uint64_t answers) noexcept {
  // News is pushed no more often than `push_spacing` allows, and told each tick; while it leaves, a member pings some
  // at each tick. Probes, helpers, pings of its own. Digests that differ are followed up twice in a probe interval.
  const auto second = duration{std::chrono::seconds{1}};
  const auto spacing = std::max<duration>(config.push_spacing, std::chrono::milliseconds{1});
  const auto ticks = static_cast<std::uint64_t>(second / config.gossip_interval) + 1;
  const auto rounds = static_cast<std::uint64_t>(second / spacing) + 1 + ticks;
  const auto intervals = static_cast<std::uint64_t>(second / config.probe_interval) + 1;
  const std::uint64_t own = rounds * (config.gossip_fanout + 1) + ticks * config.gossip_fanout +
                            intervals * (1 + config.indirect_probes + 4) + membership::checks_max;
  return {.datagrams = own + answers, .bytes = config.datagram_max * (own + answers)};
}

std::size_t held_bound(const membership::config& config) noexcept {
  return config.members_max + 1 + config.broadcasts_max + membership::events_relayed_max + config.streams_max * 4 +
         membership::relays_max + membership::checks_max + config.events_kept_max + config.broadcasts_max +
         config.seeds_max + config.messages_max + config.queries_max + membership::queries_heard_max;
}

}  // namespace artillery::sim
