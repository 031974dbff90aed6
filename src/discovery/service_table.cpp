#include "discovery/service_table.hpp"

#include <algorithm>
#include <array>

#include "base/assert.hpp"
#include "discovery/mutant.hpp"

namespace artillery::discovery {
namespace {

/// Questions after a service that is silent, in hundredths of its ttl (RFC 6762, section 5.2).
constexpr std::array<int, 3> refresh_at{80, 90, 95};

/// How many rows are looked at to find one that has not been heard of for long: near enough to the oldest, at a cost
/// that does not depend on the table.
constexpr int eviction_samples = 8;

/// The first of two frames tells nothing new to one who knows the second.
bool is_old(position said, position known) noexcept {
  if (mutant(mutation::epochs_ignored)) return said.sequence <= known.sequence;
  if (mutant(mutation::sequence_ignored)) return said.epoch < known.epoch;
  return said <= known;
}

}  // namespace

service known_service::resolved() const {
  service result = what;
  for (endpoint& e : result.endpoints) {
    if (e.is_any() && e.is_v6() == source.peer.is_v6() && !mutant(mutation::wildcards_kept))
      e = source.peer.with_port(e.port());
    // The number of an interface means something on one's own host only.
    if (e.scope() != 0) e = endpoint::v6(e.address(), e.port(), static_cast<std::uint32_t>(source.number));
  }
  return result;
}

time_point service_table::next_refresh(const known_service& s) noexcept {
  if (s.refreshes >= refresh_at.size()) return s.expires();
  return s.heard + s.what.ttl * refresh_at[s.refreshes] / 100;
}

bool service_table::outdated(const service_key& key, position at, time_point now) const noexcept {
  const node_row* node = nodes_.find(key.node);
  if (node != nullptr && at.epoch < node->epoch) return true;
  const departed_row* departed = departed_.find(key);
  return departed != nullptr && departed->until > now && at <= departed->at;
}

service_table::change service_table::announced(const frame& what, const connection& source, std::size_t frame_size,
                                               time_point now, std::vector<lost_service>& gone) {
  const auto& [s] = std::get<announcement>(what.body);
  const service_key key{what.header.node, s.instance};
  if (outdated(key, what.header.at, now)) return {outcome::stale, nullptr};
  begin_life(key, what.header.at.epoch, now, gone);
  if (known_service* old = services_.find(key)) {
    if (is_old(what.header.at, old->at)) {
      if (what.header.at == old->at && source == old->source) old->source_heard = now;
      return {outcome::stale, nullptr};
    }
    old->frame_size = frame_size;
    const outcome result = replace(*old, what, source, now);
    return {result, old};
  }
  if (!make_room(key, now, gone)) return {outcome::refused, nullptr};
  departed_.erase(key);
  node_row* node = nodes_.find(key.node);
  if (node == nullptr) node = &nodes_.insert({key.node, what.header.at.epoch, 0});
  ++node->services;
  const known_service& added = services_.insert({key, what.header.at, s, source, now, now, frame_size, 0});
  next_look_ = std::min(next_look_, next_refresh(added));
  return {outcome::found, &added};
}

service_table::outcome service_table::replace(known_service& old, const frame& what, const connection& source,
                                              time_point now) {
  const service before = old.resolved();
  service s = std::get<announcement>(what.body).what;
  // A node on two links is heard twice. Its address is the one it was heard from first, until that link falls silent:
  // else wildcard endpoints would change with each announcement.
  if (source == old.source) {
    old.source_heard = now;
  } else if (what.header.at.epoch != old.at.epoch || now - old.source_heard > old.what.ttl / 2) {
    old.source = source;
    old.source_heard = now;
  }
  old.at = what.header.at;
  old.heard = now;
  old.refreshes = 0;
  old.what = std::move(s);
  next_look_ = std::min(next_look_, next_refresh(old));
  service after = old.resolved();
  after.ttl = before.ttl;  // how long it is believed is no property of the service
  return after == before ? outcome::confirmed : outcome::updated;
}

void service_table::departed(const service_key& who, position at, time_point now, std::vector<lost_service>& gone) {
  if (outdated(who, at, now)) return;
  const known_service* known = services_.find(who);
  if (known != nullptr && at <= known->at && !mutant(mutation::goodbye_out_of_order)) return;
  // Remembered also when nothing was known: the goodbye may have overtaken the announcement.
  if (!mutant(mutation::goodbye_forgotten)) remember(who, at, now);
  if (known != nullptr) lose(who, loss::goodbye, now, gone);
}

void service_table::lose(const service_key& key, loss reason, time_point now, std::vector<lost_service>& gone) {
  const known_service* known = services_.find(key);
  ARTILLERY_INVARIANT(known != nullptr);
  // A late copy of the last announcement must not bring back what went. What was evicted may come back.
  const bool is_remembered = reason == loss::expired || reason == loss::restarted;
  if (is_remembered && !mutant(mutation::expiry_forgotten)) remember(key, known->at, now);
  node_row* node = nodes_.find(key.node);
  ARTILLERY_INVARIANT(node != nullptr && node->services > 0);
  gone.push_back({*known, reason});
  services_.erase(key);
  if (--node->services == 0) nodes_.erase(key.node);
}

void service_table::remember(const service_key& key, position at, time_point now) {
  if (departed_row* row = departed_.find(key)) {
    row->at = std::max(row->at, at);
    row->until = now + departed_memory;
    return;
  }
  if (departed_.size() >= departed_max) {
    std::size_t oldest = 0;
    for (int i = 0; i < eviction_samples; ++i) {
      const auto other = static_cast<std::size_t>(random_.below(departed_.size()));
      if (i == 0 || departed_[other].until < departed_[oldest].until) oldest = other;
    }
    departed_.erase(service_key{departed_[oldest].key});
  }
  departed_.insert({key, at, now + departed_memory});
}

void service_table::begin_life(const service_key& speaker, std::uint64_t epoch, time_point now,
                               std::vector<lost_service>& gone) {
  node_row* node = nodes_.find(speaker.node);
  if (node == nullptr || node->epoch >= epoch) return;
  node->epoch = epoch;
  if (mutant(mutation::old_life_goes_on)) return;
  if (node->services == (services_.contains(speaker) ? 1U : 0U)) return;
  // What the node offered in its earlier life is gone, but for what it announces again right now.
  for (std::size_t i = services_.size(); i-- > 0;) {
    const service_key key = services_[i].key;
    if (key.node == speaker.node && key != speaker) lose(key, loss::restarted, now, gone);
  }
}

bool service_table::make_room(const service_key& key, time_point now, std::vector<lost_service>& gone) {
  const node_row* node = nodes_.find(key.node);
  if (node != nullptr && node->services >= services_per_node_max) return false;
  if (services_.size() < services_max) return true;
  std::size_t oldest = 0;
  for (int i = 0; i < eviction_samples; ++i) {
    const auto other = static_cast<std::size_t>(random_.below(services_.size()));
    if (i == 0 || services_[other].heard < services_[oldest].heard) oldest = other;
  }
  lose(service_key{services_[oldest].key}, loss::evicted, now, gone);
  return true;
}

void service_table::add_to(detail::state_hash& hash, time_point now) const {
  for (const known_service& s : services_) {
    hash.add(s.key.node).add(s.key.instance).add(s.at.epoch).add(s.at.sequence).add(s.expires() - now);
    hash.add(s.refreshes).add(s.source.peer).add(s.source.number).add(s.source_heard - now);
  }
  for (const departed_row& row : departed_)
    if (row.until > now) hash.add(row.key.node).add(row.key.instance).add(row.at.epoch).add(row.at.sequence);
}

}  // namespace artillery::discovery
